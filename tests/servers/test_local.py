"""The pipeline reads the local server's folder: complete pages, none missed, nothing when nothing is new."""

import resource
from pathlib import Path

import orjson
import pytest

from tpm_pipeline.errors import ServerError
from tpm_pipeline.records import Access, CompiledForm, Door, FormVersion
from tpm_pipeline.servers.base import Server
from tpm_pipeline.servers.local import LocalServer
from tpm_pipeline.servers.local_store import Store
from tpm_pipeline.servers.local_submissions import accept

XFORM = (Path(__file__).parents[1] / "web" / "essai.xml").read_bytes()
FORM = CompiledForm("essai", "1", "Essai", XFORM, (), ("dossiers",))


@pytest.fixture
def server(tmp_path: Path) -> Server:
    local = LocalServer(tmp_path / "server")
    local.deploy([FORM])
    return local


@pytest.fixture
def store(server: Server, tmp_path: Path) -> Store:
    assert server.name == "local"
    return Store(tmp_path / "server")


def post(store: Store, *instances: str) -> None:
    for instance in instances:
        meta = f"<meta><instanceID>{instance}</instanceID></meta>"
        accept(store, f'<data id="essai" version="1"><statut>été</statut>{meta}</data>'.encode(), [])


def test_a_pull_gives_one_page_and_then_nothing(server: Server, store: Store, tmp_path: Path) -> None:
    post(store, "a", "b")
    (page,) = server.pull("essai", None, tmp_path)
    assert [row["meta"]["instanceID"] for row in orjson.loads(page.path.read_bytes())] == ["a", "b"]
    assert (page.rows, page.cursor) == (2, f"{store.id} 2")
    page.path.unlink()
    assert list(server.pull("essai", page.cursor, tmp_path)) == []
    assert [path.name for path in tmp_path.iterdir()] == ["server"]


def test_a_pull_starts_after_its_cursor(server: Server, store: Store, tmp_path: Path) -> None:
    post(store, "a", "b", "c")
    (page,) = server.pull("essai", f"{store.id} 2", tmp_path)
    assert [row["__system"]["seq"] for row in orjson.loads(page.path.read_bytes())] == [3]


def test_the_dialect_names_where_the_system_part_is(server: Server, store: Store, tmp_path: Path) -> None:
    post(store, "a")
    (page,) = server.pull("essai", None, tmp_path)
    (row,) = orjson.loads(page.path.read_bytes())
    dialect = server.dialect
    paths = (dialect.submission_id, dialect.instance_id, dialect.form_version, dialect.review_state)
    assert [row["__system"][path.removeprefix("$.__system.")] for path in paths] == ["a", "a", "1", "received"]
    assert dialect.review_states["edited"] == "edited"


def test_an_unknown_form_has_no_version_and_cannot_be_pulled(server: Server, tmp_path: Path) -> None:
    assert server.versions("inconnu") == []
    with pytest.raises(ServerError, match="SRV-104"):
        list(server.pull("inconnu", None, tmp_path))


@pytest.mark.parametrize("cursor", ["", "1", "hier", "{id}", "{id} ", "{id} -1", "{id} hier", "{id} 1 1", "{id} 9"])
def test_what_is_no_cursor_of_this_store_is_refused(server: Server, store: Store, tmp_path: Path, cursor: str) -> None:
    post(store, "a")
    with pytest.raises(ServerError, match="SRV-116"):
        list(server.pull("essai", cursor.replace("{id}", store.id), tmp_path))


def test_the_cursor_of_a_store_that_was_replaced_is_refused_rather_than_losing_rows(
    server: Server, store: Store, tmp_path: Path
) -> None:
    post(store, "a", "b")
    (page,) = server.pull("essai", None, tmp_path)
    larger = LocalServer(tmp_path / "larger")
    larger.deploy([FORM])
    post(Store(tmp_path / "larger"), "c", "d", "e")

    with pytest.raises(ServerError, match="SRV-116"):
        list(larger.pull("essai", page.cursor, tmp_path))


def test_a_full_disk_is_coded_leaves_no_page_and_loses_nothing(server: Server, store: Store, tmp_path: Path) -> None:
    post(store, *map(str, range(50)))
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    pages = tmp_path / "pages"

    resource.setrlimit(resource.RLIMIT_FSIZE, (20, before[1]))
    try:
        with pytest.raises(ServerError, match="SRV-121") as error:
            list(server.pull("essai", None, pages))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)

    assert not error.value.retryable
    assert list(pages.iterdir()) == []
    (page,) = server.pull("essai", None, pages)
    assert page.rows == 50


def test_plan_then_deploy_then_nothing(tmp_path: Path) -> None:
    server = LocalServer(tmp_path)
    planned = server.plan([FORM])
    assert [change.action for change in planned] == ["create"]
    assert server.versions("essai") == []
    assert server.deploy([FORM]) == planned
    assert [change.action for change in server.deploy([FORM])] == ["none"]
    assert server.versions("essai") == [FormVersion("essai", "1", XFORM)]


@pytest.mark.parametrize(
    ("token", "url"), [("", "http://192.168.1.20:8010"), ("a/b", "http://192.168.1.20:8010/key/a%2Fb")]
)
def test_every_phone_has_the_one_address_of_the_office_and_no_desk_has_one(
    tmp_path: Path, token: str, url: str
) -> None:
    access = Access({"TIZ01": ("téléphone 1", "tablette")}, desk_links={"essai": ("TIZ01",)})
    server = LocalServer(tmp_path, "http://192.168.1.20:8010", token)

    assert server.phones(access) == [Door("TIZ01", "téléphone 1", url), Door("TIZ01", "tablette", url)]
    assert server.desks(access) == []


@pytest.mark.parametrize("host", ["127.0.0.1", "0.0.0.0", "localhost", "[::1]"])
def test_an_address_no_phone_can_reach_is_not_given(tmp_path: Path, host: str) -> None:
    with pytest.raises(ServerError, match=r"SRV-123 .*Phones cannot reach .*Make TPM_SERVE_HOST"):
        LocalServer(tmp_path, f"http://{host}:8010").phones(Access())
