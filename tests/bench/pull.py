"""Pulling from a real ODK Central (TPM_TEST_CENTRAL_URL, _EMAIL, _PASSWORD), beside curl, pyODK and dlt.

Its visits are sent once to a project of their own and kept there for the next run. TPM_BENCH_PULLED says how many
there are, 20,000 when it is not set; the memory of a larger project can be compared.
"""

import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from tests.bench.clock import ROUNDS, best, ratio, say, timed
from tests.bench.login import FORM, server_of
from tests.bench.pulling import opened
from tpm_pipeline import jobs
from tpm_pipeline.demo.instances import generate
from tpm_pipeline.errors import ServerError
from tpm_pipeline.servers import central_rows
from tpm_pipeline.servers.central import CentralServer
from tpm_pipeline.servers.openrosa import OpenRosaClient


@dataclass(frozen=True)
class Curl:
    """The least a client can do: the same addresses, the same session, into the same folder."""

    server: CentralServer
    place: Path

    def fetch(self, asked: Sequence[tuple[str, str]], etags: Sequence[str | None] = ()) -> None:
        """Get forms' rows, each with a filter, over one connection."""
        token = self.server._api._token or ""
        parts = []
        for n, (form_id, wanted) in enumerate(asked):
            etag = f'\nheader = "If-None-Match: {quoted(etags[n] or "")}"' if etags else ""
            query = f"%24expand=%2A&%24count=true&%24filter={quote(wanted)}"
            base = f"{self.server._api.url}/v1/projects/{self.server._known_project()}/forms/{form_id}.svc/Submissions"
            parts.append(
                f'header = "Authorization: Bearer {token}"{etag}\nurl = "{base}?{query}"\ncompressed\nsilent\n'
                f'output = "{self.place}/curl-{n}.json"\n'
            )
        config = "next\n".join(parts)
        subprocess.run(["curl", "-K", "-"], input=config.encode(), check=True)


def quoted(text: str) -> str:
    """Escape a text of curl's configuration."""
    return text.replace("\\", "\\\\").replace('"', '\\"')


def run(place: Path) -> None:
    """Print every figure."""
    wanted = int(os.environ.get("TPM_BENCH_PULLED", "20000"))
    server = loaded_server(wanted)
    server.current()
    curl = Curl(server, place)
    _first(wanted, curl)
    _nothing_new(server, curl, place)
    _one_in_a_hundred(server, curl, place, wanted)


def loaded_server(wanted: int) -> CentralServer:
    """The project with so many visits, filled when it is not."""
    server = server_of(wanted)
    server.deploy(jobs.compile_forms("central", validate=False)[0])
    with tempfile.TemporaryDirectory() as folder:
        held = _held(server, Path(folder))
    if held < wanted:
        say("", f"sending {wanted:,} visits to Central once, some minutes")
        versions = {form_id: server.versions(form_id)[-1] for form_id in jobs.form_ids()}
        visits = [item.xml for item in generate(7, wanted, versions) if item.form_id == FORM]
        _send(server, visits)
    return server


def _held(server: CentralServer, folder: Path) -> int:
    try:
        sweep = server.sweep(FORM, None, folder)
    except ServerError:
        return 0
    return sum(path.read_bytes().count(b'"currentVersion"') for path in (sweep.paths if sweep else ()))


def _send(server: CentralServer, visits: list[bytes]) -> None:
    phone = server.app_user("bench").url

    def send(part: list[bytes]) -> None:
        client = OpenRosaClient(phone, 300)
        for xml in part:
            client.submit(xml)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(send, [visits[start::4] for start in range(4)]))


def _first(wanted: int, curl: Curl) -> None:
    """A first pull into typed tables, each in a process of its own that tells its time and memory."""
    everything = [(FORM, central_rows._changed(central_rows._EPOCH))]
    ours, theirs, peaks = [], [], []
    for _ in range(ROUNDS):
        seconds, peak = alone("ours", wanted)
        ours.append(seconds)
        peaks.append(peak)
        theirs.append(timed(lambda: curl.fetch(everything)))
    ratio(f"first pull of {wanted:,}, typed", min(ours), min(theirs), "curl, same stream", "≤ 1.10 ×")
    say("  most memory", f"{max(peaks):7.0f} MB   wanted: ≤ 200 MB, the same for 100,000")
    for client in ("pyodk", "dlt"):
        try:
            seconds, peak = alone(client, wanted)
        except subprocess.CalledProcessError as error:
            say(f"  {client} + DuckDB", f"failed: {error.stderr.decode(errors='replace').strip().splitlines()[-1]}")
        else:
            say(f"  {client} + DuckDB", f"{seconds:7.2f} s   {peak:.0f} MB")


def alone(client: str, wanted: int) -> tuple[float, float]:
    """Seconds and megabytes of one client in a process of its own."""
    command = [sys.executable, "-m", f"tests.bench.pull_{client}", str(wanted)]
    told = subprocess.run(command, check=True, capture_output=True).stdout.decode().split()[-2:]
    return float(told[0]), float(told[1])


def _nothing_new(server: CentralServer, curl: Curl, place: Path) -> None:
    """Twelve forms in which nothing changed, beside the twelve conditional requests."""
    with opened(server, place / "idle") as pull:
        pull.rows()
        pull.rows()
        pull.everything()
        cursors = {form_id: pull.cursor(form_id) for form_id in jobs.form_ids()}
        asked = [(form_id, central_rows._changed(cursor.since)) for form_id, cursor in cursors.items()]
        etags = [cursor.etag for cursor in cursors.values()]
        pairs = [(timed(pull.everything), timed(lambda: curl.fetch(asked, etags))) for _ in range(ROUNDS)]
    ours, theirs = (min(times) for times in zip(*pairs, strict=True))
    ratio("nothing new, twelve forms", ours, theirs, "twelve conditional GETs", "≤ 1.3 ×")


def _one_in_a_hundred(server: CentralServer, curl: Curl, place: Path, wanted: int) -> None:
    """One row in a hundred reviewed, beside the filtered request alone."""
    with opened(server, place / "changed", [FORM]) as pull:
        pull.rows()
        ratios: list[tuple[float, float]] = []
        _review(server, pull.some(1), "hasIssues")  # the window leaves the day of the sending behind
        pull.rows()
        for state in ("hasIssues", "approved", "rejected"):
            cursor = pull.cursor(FORM)
            _review(server, pull.some(wanted // 100), state)
            asked = [(FORM, central_rows._changed(cursor.since))]
            ratios.append((timed(pull.rows), best(lambda asked=asked: curl.fetch(asked), 3)))  # type: ignore[misc]
    ours, theirs = min(ratios, key=lambda pair: pair[0] / pair[1])
    ratio(f"{wanted // 100} of {wanted:,} changed", ours, theirs, "the filtered request", "≤ 1.5 ×")


def _review(server: CentralServer, ids: Sequence[str], state: str) -> None:
    for submission_id in ids:
        here = f"/projects/{server._known_project()}/forms/{FORM}/submissions/{quote(submission_id, safe='')}"
        server._api.patch(here, {"reviewState": state})
