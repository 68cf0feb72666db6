"""Which server has which forms and offices of the project, where it is on several."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from tpm_pipeline.errors import SettingsError
from tpm_pipeline.records import Access, Share
from tpm_pipeline.settings import Kind


def of(
    access: Access, kinds: Sequence[Kind], form_ids: Collection[str], offices: Collection[str], where: str
) -> dict[Kind, Share]:
    """One server has all; of several, each has what is named for it, and the first also what no other has.

    A server for which only forms are named has them for every office, one with only offices every form.
    """
    first, *others = kinds
    everything = Share(tuple(form_ids), tuple(offices))
    if not others:
        return {first: everything}
    _refuse_missing(access, others, where)
    _refuse_unchosen(access, kinds, where)
    named = {kind: access.servers[kind] for kind in others}
    given = {
        kind: Share(share.forms or everything.forms, share.offices or everything.offices)
        for kind, share in named.items()
    }
    rest = _rest(everything, access.servers.get(first, Share()), given)
    if not rest.forms:
        cause = f"servers: everything is named for {' and '.join(others)}, and nothing is left for {first}."
        raise SettingsError("SET-016", where, cause, f"Name what {first} has, or take it out of TPM_SERVER.")
    return {first: rest, **given}


def narrowed(access: Access, share: Share, held: Collection[str] = ()) -> Access:
    """Who may fill what of one server's share; the forms it held and that another has by now are retired there."""
    moved = [form_id for form_id in held if form_id not in share.forms and form_id not in access.retired]
    links = {form_id: _of(share, codes) for form_id, codes in access.desk_links.items() if form_id in share.forms}
    return replace(
        access,
        phones={office: devices for office, devices in access.phones.items() if office in share.offices},
        desk_links={form_id: codes for form_id, codes in links.items() if codes},
        retired=(*access.retired, *moved),
        accounts={office: names for office, names in access.accounts.items() if office in share.offices},
        anonymous=tuple(form_id for form_id in access.anonymous if form_id in share.forms),
    )


def _of(share: Share, offices: Sequence[str]) -> tuple[str, ...]:
    return tuple(code for code in offices if code in share.offices)


def _rest(everything: Share, named: Share, given: Mapping[Kind, Share]) -> Share:
    """What is named for the first server, and each form of each office that no other server has."""
    left = {
        (form_id, office)
        for form_id in everything.forms
        for office in everything.offices
        if not any(form_id in share.forms and office in share.offices for share in given.values())
    }
    # What is named for it of one sort alone, it has for all of the other.
    if named.forms or named.offices:
        left |= {
            (form_id, office)
            for form_id in named.forms or everything.forms
            for office in named.offices or everything.offices
        }
    forms, offices = {form_id for form_id, _ in left}, {office for _, office in left}
    return Share(
        tuple(form_id for form_id in everything.forms if form_id in forms),
        tuple(office for office in everything.offices if office in offices),
    )


def _refuse_missing(access: Access, others: Sequence[Kind], where: str) -> None:
    for kind in others:
        if kind not in access.servers:
            cause = f"TPM_SERVER chooses {kind} beside another server, and nothing is named for it."
            raise SettingsError("SET-015", where, cause, f"Name its forms or offices under servers: {kind}:.")


def _refuse_unchosen(access: Access, kinds: Sequence[Kind], where: str) -> None:
    for kind in access.servers:
        if kind not in kinds:
            cause = f"servers: {kind} has a share, and TPM_SERVER does not choose it: that share would be nowhere."
            raise SettingsError("SET-017", where, cause, "Choose it too, or give its share to another.")
