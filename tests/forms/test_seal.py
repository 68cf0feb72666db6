"""The mark that tells a form we deployed from one that a hand changed since."""

import pytest

from tests.servers.visits import visit_form
from tpm_pipeline.forms import catalog, schema, seal
from tpm_pipeline.forms.compile import compile_form

FORM = visit_form("2026-11")
ENCRYPTED = (
    FORM.xform.replace(b'version="2026-11"', b'version="2026-11[encrypted:AaIiXj3f]"')
    # As the real Central does it.
    .replace(b"</model>", b'<submission base64RsaPublicKey="MIIB+/=="/></model>')
)


@pytest.mark.parametrize("form_id", catalog.form_ids())
def test_a_compiled_form_is_ours_and_under_another_version_too(form_id: str) -> None:
    form, _ = compile_form(catalog.path_of(form_id), "central", validate=False)

    again = seal.revised(form, f'{form.version}."2"')

    assert seal.is_ours(form.xform)
    assert seal.is_ours(again.xform)
    assert schema.read(again.xform).version == again.version
    assert seal.revised(again, form.version) == form


@pytest.mark.parametrize(
    "changed",
    [
        FORM.xform.replace(b"Personnes", b"Gens"),
        FORM.xform.replace(b'version="2026-11"', b'version="2026-12"'),
        FORM.xform + b"\n",
        FORM.xform.rpartition(b"\n")[0],
        b"",
    ],
)
def test_what_a_hand_changed_is_not(changed: bytes) -> None:
    assert seal.is_ours(FORM.xform)
    assert not seal.is_ours(changed)


def test_sealing_twice_changes_nothing() -> None:
    assert seal.sealed(FORM.xform) == FORM.xform


def test_a_form_that_its_server_made_encrypting_is_still_the_same() -> None:
    assert not seal.is_ours(ENCRYPTED)
    assert seal.plain(ENCRYPTED) == FORM.xform
    assert seal.plain(FORM.xform) == FORM.xform
    assert [seal.plain_version(one) for one in ("1[encrypted:AaIi+C/q]", "1")] == ["1", "1"]
