"""Sending as a phone does."""

import pytest

from tests.servers.conftest import TIMEOUT_S, Fake
from tests.servers.site import Site
from tests.servers.visits import visit, visit_form
from tpm_pipeline.errors import ServerError
from tpm_pipeline.records import MediaFile
from tpm_pipeline.servers.openrosa import OpenRosaClient


def test_attachments_go_with_the_submission(site: Site) -> None:
    site.server.deploy([visit_form()])

    site.submit(visit(), files=(MediaFile("voix é.m4a", b"\x00\x01"),))

    assert len(site.pull()[0]) == 1


def test_a_refusal_says_why_in_the_servers_words_and_no_token(site: Site) -> None:
    site.server.deploy([visit_form()])

    with pytest.raises(ServerError) as error:
        site.submit(visit(form_id="inconnu"))

    assert error.value.code == "SRV-020"
    assert "404" in error.value.cause
    assert "gave no reason" not in error.value.cause
    assert "/key/" not in str(error.value)


def test_a_wrong_token_is_refused(fake: Fake) -> None:
    fake.site.server.deploy([visit_form()])

    with pytest.raises(ServerError, match=r"SRV-020.*403"):
        OpenRosaClient(f"{fake.url}/v1/key/{'x' * 64}/projects/1", TIMEOUT_S).submit(visit())
