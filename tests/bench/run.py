"""`make bench`: each figure beside its reference, measured in the same run.

The pull needs a real ODK Central (TPM_TEST_CENTRAL_URL, _EMAIL, _PASSWORD); its 20,000 visits are sent once
to a project of their own and kept there for the next run.
"""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

import orjson

from tpm_pipeline import jobs
from tpm_pipeline.demo.instances import generate
from tpm_pipeline.forms import schema
from tpm_pipeline.records import FormVersion, Page
from tpm_pipeline.servers.central import CentralServer
from tpm_pipeline.servers.local import LocalServer
from tpm_pipeline.servers.openrosa import OpenRosaClient
from tpm_pipeline.settings import Settings
from tpm_pipeline.warehouse import db, privacy, raw, staging

TPM = [sys.executable, "-m", "tpm_pipeline.cli"]
FORM = "tpm_visite"
ROUNDS = 5


def main() -> None:
    """Print every figure."""
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        _help()
        _demo(place / "demo")
        _staging(place)
        if os.environ.get("TPM_TEST_CENTRAL_URL"):
            _pull(place)
        else:
            _say("pull from Central", "waits for TPM_TEST_CENTRAL_URL, _EMAIL and _PASSWORD")


def _say(name: str, figure: str) -> None:
    sys.stdout.write(f"{name:34} {figure}\n")
    sys.stdout.flush()


def _ratio(name: str, ours: float, theirs: float, reference: str, most: str) -> None:
    _say(name, f"{ours:7.2f} s   {ours / theirs:5.2f} × {reference} ({theirs:.2f} s)   wanted: {most}")


@contextmanager
def _timed(into: list[float]) -> Iterator[None]:
    start = time.perf_counter()
    yield
    into.append(time.perf_counter() - start)


def _best(run: Callable[[], object]) -> float:
    taken: list[float] = []
    for _ in range(ROUNDS):
        with _timed(taken):
            run()
    return min(taken)


def _help() -> None:
    ours = _best(lambda: subprocess.run([*TPM, "--help"], check=True, capture_output=True))
    bare = _best(lambda: subprocess.run([sys.executable, "-c", "import typer"], check=True))
    _ratio("tpm --help", ours, bare, "python -c 'import typer'", "≤ 0.3 s")


def _demo(data: Path) -> None:
    env = {**os.environ, "TPM_DATA": str(data), "TPM_SERVER": "local", "PREFECT_HOME": str(data / "prefect")}
    steps = {
        "demo: make up and send": [*TPM, "demo"],
        "demo: Prefect flow": [sys.executable, "-m", "flows.refresh"],
        "demo: Prefect flow, nothing new": [sys.executable, "-m", "flows.refresh"],
        "tpm refresh, nothing new": [*TPM, "refresh"],
    }
    taken: list[float] = []
    for name, command in steps.items():
        with _timed(taken):
            subprocess.run(command, env=env, check=True, capture_output=True)
        _say(name, f"{taken[-1]:7.2f} s")
    _say("demo: the two first together", f"{sum(taken[:2]):7.2f} s   wanted: ≤ 60 s")


def _staging(place: Path) -> None:
    settings = Settings(data=place / "staging", memory_limit="4GB")
    page, count = _copies(place, settings, wanted=100_000)
    form = jobs.compile_forms("local", validate=False)[0]
    xform = next(item.xform for item in form if item.form_id == FORM)
    with db.warehouse(settings) as connection:
        raw.create(connection)
        raw.store_versions(connection, "local", [FormVersion(FORM, "1", xform)])
        taken: list[float] = []
        with _timed(taken):
            raw.store_page(connection, "local", FORM, LocalServer.dialect, page)
        _say("page → raw", f"{taken[-1]:7.2f} s   {count / taken[-1]:,.0f} submissions/s")
        staging.create(connection)
        whole = staging.merge([schema.read(xform)])
        ours = _best(lambda: staging.build(connection, whole, privacy.pads(settings)))
        rows = sum(
            db.scalar(connection, f"select count(*) from staging.{table.name}") for table in staging.tables(whole)
        )
        structure = staging._structure(staging.tables(whole)[0])
        typed = (
            f"create or replace temp table once as select from_json(payload, '{structure}') as x from raw.submission"
        )
        theirs = _best(lambda: connection.execute(typed))
    _ratio("raw → staging, with repeats", ours, theirs, "DuckDB reading the JSON once", "next line")
    _say("", f"{count / ours:,.0f} submissions/s, {rows / ours:,.0f} rows/s   wanted: ≥ 50,000 rows/s")


def _copies(place: Path, settings: Settings, wanted: int) -> tuple[Page, int]:
    """The demo's visits, copied under new identifiers until there are as many as wanted."""
    own = jobs.demo_settings(settings)
    jobs.demo(own, seed=1, visits=1000)
    (page,) = LocalServer(own.local_store).pull(FORM, None, place)
    rows = orjson.loads(page.path.read_bytes())
    with page.path.open("wb") as file:
        for number in range(wanted):
            row = rows[number % len(rows)]
            row["__system"] |= {"submissionId": f"uuid:{number}", "instanceId": f"uuid:{number}"}
            file.write((b"," if number else b"[") + orjson.dumps(row))
        file.write(b"]")
    return Page(page.path, wanted, "1"), wanted


def _pull(place: Path) -> None:
    server = _loaded_server(20_000)
    pages = place / "pages"
    pages.mkdir()

    def ours() -> int:
        seen = 0
        for page in server.pull(FORM, None, pages):
            seen += page.rows
            page.path.unlink()
        return seen

    seen = ours()
    api, project = server._api, server._find_project()
    token = api._token or ""
    url = f"{api._http.url}/v1/projects/{project}/forms/{FORM}.svc/Submissions?%24expand={quote('*')}&%24count=true"
    config = (
        f'header = "Authorization: Bearer {token}"\nurl = "{url}"\ncompressed\nsilent\noutput = "{place}/curl.json"\n'
    )
    pairs = [
        (_once(ours), _once(lambda: subprocess.run(["curl", "-K", "-"], input=config.encode(), check=True)))
        for _ in range(ROUNDS)
    ]
    best, reference = (min(times) for times in zip(*pairs, strict=True))
    _ratio(f"pull of {seen:,} from Central", best, reference, "curl, same stream", "≤ 1.3 ×")


def _once(run: Callable[[], object]) -> float:
    taken: list[float] = []
    with _timed(taken):
        run()
    return taken[0]


def _loaded_server(wanted: int) -> CentralServer:
    url, email, password = (os.environ[f"TPM_TEST_CENTRAL_{name}"] for name in ("URL", "EMAIL", "PASSWORD"))
    server = CentralServer(url, email, password, "bench tpm", 300)
    server.deploy(jobs.compile_forms("central", validate=False)[0])
    versions = {form_id: server.versions(form_id)[-1] for form_id in jobs.form_ids()}
    phone = server.app_user("bench").url

    def send(part: list[bytes]) -> None:
        client = OpenRosaClient(phone, 300)
        for xml in part:
            client.submit(xml)

    with tempfile.TemporaryDirectory() as folder:
        held = sum(page.rows for page in server.pull(FORM, None, Path(folder)))
    if held < wanted:
        _say("", f"sending {wanted:,} visits to Central once, a few minutes")
        visits = [item.xml for item in generate(7, wanted, versions) if item.form_id == FORM]
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(send, [visits[start::4] for start in range(4)]))
    return server


if __name__ == "__main__":
    main()
