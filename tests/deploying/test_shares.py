"""One project on several servers: what each has, and what cannot be meant."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tpm_pipeline.deploying import shares
from tpm_pipeline.errors import SettingsError
from tpm_pipeline.records import Access, Share
from tpm_pipeline.settings import Kind

FORMS = ("tpm_osc", "tpm_suivi", "tpm_visite")
OFFICES = ("AGD01", "CHT01", "TIZ01")
ALL = Share(FORMS, OFFICES)
BOTH: tuple[Kind, ...] = ("central", "kobo")


def shared(kinds: tuple[Kind, ...] = BOTH, **servers: Share) -> dict[Kind, Share]:
    return shares.of(Access(servers=servers), kinds, FORMS, OFFICES, ".access.yml")


def test_one_server_has_everything_whatever_is_named_for_others() -> None:
    assert shared(("central",)) == {"central": ALL}
    assert shared(("kobo",), central=Share(("tpm_osc",))) == {"kobo": ALL}


def test_a_form_named_for_one_is_there_for_every_office_and_the_first_has_the_others() -> None:
    assert shared(kobo=Share(("tpm_osc",))) == {
        "central": Share(("tpm_suivi", "tpm_visite"), OFFICES),
        "kobo": Share(("tpm_osc",), OFFICES),
    }


def test_an_office_named_for_one_fills_every_form_there_and_the_first_has_the_others() -> None:
    assert shared(kobo=Share((), ("AGD01",))) == {
        "central": Share(FORMS, ("CHT01", "TIZ01")),
        "kobo": Share(FORMS, ("AGD01",)),
    }


def test_an_office_with_one_form_elsewhere_keeps_the_others_on_the_first() -> None:
    assert shared(kobo=Share(("tpm_osc",), ("AGD01",))) == {"central": ALL, "kobo": Share(("tpm_osc",), ("AGD01",))}


def test_what_is_named_for_the_first_too_is_on_both() -> None:
    found = shared(central=Share(("tpm_osc",)), kobo=Share(("tpm_osc",)))

    assert found == {"central": ALL, "kobo": Share(("tpm_osc",), OFFICES)}


def test_the_order_says_which_is_first() -> None:
    assert list(shared(("kobo", "central"), central=Share((), ("TIZ01",)))) == ["kobo", "central"]
    assert shared(("kobo", "central"), central=Share((), ("TIZ01",)))["kobo"] == Share(FORMS, ("AGD01", "CHT01"))


@pytest.mark.parametrize(
    ("servers", "code", "said"),
    [
        ({}, "SET-015", "kobo beside another server, and nothing is named for it"),
        ({"central": ALL}, "SET-015", "nothing is named for it"),
        ({"kobo": Share(FORMS)}, "SET-016", "nothing is left for central"),
        ({"kobo": Share((), OFFICES)}, "SET-016", "nothing is left for central"),
        ({"kobo": Share(("tpm_osc",)), "local": Share(("tpm_suivi",))}, "SET-017", "local has a share"),
    ],
)
def test_what_cannot_be_meant_is_refused(servers: dict[str, Share], code: str, said: str) -> None:
    with pytest.raises(SettingsError, match=rf"{code} · \.access\.yml: .*{said}"):
        shares.of(Access(servers=servers), BOTH, FORMS, OFFICES, ".access.yml")


SOME = st.builds(
    Share, *(st.lists(st.sampled_from(names), unique=True, max_size=2).map(tuple) for names in (FORMS, OFFICES))
).filter(lambda share: bool(share.forms or share.offices))


@given(kobo=SOME, local=SOME, central=st.none() | SOME)
def test_every_form_of_every_office_is_on_some_server(kobo: Share, local: Share, central: Share | None) -> None:
    named = {"kobo": kobo, "local": local} | ({"central": central} if central else {})
    forms, offices = (*FORMS, "tpm_com", "tpm_tdr"), (*OFFICES, "TAR01")
    kinds: tuple[Kind, ...] = ("central", "kobo", "local")
    found = {str(kind): share for kind, share in shares.of(Access(servers=named), kinds, forms, offices, "").items()}

    for form_id in forms:
        for office in offices:
            assert any(form_id in share.forms and office in share.offices for share in found.values())
    for kind, share in named.items():
        assert {*share.forms} <= {*found[kind].forms}
        assert {*share.offices} <= {*found[kind].offices}


def test_who_fills_what_is_narrowed_to_a_share() -> None:
    access = Access(
        phones={"AGD01": ("téléphone 1",), "TIZ01": ("téléphone 1",)},
        web_users={"amina@example.org": "viewer"},
        desk_links={"tpm_visite": ("AGD01", "TIZ01"), "tpm_osc": ("AGD01",), "tpm_suivi": ("TIZ01",)},
        retired=("tpm_ancien",),
        own_cases=("dossiers",),
        accounts={"AGD01": ("baom_agadir",), "TIZ01": ("baom_tiznit",)},
        anonymous=("tpm_osc", "tpm_visite"),
    )

    assert shares.narrowed(access, Share(("tpm_visite", "tpm_suivi"), ("AGD01",))) == Access(
        phones={"AGD01": ("téléphone 1",)},
        web_users={"amina@example.org": "viewer"},
        desk_links={"tpm_visite": ("AGD01",)},
        retired=("tpm_ancien",),
        own_cases=("dossiers",),
        accounts={"AGD01": ("baom_agadir",)},
        anonymous=("tpm_visite",),
    )


def test_a_form_that_went_to_another_server_is_retired_where_it_was() -> None:
    access = Access(retired=("tpm_ancien",))
    held = ("tpm_ancien", "tpm_osc", "tpm_visite")

    narrowed = shares.narrowed(access, Share(("tpm_visite",), OFFICES), held)

    assert narrowed.retired == ("tpm_ancien", "tpm_osc")
