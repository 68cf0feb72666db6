"""What samples of each form are chosen by: every way through it that the demo takes."""

from collections.abc import Callable, Mapping

from tpm_pipeline.demo.cases import Answers

Branch = Callable[[Answers], object]


def rows(answers: Answers) -> list[Answers]:
    """The rows of every repeat, one after the other."""
    repeats = [value for value in answers.values() if value and not isinstance(value, str)]
    return [row for repeat in repeats for row in repeat]


def says(**expected: object) -> Branch:
    return lambda answers: all(answers.get(name) == value for name, value in expected.items())


def says_in_a_row(**expected: object) -> Branch:
    return lambda answers: any(says(**expected)(row) for row in rows(answers))


def asks(name: str) -> Branch:
    return lambda answers: answers.get(name, "") is not None and name in answers


def across_ramadan(answers: Answers) -> bool:
    """The clock went back an hour between the opening and the outcome."""
    dates = [str(row.get("i_date") or "") for row in rows(answers)]
    return str(answers["date_ouverture"]) < "2023-03-19" and any("2023-03-19" < day < "2023-04-23" for day in dates)


VISITS: Mapping[str, Branch] = {
    "nouveau dossier": says(dossier_mode="nouveau", groupe_cat="mre"),
    "dossier existant ouvert": says(dossier_mode="existant", statut_dossier="ouvert", nb_a_suivre="0"),
    "dossier existant clos": says(dossier_mode="existant", statut_dossier="clos_immediat"),
    "troisième visite": says(nb_visites="3"),
    "anonyme": says(consent_dossier="non", groupe_cat="mre"),
    "anonyme RPT": says(consent_dossier="non", groupe_cat="rpt"),
    "anonyme orienté": lambda answers: answers["consent_dossier"] == "non" and answers["nb_a_suivre"] != "0",
    "mineur": lambda answers: answers["tranche_age"] == "a15_17" and answers["cat_migrant"] != "mna",
    "mineur isolé": says(cat_migrant="mna", consent_dossier="oui"),
    "demandeur d’asile": says(cat_migrant="demandeur_asile", consent_dossier="oui"),
    "ne répond pas": says(cat_migrant="nr"),
    "sexe non dit": says(sexe="nr"),
    "hors région": says(province="hors_region"),
    "accompagnée": says(nb_accompagnants="3"),
    "un service": says(orientations_count="1", service_principal="foncier"),
    "quatre services": says(orientations_count="4"),
    "autre service": asks("service_autre"),
    "séjour demandé": lambda answers: bool(answers["situation_sejour"]),
    "séjour passé": says(situation_sejour=""),
    "vulnérabilités": lambda answers: " " in str(answers["vulnerabilites"]),
    "danger": says(protection_urgente="oui"),
    "protection": lambda answers: "protection" in str(answers["vulnerabilites"]).split(),
    "oriente par appel": says_in_a_row(o_reponse="oriente", o_mode="appel"),
    "accompagne": says_in_a_row(o_reponse="accompagne", o_mode="physique"),
    "attente": says_in_a_row(o_reponse="attente"),
    "impossible": says_in_a_row(o_reponse="impossible"),
    "vers une OSC": says_in_a_row(o_institution="osc"),
    "vers une autre institution": says_in_a_row(o_institution="autre"),
    "contact refusé": says(contact_accepte="non"),
    "repasse au bureau": says(contact_mode="bureau"),
    "laisse un numéro": asks("telephone"),
}
FOLLOW_UPS: Mapping[str, Branch] = {
    "résolu": says(decision="clos_resolu"),
    "sans suite": says(decision="clos_sans_suite"),
    "poursuivi": says(decision="poursuivre", joint="oui"),
    "injoignable": says(joint="injoignable", services_suivis=""),
    "injoignable, l’institution répond": says(joint="injoignable", issues_count="1"),
    "numéro erroné": says(joint="numero"),
    "refus": says(joint="refus"),
    "perdu": says(decision="clos_perdu"),
    "retrait": says(consent_maintenu="non"),
    "transfert": says(decision="transfert"),
    "bureau d’arrivée": lambda answers: not str(answers["code_dossier"]).startswith(str(answers["bureau_code"])),
    "plusieurs services": says(issues_count="3"),
    "joint sans nouvelle": says(joint="oui", consent_maintenu="oui", issues_count="0"),
    "changement d’heure": across_ramadan,
    "délai négatif": lambda answers: str(answers["delai_echeance_j"]).startswith("-"),
    "date non dite": says_in_a_row(i_issue="obtenu", i_date=""),
    "réorienté": says_in_a_row(i_action="reorientation"),
    "autre obstacle": lambda answers: any(row["i_obstacle_autre"] for row in rows(answers)),
    "nouveau besoin": says(nouveau_besoin="oui"),
    "plainte": says(plainte="oui"),
    "troisième suivi": says(nb_suivis="3"),
}
INTERVIEWS: Mapping[str, Branch] = {
    "refusé": says(consent="non"),
    "sans enregistrement": says(consent_audio="non"),
    "enregistré": says(consent_audio="oui"),
    "hors région": says(province="hors_region"),
    "migrante": asks("cat_migrant"),
    "OSC": asks("osc"),
    "élu": says(type_acteur="elu"),
    "sans enseignement": says(nb_ens="0"),
    "trois enseignements": says(nb_ens="3"),
    "documents": says(documents_remis="oui"),
    "sans restitution": says(restitution="non"),
}
SESSIONS: Mapping[str, Branch] = {
    "atelier": says(type_espace="atelier"),
    "groupe témoin": says(type_espace="groupe_temoin"),
    "restitution": says(type_espace="restitution", nb_ens="0"),
    "plusieurs enseignements": says(nb_ens="3"),
    "sans consentement": says(consent_collectif="non"),
}
TRAININGS: Mapping[str, Branch] = {
    "formation": says(type_evt="formation"),
    "voyage": says(type_evt="voyage"),
    "dénombrement": says(liste="non"),
    "note manquante": says_in_a_row(p_post=""),
    "sexe non dit": says_in_a_row(p_sexe="nr"),
    "âge non dit": says_in_a_row(p_age=""),
    "avec contrat": lambda answers: bool(answers["consultant"]),
}
ORGANISATIONS: Mapping[str, Branch] = {
    "suspendu": says(statut_projet="suspendu"),
    "nouvelle": says(osc_mode="nouvelle", a_projet="non"),
    "nouvelle avec projet": says(osc_mode="nouvelle", a_projet="oui"),
    "existante": says(osc_mode="existante", a_projet="non"),
    "identifié": says(osc_mode="existante", statut_projet="identifie"),
    "en formulation": says(statut_projet="formulation"),
    "contractualisé": says(statut_projet="contractualise"),
    "en cours": says(statut_projet="en_cours", feu="vert"),
    "en difficulté": says(feu="rouge"),
    "terminé": says(statut_projet="termine", avancement="100"),
    "sans appui": says(appuis=""),
}
COMMITTEES: Mapping[str, Branch] = {
    "équipe": says(type_comite="equipe", tenue="oui"),
    "pilotage": says(type_comite="pilotage", tenue="oui"),
    "territorial": says(type_comite="territorial", tenue="oui"),
    "reporté": says(tenue="non"),
    "sans décision": says(nb_decisions="0"),
    "sans suivi": says(nb_suivi="0"),
    "décision faite": says_in_a_row(s_statut="faite"),
    "décision en cours": says_in_a_row(s_statut="en_cours"),
    "décision non faite": says_in_a_row(s_statut="non_faite"),
    "décision annulée": says_in_a_row(s_statut="annulee"),
}
ACTION_PLAN: Mapping[str, Branch] = {
    "planifiée": says(statut="planifiee"),
    "en cours": says(statut="en_cours", motif="aucun"),
    "en retard": lambda answers: answers.get("statut") == "en_cours" and answers["motif"] != "aucun",
    "réalisée": says(statut="realisee"),
    "reportée": says(statut="reportee"),
    "annulée": says(statut="annulee"),
    "livrable attendu": says(remis="non"),
    "livrable remis": says(remis="oui", valide="oui"),
    "validation non dite": says(remis="oui", valide=""),
}
CONSULTATIONS: Mapping[str, Branch] = {
    "offres attendues": says(contrat="non", nb_offres="0"),
    "sans suite": lambda answers: answers["contrat"] == "non" and answers["nb_offres"] != "0",
    "contrat signé": says(contrat="oui", liv_recu=""),
    "livrable reçu": says(contrat="oui", liv_valide="oui"),
    "entente directe": says(procedure="gre_a_gre", contrat="oui"),
    "conflit d’intérêts": says(c_conflit="non", contrat="oui"),
    "deux offres recevables": says(procedure="demande_prix", nb_recevables="2", contrat="oui"),
}
COMMUNICATIONS: Mapping[str, Branch] = {
    "conforme": says(conforme="1"),
    "sans mention": says(v_mention="non"),
    "partage": says(partage="oui", repris="non"),
    "repris": says(repris="oui"),
    "avec lien": lambda answers: bool(answers["lien"]),
    "sans partage": says(partage="non"),
}
CHECKS: Mapping[str, Branch] = {
    "projet": says(statut="projet"),
    "actif": says(statut="actif"),
    "suspendu": says(statut="suspendu"),
    "fermé": says(statut="ferme"),
    "sans position": says(statut="actif", position=""),
    "avec position": lambda answers: answers["statut"] == "actif" and bool(answers["position"]),
}
PARTNERSHIPS: Mapping[str, Branch] = {
    "mobilisation": says(type_relation="mobilisation"),
    "représentation": says(type_relation="representation"),
    "concertation hors région": says(type_relation="concertation", province="hors_region"),
    "convention": says(type_relation="convention"),
    "convention sans fin": says(type_relation="convention", conv_fin=""),
    "planification budgétée": says(type_relation="planification", niveau="3"),
    "planification sans budget": says(type_relation="planification", budget_inscrit=""),
    "Région": says(type_relation="planification", doc="pdr"),
}
BRANCHES: Mapping[str, Mapping[str, Branch]] = {
    "tpm_visite": VISITS,
    "tpm_suivi": FOLLOW_UPS,
    "tpm_entretien": INTERVIEWS,
    "tpm_atelier": SESSIONS,
    "tpm_formation": TRAININGS,
    "tpm_osc": ORGANISATIONS,
    "tpm_comite": COMMITTEES,
    "tpm_activite": ACTION_PLAN,
    "tpm_tdr": CONSULTATIONS,
    "tpm_com": COMMUNICATIONS,
    "tpm_bureau": CHECKS,
    "tpm_partenariat": PARTNERSHIPS,
}
# Ways through the earlier version of the form that changed.
FORMER_BRANCHES: Mapping[str, Branch] = {
    name: VISITS[name] for name in ("nouveau dossier", "dossier existant ouvert", "anonyme", "quatre services")
}
