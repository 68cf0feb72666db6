"""What a phone meets: the list of forms, their files, and a door that answers 201 only when the work is safe."""

import hashlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest
from lxml import etree

from tpm_pipeline.records import CompiledForm, MediaFile
from tpm_pipeline.servers import local_forms
from tpm_pipeline.servers.local_store import Store

Xml = Callable[..., bytes]
Stored = Callable[[Store], dict[str, str]]


def texts(content: bytes, item: str) -> list[dict[str, str]]:
    found = etree.fromstring(content).iterfind(f"{{*}}{item}")
    return [{etree.QName(child).localname: child.text or "" for child in node} for node in found]


def md5(content: bytes) -> str:
    return "md5:" + hashlib.md5(content, usedforsecurity=False).hexdigest()


def test_the_form_list_leads_to_the_form_and_its_files(client: Any, form: CompiledForm) -> None:
    answer = client.get(f"{client.base}/formList")
    assert answer.headers["X-OpenRosa-Version"] == "1.0"
    assert answer.headers["Content-Type"] == "text/xml; charset=utf-8"
    assert etree.fromstring(answer.content).tag == "{http://openrosa.org/xforms/xformsList}xforms"
    (listed,) = texts(answer.content, "xform")
    assert listed == {
        "formID": "essai",
        "name": "Essai & suite",
        "version": "1",
        "hash": md5(form.xform),
        "downloadUrl": f"{client.base}/forms/essai/1.xml",
        "manifestUrl": f"{client.base}/forms/essai/manifest",
    }
    assert client.get(listed["downloadUrl"]).content == form.xform
    manifest = client.get(listed["manifestUrl"])
    (file,) = texts(manifest.content, "mediaFile")
    assert etree.fromstring(manifest.content)[0].get("type") == "entityList"
    content = client.get(file["downloadUrl"]).content
    assert (file["filename"], file["hash"]) == ("dossiers.csv", md5(content))
    assert content == b"name,label,__version,nom,statut\n"


def test_forms_can_be_deployed_while_the_server_runs(client: Any, store: Store, form: CompiledForm) -> None:
    newer = replace(form, version="2 é", title="Essai 2", media=(MediaFile("voix 1.mp3", b"son"),))
    local_forms.deploy(store, [newer])
    (listed,) = texts(client.get(f"{client.base}/formList").content, "xform")
    assert listed["version"] == "2 é"
    assert client.get(listed["downloadUrl"]).content == form.xform
    files = texts(client.get(listed["manifestUrl"]).content, "mediaFile")
    assert [file["filename"] for file in files] == ["dossiers.csv", "voix 1.mp3"]
    assert client.get(files[1]["downloadUrl"]).content == b"son"


def test_a_case_sent_by_one_phone_is_in_the_file_of_the_next(client: Any, xml: Xml) -> None:
    entity = '<entity dataset="dossiers" id="e1" create="1"><label>Cas</label></entity>'
    assert client.submit(xml("a", extra=entity)).status_code == 201
    content = client.get(f"{client.base}/forms/essai/media/dossiers.csv").text
    assert content == "name,label,__version,nom,statut\ne1,Cas,1,Ali,\n"


def test_a_phone_asks_first_how_much_it_may_send(client: Any) -> None:
    answer = client.head(f"{client.base}/submission")
    assert (answer.status_code, answer.content) == (204, b"")
    assert answer.headers["X-OpenRosa-Accept-Content-Length"] == "104857600"
    assert answer.headers["Location"] == f"{client.base}/submission"


def test_a_submission_is_answered_in_openrosa(client: Any, store: Store, xml: Xml, stored: Stored) -> None:
    answer = client.submit(xml("a"), a__jpg=b"1" * 3_000_000)
    assert (answer.status_code, answer.headers["X-OpenRosa-Version"]) == (201, "1.0")
    assert etree.fromstring(answer.content).tag == "{http://openrosa.org/http/response}OpenRosaResponse"
    assert list(stored(store)) == ["a"]
    (file,) = (store.folder / "attachments").iterdir()
    assert file.stat().st_size == 3_000_000


def test_the_folder_a_client_gives_an_attachment_is_forgotten(client: Any, store: Store, xml: Xml) -> None:
    client.submit(xml("a"), **{"../../etc/a__jpg": b"1", "C:\\photos\\b__jpg": b"2"})
    with store.reading() as db:
        assert [row[0] for row in db.execute("select name from attachment order by name")] == ["a.jpg", "b.jpg"]


def test_two_attachments_whose_names_end_alike_are_not_taken_for_one(client: Any, store: Store, xml: Xml) -> None:
    answer = client.submit(xml("a"), m__m4a=b"1", **{"x/m__m4a": b"2"})
    assert (answer.status_code, "SRV-109" in answer.text) == (409, True)
    assert list((store.folder / "attachments").iterdir()) == []
    assert client.submit(xml("a"), m__m4a=b"1", **{"x/m__m4a": b"1"}).status_code == 201


REFUSALS = [
    (b"pas du XML", 400, "SRV-101"),
    (b"<!DOCTYPE d [<!ENTITY a 'aa'><!ENTITY b '&a;&a;'>]><data id='essai'>&b;</data>", 400, "SRV-118"),
    (b"<data/>", 400, "SRV-102"),
    (b'<data id="essai" version="1"/>', 400, "SRV-103"),
    (b'<data id="inconnu"><meta><instanceID>i</instanceID></meta></data>', 404, "SRV-104"),
    (b'<data id="essai" version="9"><meta><instanceID>i</instanceID></meta></data>', 404, "SRV-105"),
]


@pytest.mark.parametrize(("content", "status", "code"), REFUSALS, ids=[f"{case[2]}-{case[1]}" for case in REFUSALS])
def test_bad_input_is_refused_with_its_code(client: Any, content: bytes, status: int, code: str) -> None:
    answer = client.submit(content)
    assert answer.status_code == status
    (message,) = etree.fromstring(answer.content)
    assert (message.get("nature"), (message.text or "")[:7]) == ("error", code)


def test_conflicts_are_409_and_lose_nothing(client: Any, store: Store, xml: Xml, stored: Stored) -> None:
    client.submit(xml("a"), a__jpg=b"1")
    client.submit(xml("b", extra="<deprecatedID>a</deprecatedID>"))
    before = stored(store)
    assert client.submit(xml("a", "Bo")).status_code == 409
    assert client.submit(xml("a"), a__jpg=b"2").status_code == 409
    assert client.submit(xml("c", extra="<deprecatedID>a</deprecatedID>")).status_code == 409
    assert client.submit(xml("c", extra="<deprecatedID>z</deprecatedID>")).status_code == 404
    assert stored(store) == before


def test_a_post_that_is_no_openrosa_request_is_refused(client: Any, xml: Xml) -> None:
    address = f"{client.base}/submission"
    assert "SRV-114" in client.post(address, data=xml("a")).text
    assert "SRV-114" in client.post(address, files={"autre": ("s.xml", xml("a"))}).text
    broken = client.post(address, data=b"--b\r\nrien", headers={"Content-Type": "multipart/form-data; boundary=b"})
    assert broken.status_code == 400
    del client.headers["X-OpenRosa-Version"]
    assert "SRV-113" in client.submit(xml("a")).text


def test_too_large_a_request_is_refused_announced_or_not(
    serving: Callable[..., Any], store: Store, xml: Xml, stored: Stored
) -> None:
    with serving(store, limit=100_000) as client:
        answer = client.submit(xml("a"), a__jpg=b"1" * 100_000)
        assert (answer.status_code, "SRV-112" in answer.text) == (413, True)
        head = b'--b\r\nContent-Disposition: form-data; name="xml_submission_file"; filename="s"\r\n\r\n' + xml("a")
        streamed = iter([head, *[b" " * 10_000] * 10, b"\r\n--b--\r\n"])
        kind = {"Content-Type": "multipart/form-data; boundary=b"}
        assert client.post(f"{client.base}/submission", data=streamed, headers=kind).status_code == 413
        assert client.submit(xml("a"), a__jpg=b"1" * 90_000).status_code == 201
    assert list(stored(store)) == ["a"]


@pytest.mark.parametrize("path", ["/forms/inconnu/manifest", "/forms/essai/9.xml", "/forms/essai/media/x.csv", "/rien"])
def test_what_is_not_there_is_404(client: Any, path: str) -> None:
    assert client.get(client.base + path).status_code == 404


def test_a_missing_file_is_named(client: Any) -> None:
    assert "SRV-115" in client.get(f"{client.base}/forms/essai/media/x.csv").text


def test_identical_posts_at_the_same_time_make_one_row(client: Any, store: Store, xml: Xml, stored: Stored) -> None:
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda n: client.submit(xml(f"i{n % 4}"), a__jpg=b"1"), range(40)))
    assert {answer.status_code for answer in answers} == {201}
    assert sorted(stored(store)) == ["i0", "i1", "i2", "i3"]


def test_a_submission_is_read_as_it_was_last_corrected(client: Any, xml: Xml) -> None:
    client.submit(xml("a"))

    answer = client.get(f"{client.base}/submissions/essai/a")

    assert (answer.status_code, answer.content) == (200, xml("a"))
    assert answer.headers["Cache-Control"] == "no-store"
    assert "SRV-122" in client.get(f"{client.base}/submissions/essai/b").text
