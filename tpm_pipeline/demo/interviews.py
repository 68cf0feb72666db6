"""What is answered in a capitalisation interview (form tpm_entretien), with the values the form calculates."""

import io
import wave
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date

from tpm_pipeline.demo import outcomes as o
from tpm_pipeline.demo import places
from tpm_pipeline.demo import weights as w
from tpm_pipeline.demo.cases import SYNTHETIC, Answers
from tpm_pipeline.demo.dice import Dice
from tpm_pipeline.records import MediaFile

_WORDS = "Texte fictif : l’orientation a été utile, l’attente longue (données synthétiques)."


@dataclass(frozen=True)
class Interview:
    """One interview: `sound` is the name stem of its recordings, empty when none is allowed."""

    day: date
    interviewer: str
    alea: str
    minutes: int
    consent: bool
    sound: str

    @property
    def code(self) -> str:
        """The interview's code."""
        return f"ENT-{self.day:%y%m}-{self.alea}"


def answers(dice: Dice, interview: Interview) -> Answers:
    """Answer the whole form."""
    return {**_frame(dice, interview), **_consent(dice, interview), **_body(dice, interview)}


def recordings(given: Answers) -> Iterator[MediaFile]:
    """The files the answers name: a twentieth of a second of silence, whose name says what it is."""
    for name, value in given.items():
        if name.endswith("_audio") and isinstance(value, str) and value.endswith(".wav"):
            yield MediaFile(value, _silence())


def _silence() -> bytes:
    file = io.BytesIO()
    with wave.open(file, "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(1)
        sound.setframerate(8000)
        sound.writeframes(b"\x80" * 400)
    return file.getvalue()


def _frame(dice: Dice, interview: Interview) -> Answers:
    setting = dice.pick(o.SETTINGS)
    province = dice.pick(o.INTERVIEW_PROVINCES)
    inside = province != "hors_region"
    return {
        "enqueteur_code": interview.interviewer,
        "date_entretien": interview.day.isoformat(),
        "alea": interview.alea,
        "code_entretien": interview.code,
        "modalite": setting,
        "lieu_type": dice.pick(o.PLACES) if setting == "presentiel" else "distance",
        "province": province,
        "commune": dice.one_of(places.communes(province)) if inside else None,
        "langue": dice.pick(o.INTERVIEW_LANGUAGES),
        "interprete": dice.yes(0.06),
    }


def _consent(dice: Dice, interview: Interview) -> Answers:
    if not interview.consent:
        return {"consent": "non", "forme_consent": None, "consent_audio": None, "consent_citation": None}
    return {
        "consent": "oui",
        "forme_consent": dice.pick(w.CONSENT_FORMS),
        "consent_audio": "oui" if interview.sound else "non",
        "consent_citation": dice.pick(o.QUOTES),
        "note_fin": None,
    }


def _body(dice: Dice, interview: Interview) -> Answers:
    if not interview.consent:
        return {"g_corps": None}
    discussed = dice.some(o.THEMES, dice.between(1, 3))
    lessons = dice.pick(o.LESSONS)
    return {
        **_person(dice),
        "themes": " ".join(discussed),
        **{key: value for theme in o.THEMES for key, value in _theme(dice, interview, theme, discussed).items()},
        "msc_recit": _WORDS,
        "msc_audio": _sound(interview, "msc"),
        "msc_domaine": dice.pick(o.CHANGES),
        "msc_contribution": dice.pick(o.AGREEMENT),
        "nb_ens": str(lessons),
        "enseignements": [_lesson(dice) for _ in range(lessons)] or None,
        **_closing(dice, interview),
    }


def _person(dice: Dice) -> Answers:
    actor = dice.pick(o.ACTORS)
    group = actor.removeprefix("migrant_") if actor.startswith("migrant_") else ""
    age = dice.pick(w.AGES[group or "autre"])
    near_office = bool(group) or actor in {"agent_baom", "agent_ct", "elu"}
    return {
        "type_acteur": actor,
        "sexe": dice.pick({"femme": 44, "homme": 54, "nr": 2}),
        "tranche_age": "a18_24" if age in {"a00_14", "a15_17"} else age,  # no detailed interview of a minor
        "cat_migrant": dice.pick(w.CATEGORIES[group]) if group else None,
        "bureau": dice.one_of(places.rows("bureaux"))["name"] if near_office else None,
        "osc": dice.one_of(places.rows("osc"))["name"] if actor in {"osc", "diaspora"} else None,
        "anciennete_mois": str(dice.between(1, 60)),
    }


def _theme(dice: Dice, interview: Interview, theme: str, discussed: list[str]) -> Mapping[str, str | None]:
    if theme not in discussed:
        return {f"g_th_{theme}": None}
    return {
        f"t_{theme}_notes": _WORDS if dice.chance(0.9) else "",
        f"t_{theme}_audio": _sound(interview, theme),
        f"t_{theme}_accord": dice.pick(o.AGREEMENT) if dice.chance(0.92) else "",
    }


def _sound(interview: Interview, subject: str) -> str | None:
    return f"{interview.sound}-{subject}.wav" if interview.sound else None


def _lesson(dice: Dice) -> Answers:
    return {
        "e_titre": "Enseignement fictif, pour la démonstration seulement",
        "e_type": dice.pick(o.LESSON_TYPES),
        "e_facteurs": " ".join(dice.some(o.FACTORS, dice.between(1, 3))),
        "e_destinataires": " ".join(dice.some(o.AUDIENCES, dice.between(1, 3))),
        "e_transferable": dice.pick({"": 1, "2": 1, "3": 3, "4": 4, "5": 2}),
    }


def _closing(dice: Dice, interview: Interview) -> Answers:
    documents = dice.yes(0.12)
    return {
        "documents_remis": documents,
        "photo_document": "" if documents == "oui" else None,
        "qualite_audio": dice.pick(o.SOUND) if interview.sound else "aucun",
        "confidentialite": dice.pick(o.CIRCULATION),
        "restitution": (restitution := dice.yes(0.6)),
        "restitution_contact": "" if restitution == "oui" else None,
        "observations": SYNTHETIC,
        "duree_min": str(interview.minutes),
    }
