"""Encrypted rows opened: with private keys here, with a passphrase there. On the fake and on the real Central."""

from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from starlette.requests import Request
from starlette.responses import Response

from tests.servers.confidences import (
    FORM,
    NAME,
    OWN,
    PASSPHRASE,
    TOLD,
    attach,
    confidence,
    confidence_form,
    manage,
    send,
    unlock,
)
from tests.servers.conftest import Fake
from tests.servers.encryptor import key_pair
from tests.servers.site import Site
from tests.servers.visits import new_id
from tpm_pipeline.errors import ServerError, ServerUnavailableError
from tpm_pipeline.servers.central_sealed import Keys, read_keys

OTHER = key_pair(1)


def rows(site: Site) -> dict[str, dict[str, Any]]:
    """The rows of the form, by their identifier."""
    found, _ = site.pull(form_id=FORM)
    assert list(site.folder.iterdir()) == []
    return {row["__id"]: row for row in found}


def told(row: dict[str, Any]) -> dict[str, Any]:
    """The answers of a row."""
    return {key: value for key, value in row.items() if key not in {"__id", "__system", "meta"}}


def is_sealed(row: dict[str, Any]) -> bool:
    return set(row) == {"__id", "__system"} and row["__system"]["status"] == "notDecrypted"


def test_a_private_key_opens_what_was_encrypted_for_it(central: Site) -> None:
    central.server.deploy([confidence_form()])
    first = new_id()
    send(central, confidence(first))
    assert is_sealed(rows(central)[first])

    unlock(central, OWN)
    row = rows(central)[first]

    assert told(row) == TOLD
    assert row["meta"] == {"instanceID": first}
    assert (row["__system"]["status"], row["__system"]["formVersion"]) == (None, "1")
    assert (row["__system"]["attachmentsPresent"], row["__system"]["attachmentsExpected"]) == (0, 0)


def test_a_passphrase_opens_what_was_encrypted_for_the_key_that_central_manages(central: Site) -> None:
    central.server.deploy([confidence_form(key=None)])
    before = new_id()
    central.submit(confidence(before))
    public, version = manage(central)
    first, second = new_id(), new_id()
    send(central, confidence(first, version), public)
    send(central, confidence(second, version, photo="a.jpg"), public, media={"a.jpg": b"\xff\xd8"})
    assert {is_sealed(row) for one, row in rows(central).items() if one != before} == {True}

    unlock(central, passphrase=PASSPHRASE)
    found = rows(central)

    assert told(found[first]) == TOLD
    assert told(found[second]) == {**TOLD, "photo": "a.jpg"}
    assert {one: row["meta"]["instanceID"] for one, row in found.items()} == {one: one for one in found}
    assert [found[first]["__system"][key] for key in ("status", "formVersion")] == [None, version]
    assert [found[second]["__system"][f"attachments{one}"] for one in ("Present", "Expected")] == [1, 1]
    assert found[before]["nom"] == NAME


def test_both_ways_give_the_same_row(central: Site) -> None:
    central.server.deploy([confidence_form(key=None)])
    public, version = manage(central)
    first, second = new_id(), new_id()
    central.server.deploy([confidence_form("2")])
    send(central, confidence(first, version), public)
    send(central, confidence(second, "2"))

    unlock(central, OWN, passphrase=PASSPHRASE)
    found = rows(central)

    assert told(found[first]) == told(found[second]) == TOLD


def test_plain_text_beside_what_is_encrypted_is_an_ordinary_row(central: Site) -> None:
    central.server.deploy([confidence_form()])
    plain, sealed = new_id(), new_id()
    central.submit(confidence(plain))
    send(central, confidence(sealed))

    unlock(central, OWN)
    found = rows(central)

    assert found[plain]["nom"] == found[sealed]["nom"] == NAME
    assert isinstance(found[plain]["grp"]["lieu"], dict)


def test_an_edit_of_an_encrypted_submission_is_opened_under_its_own_identifier(central: Site) -> None:
    central.server.deploy([confidence_form()])
    first, second = new_id(), new_id()
    send(central, confidence(first))
    send(central, confidence(second, more="<langue>fr</langue>"), replaces=first)

    unlock(central, OWN)
    row = rows(central)[first]

    assert (row["meta"]["instanceID"], row["langue"]) == (second, "fr")
    assert (row["__system"]["edits"], row["__system"]["status"]) == (1, None)


def test_an_edit_of_a_submission_central_would_open_stays_sealed(central: Site) -> None:
    central.server.deploy([confidence_form(key=None)])
    public, version = manage(central)
    first, second, other = new_id(), new_id(), new_id()
    send(central, confidence(first, version), public)
    send(central, confidence(second, version), public, replaces=first)
    send(central, confidence(other, version), public)

    unlock(central, passphrase=PASSPHRASE)
    found = rows(central)

    assert is_sealed(found[first])
    assert told(found[other]) == TOLD


def test_a_dropped_question_keeps_its_encrypted_answers(central: Site) -> None:
    central.server.deploy([confidence_form(key=None, extra="langue")])
    public, version = manage(central)
    first = new_id()
    send(central, confidence(first, version, more="<langue>fr</langue>"), public)
    central.server.deploy([confidence_form("2", key=None)])

    unlock(central, passphrase=PASSPHRASE)

    assert told(rows(central)[first]) == {**TOLD, "langue": "fr"}


def test_answers_that_are_still_to_come_are_opened_when_they_came(central: Site) -> None:
    central.server.deploy([confidence_form()])
    unlock(central, OWN)
    first, second = new_id(), new_id()
    files = send(central, confidence(first), late=["submission.xml.enc"])
    send(central, confidence(second))

    found = rows(central)
    assert found[first]["__system"]["status"] == "missingEncryptedFormData"
    assert told(found[second]) == TOLD

    attach(central, first, "submission.xml.enc", files["submission.xml.enc"])
    assert told(rows(central)[first]) == TOLD


def test_damaged_answers_stay_sealed_and_keep_no_other_from_coming(central: Site) -> None:
    central.server.deploy([confidence_form()])
    unlock(central, OWN)
    first, second = new_id(), new_id()
    send(central, confidence(first), damaged=["submission.xml.enc"])
    send(central, confidence(second))

    found = rows(central)

    assert is_sealed(found[first])
    assert told(found[second]) == TOLD


def test_damaged_answers_keep_central_from_opening_no_other(central: Site) -> None:
    central.server.deploy([confidence_form(key=None)])
    public, version = manage(central)
    unlock(central, passphrase=PASSPHRASE)
    ids = [new_id() for _ in range(3)]
    for one in ids:
        send(central, confidence(one, version), public, damaged=["submission.xml.enc"] if one == ids[1] else ())

    found = rows(central)

    assert [is_sealed(found[one]) for one in ids] == [False, True, False]


def test_keys_of_another_form_are_refused_before_anything_is_kept(central: Site) -> None:
    central.server.deploy([confidence_form()])
    send(central, confidence(new_id()))
    unlock(central, OTHER)

    with pytest.raises(ServerError, match=r"SRV-036.*TPM_CENTRAL_PRIVATE_KEY.*confidences"):
        rows(central)
    assert list(central.folder.iterdir()) == []


def test_a_wrong_passphrase_is_refused_before_anything_is_kept(central: Site) -> None:
    central.server.deploy([confidence_form(key=None)])
    public, version = manage(central)
    send(central, confidence(new_id(), version), public)
    unlock(central, passphrase="une autre phrase secrète")

    with pytest.raises(ServerError, match=r"SRV-037.*TPM_CENTRAL_KEY_PASSPHRASE") as error:
        rows(central)
    assert "secrète" not in str(error.value)
    assert list(central.folder.iterdir()) == []


def test_a_form_that_changed_its_key_opens_with_all_of_them(central: Site) -> None:
    central.server.deploy([confidence_form()])
    first, second = new_id(), new_id()
    send(central, confidence(first))
    central.server.deploy([confidence_form("2", key=OTHER)])
    send(central, confidence(second, "2"), OTHER.public)

    unlock(central, OTHER)
    found = rows(central)
    assert (is_sealed(found[first]), is_sealed(found[second])) == (True, False)

    unlock(central, OWN, OTHER)
    assert [told(row) for row in rows(central).values()] == [TOLD, TOLD]


def test_a_private_key_of_another_form_does_no_harm_where_central_manages_the_key(central: Site) -> None:
    central.server.deploy([confidence_form(key=None)])
    public, version = manage(central)
    first = new_id()
    send(central, confidence(first, version), public)

    unlock(central, OWN)
    assert is_sealed(rows(central)[first])

    unlock(central, OWN, passphrase=PASSPHRASE)
    assert told(rows(central)[first]) == TOLD


def test_the_passphrase_is_in_no_address(fake: Fake) -> None:
    fake.site.server.deploy([confidence_form(key=None)])
    public, version = manage(fake.site)
    send(fake.site, confidence(new_id(), version), public)
    unlock(fake.site, passphrase=PASSPHRASE)
    asked = []

    def listen(request: Request) -> Response | None:
        asked.append(str(request.url))
        return None

    fake.central.meddle = listen
    rows(fake.site)

    assert any("csv.zip" in url for url in asked)
    assert not any("phrase" in url for url in asked)
    assert PASSPHRASE not in repr(Keys((), PASSPHRASE))


def test_many_are_opened_together(fake: Fake) -> None:
    fake.site.server.deploy([confidence_form(key=None)])
    public, version = manage(fake.site)
    unlock(fake.site, passphrase=PASSPHRASE)
    for _ in range(45):
        send(fake.site, confidence(new_id(), version), public)
    fake.central.requests.clear()

    assert all(told(row) == TOLD for row in rows(fake.site).values())
    assert len([asked for asked in fake.central.requests if asked.endswith("csv.zip")]) == 2


def test_a_central_that_is_down_is_not_a_damaged_submission(fake: Fake) -> None:
    fake.site.server.deploy([confidence_form(key=None)])
    public, version = manage(fake.site)
    send(fake.site, confidence(new_id(), version), public)
    unlock(fake.site, passphrase=PASSPHRASE)
    down, asked = Response("<html>", 502), iter([False])
    # It lists its keys, then goes down.
    fake.central.meddle = lambda request: down if "/submissions" in request.url.path and next(asked, True) else None

    with pytest.raises(ServerUnavailableError, match="SRV-006"):
        rows(fake.site)


def test_the_key_file_may_hold_several_keys_and_be_protected(tmp_path: Path) -> None:
    key = serialization.load_pem_private_key(OTHER.private_pem, None)
    protected = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(b"phrase"),
    )
    file = tmp_path / "keys.pem"
    file.write_bytes(b"Souss-Massa\n" + OWN.private_pem + protected)

    keys = read_keys(file, "phrase")

    assert keys.public == {OWN.public, OTHER.public}
    assert not read_keys(None, "")
    with pytest.raises(ServerError, match=r"SRV-031.*TPM_CENTRAL_PRIVATE_KEY"):
        read_keys(file, "fausse")


@pytest.mark.parametrize("name", ["absent.pem", "."])
def test_a_key_file_that_cannot_be_read_is_named(tmp_path: Path, name: str) -> None:
    with pytest.raises(ServerError, match=r"SRV-035.*TPM_CENTRAL_PRIVATE_KEY"):
        read_keys(tmp_path / name, "")
