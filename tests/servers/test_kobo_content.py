"""What a real KoboToolbox makes of a workbook, beside what `kobo_content` says it makes."""

import os
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import pytest
import requests

from tests.servers.kobo_content import content_of, sheets_from_xlsx
from tpm_pipeline.forms import catalog, content, schema
from tpm_pipeline.forms.compile import Tables, compile_form
from tpm_pipeline.forms.workbook import as_xlsx
from tpm_pipeline.records import FormSchema, Table

ODD: Tables = {
    "survey": (
        {"type": "begin group", "name": "g", "label::Français (fr)": "G", "relevant": "true()"},
        {"type": "select one l", "name": "a", "label::Français (fr)": "=1+1", "label::English (en)": "A\nb"},
        {"type": "select_multiple l or_other", "name": "b", "label::English (en)": "“B”", "required": "TRUE"},
        {"type": "end group", "name": "g"},
        {"label::Français (fr)": "rien"},
        {"type": "dateTime", "name": "d", "label::Français (fr)": "D", "required": "${a} = 'x'", "readonly": "no"},
        {"type": "note", "name": "n", "label::Français (fr)": "N", "media::image::English (en)": "n.png"},
        {"type": "rank l", "name": "r", "label::Français (fr)": "R", "hint::Français (fr)": "L’ordre"},
        {"type": "audit", "name": "audit", "parameters": "track-changes=true", "bind::tpm:privacy": "quasi"},
        {"type": "string", "name": "t", "label::Français (fr)": "T", "required": "no", "bind::odk:length": "3"},
        {"type": "calculate", "name": "c", "calculation": "1.50", "default": "007"},
        {"type": "start", "name": "start"},
    ),
    "choices": (
        {"list_name": "l", "name": "x", "label::Français (fr)": "X", "groupe": "1"},
        {"list_name": "l", "name": "y", "label::English (en)": "Y"},
        {"name": "z"},
    ),
    "settings": (
        {
            "form_id": "bizarre",
            "form_title": "Une forme",
            "version": "1",
            "default_language": "English (en)",
            "style": "pages",
            "namespaces": 'tpm="https://migdev.org/tpm"',
        },
    ),
}


@dataclass(frozen=True)
class Kobo:
    """As little of a KoboToolbox as these tests need."""

    url: str
    session: requests.Session

    def get(self, place: str) -> Any:
        answer = self.session.get(f"{self.url}/api/v2/{place}/", timeout=60)
        answer.raise_for_status()
        return answer.json()

    def imported(self, book: bytes, **more: str) -> str:
        fields = {"library": "false", **more}
        task = self.session.post(f"{self.url}/api/v2/imports/", data=fields, files={"file": ("f.xlsx", book)}).json()
        while task["status"] not in ("complete", "error"):
            time.sleep(0.2)
            task = self.get(f"imports/{task['uid']}")
        (asset,) = task["messages"].get("created") or task["messages"]["updated"]
        return str(asset["uid"])

    def deployed(self, uid: str) -> Any:
        asset = self.get(f"assets/{uid}")
        send = self.session.patch if asset["has_deployment"] else self.session.post
        body = {"active": True, "version_id": asset["version_id"]}
        answer = send(f"{self.url}/api/v2/assets/{uid}/deployment/", json=body, timeout=60)
        answer.raise_for_status()
        return self.get(f"assets/{uid}/versions/{answer.json()['version_id']}")["content"]

    def xform(self, uid: str) -> bytes:
        listed = self.session.get(f"{self.url}/formList", headers={"Accept": "*/*"}, timeout=60).text
        (form,) = [form for form in re.findall(r"<xform>.*?</xform>", listed, re.DOTALL) if f">{uid}<" in form]
        place = re.search(r"<downloadUrl>(.*?)</downloadUrl>", form)
        assert place
        return self.session.get(place[1], headers={"Accept": "*/*"}, timeout=60).content


@pytest.fixture
def kobo() -> Iterator[Kobo]:
    url, token = (os.environ.get(f"TPM_TEST_KOBO_{name}", "") for name in ("URL", "TOKEN"))
    if not (url and token):
        pytest.skip("waits for a real KoboToolbox: TPM_TEST_KOBO_URL and TPM_TEST_KOBO_TOKEN")
    with requests.Session() as session:
        session.headers.update({"Authorization": f"Token {token}", "Accept": "application/json"})
        made: list[str] = []
        session.hooks["response"].append(lambda answer, **_: made.extend(_made(answer)))
        yield Kobo(url, session)
        for uid in dict.fromkeys(made):
            session.delete(f"{url}/api/v2/assets/{uid}/", timeout=60)


def _made(answer: requests.Response) -> list[str]:
    task = answer.json() if "/imports/" in answer.url else {}
    return [asset["uid"] for asset in task.get("messages", {}).get("created", ())]


def unmarked(value: Any) -> Any:
    """A content without the keys the server draws by lot."""
    if isinstance(value, dict):
        return {key: unmarked(inner) for key, inner in value.items() if key != "$kuid"}
    return [unmarked(inner) for inner in value] if isinstance(value, list) else value


def straight(xform: bytes) -> bytes:
    return xform.decode().replace("’", "'").encode()


def asked(form: FormSchema) -> FormSchema:
    """A schema without the name, the title and the questions a KoboToolbox gives of its own."""
    own = {("__version__",), ("formhub", "uuid")}
    root = Table((), tuple(question for question in form.root.questions if question.path not in own), form.root.repeats)
    return replace(form, form_id="", version="", title="", root=root)


@pytest.mark.parametrize("form_id", catalog.form_ids())
def test_a_form_travels_and_comes_back(form_id: str, kobo: Kobo) -> None:
    form, _ = compile_form(catalog.path_of(form_id), "kobo", validate=False)
    book = as_xlsx(content.sealed(form.sheets))

    uid = kobo.imported(book)
    draft, held = kobo.get(f"assets/{uid}"), kobo.deployed(uid)

    assert unmarked(held) == unmarked(draft["content"]) == unmarked(content_of(sheets_from_xlsx(book)))
    assert draft["name"] == form.title
    assert content.is_ours(held)
    assert content.canonical(content.sheets_of(held)) == content.canonical(form.sheets)
    assert schema.read(content.xform_of(held, form_title=form.title)) == schema.read(form.xform)
    assert asked(schema.read(kobo.xform(uid))) == asked(schema.read(straight(form.xform)))

    kobo.imported(book, destination=f"{kobo.url}/api/v2/assets/{uid}/")
    again = kobo.deployed(uid)

    assert again != held
    assert content.seal_of(again) == content.seal_of(kobo.deployed(uid)) == content.seal_of(held)


def test_what_our_forms_do_not_have_yet_travels_too(kobo: Kobo) -> None:
    book = as_xlsx(content.sealed(ODD))

    uid = kobo.imported(book)
    held = kobo.deployed(uid)

    assert unmarked(held) == unmarked(content_of(sheets_from_xlsx(book)))
    assert content.is_ours(held)
    assert content.canonical(content.sheets_of(held)) == content.canonical(ODD)
    real, ours = schema.read(kobo.xform(uid)), schema.read(straight(content.xform_of(held)))
    assert (asked(ours).root, ours.lists) == (asked(real).root, real.lists)


def test_a_hand_is_told_and_what_follows_from_it_read(kobo: Kobo) -> None:
    uid = kobo.imported(as_xlsx(content.sealed(ODD)))
    held = kobo.deployed(uid)
    hand = {**held, "survey": [*held["survey"], {"type": "text", "label": ["Ajoutée", None]}]}

    kobo.session.patch(f"{kobo.url}/api/v2/assets/{uid}/", json={"content": hand}, timeout=60).raise_for_status()
    changed = kobo.deployed(uid)

    assert content.seal_of(changed) != content.seal_of(held)
    assert not content.is_ours(changed)
    real, ours = schema.read(kobo.xform(uid)), schema.read(straight(content.xform_of(changed)))
    assert asked(ours).root == asked(real).root
