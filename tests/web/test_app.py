"""With a token, nothing but /health answers without it."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tpm_pipeline.servers.local_store import Store

TOKEN = "un jeton $!é"
PATH = "/key/un%20jeton%20$!%C3%A9"


@pytest.fixture
def guarded(serving: Callable[..., Any], store: Store) -> Iterator[Any]:
    with serving(store, token=TOKEN) as client:
        yield client


@pytest.mark.parametrize(
    "path", ["/formList", "/key/faux/formList", "/key/", "/key//formList", "/health/../formList", "/"]
)
def test_without_the_token_nothing_answers(guarded: Any, path: str) -> None:
    answer = guarded.get(guarded.base + path)
    assert (answer.status_code, answer.headers["X-OpenRosa-Version"]) == (401, "1.0")
    assert guarded.get(guarded.base + path, headers={"Authorization": "Bearer faux"}).status_code == 401


def test_health_needs_no_token(guarded: Any) -> None:
    assert guarded.get(f"{guarded.base}/health").text == "ok"


def test_the_token_in_the_path_stays_in_every_address_given(guarded: Any, xml: Callable[..., bytes]) -> None:
    guarded.base += PATH
    listed = guarded.get(f"{guarded.base}/formList").text
    assert guarded.submit(xml("a")).status_code == 201
    location = guarded.head(f"{guarded.base}/submission").headers["Location"]
    address = listed.partition("<downloadUrl>")[2].partition("<")[0]
    assert guarded.get(address).status_code == 200
    assert guarded.head(location).status_code == 204


def test_the_token_can_be_a_bearer(serving: Callable[..., Any], store: Store) -> None:
    with serving(store, token="simple") as client:
        assert client.get(f"{client.base}/formList", headers={"Authorization": "Bearer simple"}).status_code == 200
        assert client.get(f"{client.base}/key/simple/rien").status_code == 404


def test_without_a_token_set_the_prefix_means_nothing(client: Any) -> None:
    assert client.get(f"{client.base}/key/simple/formList").status_code == 404
    assert client.get(f"{client.base}/formList").status_code == 200
