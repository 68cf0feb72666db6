"""Pulling from a real KoboToolbox (TPM_TEST_KOBO_URL, _TOKEN), beside curl and beside fetching all to compare hashes.

Its 10,000 visits are sent once to a project of their own and kept there for the next run.
"""

import hashlib
import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from urllib.parse import quote

import orjson
import pytest

from tests.bench.clock import ROUNDS, ratio, say, timed
from tests.bench.login import FORM
from tests.bench.pulling import Pull, opened
from tests.servers.kobo_phone import KoboPhone
from tpm_pipeline import jobs
from tpm_pipeline.demo.instances import generate
from tpm_pipeline.records import FormVersion
from tpm_pipeline.servers import kobo_rows
from tpm_pipeline.servers.http import Http, Stream
from tpm_pipeline.servers.kobo import KoboServer
from tpm_pipeline.servers.kobo_api import address
from tpm_pipeline.servers.kobo_assets import Asset, of

WANTED = 10_000
PROJECT = f"bench tpm {WANTED}"


@dataclass
class Meter:
    """What went over the line: requests, and bytes of their answers."""

    requests: int = 0
    bytes: int = 0
    asked: list[str] = field(default_factory=list)


def run(place: Path) -> None:
    """Print every figure."""
    server = loaded_server()
    (asset,) = of(server._list(), FORM)
    _first(server, asset, place)
    with opened(server, place / "kobo") as pull:
        pull.everything()
        pull.everything()
        _nothing_new(server, pull)
        _few_changed(server, asset, pull)


def loaded_server() -> KoboServer:
    """The project with so many visits, filled when it is not."""
    url, token = os.environ["TPM_TEST_KOBO_URL"], os.environ["TPM_TEST_KOBO_TOKEN"]
    server = KoboServer(url, token, PROJECT, 300)
    forms, _ = jobs.compile_forms("kobo", validate=False)
    server.deploy(forms)
    held = sum(asset.facts[0] for asset in of(server._list(), FORM))
    if held < 0.99 * WANTED:  # an interrupted run may have left one deleted
        say("", f"sending {WANTED:,} visits to KoboToolbox once, some minutes")
        versions = {form.form_id: FormVersion(form.form_id, form.version, form.xform) for form in forms}
        phone = KoboPhone(url, token, PROJECT, 300)
        for visit in [item for item in generate(7, WANTED, versions) if item.form_id == FORM]:
            phone.submit(visit.xml)
    return server


@contextmanager
def metered() -> Iterator[Meter]:
    """Count what is asked and answered meanwhile."""
    meter, real = Meter(), Http.stream

    @contextmanager
    def stream(http: Http, method: str, path: str, **sent: Any) -> Iterator[Stream]:
        with real(http, method, path, **sent) as answer:
            meter.requests += 1
            meter.asked.append(path)
            yield replace(answer, chunks=_weighed(meter, answer.chunks))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Http, "stream", stream)
        yield meter


def _weighed(meter: Meter, chunks: Iterator[bytes]) -> Iterator[bytes]:
    for chunk in chunks:
        meter.bytes += len(chunk)
        yield chunk


def _first(server: KoboServer, asset: Asset, place: Path) -> None:
    """A first pull into raw, beside curl for the same pages."""
    pages = _pages(server, asset, place)
    pairs = []
    for turn in range(ROUNDS):
        with opened(server, place / f"kobo-{turn}", [FORM]) as pull:
            ours = timed(pull.rows)
        pairs.append((ours, timed(lambda: _curl(server, pages, place))))
    ours, theirs = (min(times) for times in zip(*pairs, strict=True))
    ratio(f"Kobo: first pull of {WANTED:,}", ours, theirs, "curl, same pages", "≤ 1.15 ×")


def _pages(server: KoboServer, asset: Asset, place: Path) -> list[str]:
    """The addresses that a first pull asks for."""
    after, pages = 0, list[str]()
    for rows, _ in kobo_rows.Reader(server._api, [asset], place)._after(asset, 0):
        query = quote(orjson.dumps({"_id": {"$gt": after}}))
        sort = quote('{"_id":1}')
        pages.append(f"{server._api.url}/api/v2{asset.path}data/?query={query}&sort={sort}&limit=1000")
        after = int(rows[-1]["_id"])
    return pages


def _curl(server: KoboServer, pages: list[str], place: Path) -> None:
    """The least a client can do: the same addresses, over one connection, into files."""
    authorization = server._api._headers["Authorization"]
    parts = [
        f'header = "Authorization: {authorization}"\nheader = "Accept: application/json"\nurl = "{page}"\n'
        f'compressed\nsilent\noutput = "{place}/curl-{n}.json"\n'
        for n, page in enumerate(pages)
    ]
    subprocess.run(["curl", "-g", "-K", "-"], input="next\n".join(parts).encode(), check=True)


def _nothing_new(server: KoboServer, pull: Pull) -> None:
    """Twelve forms in which nothing changed, beside what their sweeps alone ask."""
    with metered() as ours:
        seconds = timed(pull.everything)
    with metered() as theirs:
        alone = timed(lambda: _sweep(server, pull))
    beside = ours.requests / theirs.requests
    said = f"{ours.requests:4} requests   {beside:5.2f} × the sweeps' {theirs.requests}   wanted: ≤ 1.2 ×"
    say("Kobo: nothing new, twelve forms", said)
    say("", f"{seconds:7.2f} s   {seconds / alone:5.2f} × the sweeps ({alone:.2f} s)")


def _sweep(server: KoboServer, pull: Pull) -> None:
    for form_id in jobs.form_ids():
        found = server.sweep(form_id, None, pull.into.folder)
        for path in found.paths if found else ():
            path.unlink()


def _few_changed(server: KoboServer, asset: Asset, pull: Pull) -> None:
    """One edit, one deletion and one review among all, beside fetching every row to compare it with what is known."""
    with metered() as sweep:
        _sweep(server, pull)
    with metered() as whole:
        known = _hashes(server, asset, pull)
    edited, deleted, reviewed = pull.some(3)
    rows = {one: server._files.row(asset, one) for one in (edited, deleted, reviewed)}
    xml = _xml(server, asset, rows[deleted]["_id"])
    _edit(server, asset, rows[edited]["_id"])
    server._api.patch(_row(asset, rows[reviewed]["_id"]) + "validation_status/", _review(rows[reviewed]))
    server._api.delete(_row(asset, rows[deleted]["_id"]))
    with metered() as ours:
        seconds = timed(pull.everything)
    start = time.perf_counter()
    now = _hashes(server, asset, pull)
    changed = sum(now.get(one) != row for one, row in known.items())
    taken = time.perf_counter() - start
    beyond = (ours.bytes - sweep.bytes) / whole.bytes
    say(
        "Kobo: an edit, a deletion, a review",
        f"{seconds:7.2f} s   found beside the sweep with {beyond:.2%} of all bytes   wanted: ≤ 2 %",
    )
    say(
        "  the sweeps of twelve forms",
        f"{sweep.bytes / 1e6:7.2f} MB   {sweep.bytes / whole.bytes:.1%} of {whole.bytes / 1e6:.1f} MB",
    )
    say("  fetch all, hash, compare", f"{taken:7.2f} s   {whole.bytes / 1e6:.1f} MB   {changed} found")
    KoboPhone(server._api.url, os.environ["TPM_TEST_KOBO_TOKEN"], PROJECT, 300).send_again(xml)


def _hashes(server: KoboServer, asset: Asset, pull: Pull) -> dict[str, str]:
    """What is done where nothing better is known: every row, whole, and its hash."""
    reader = kobo_rows.Reader(server._api, [asset], pull.into.folder)
    return {
        row[kobo_rows.SUBMISSION]: hashlib.sha256(orjson.dumps(row)).hexdigest()
        for rows, _ in reader._after(asset, 0)
        for row in rows
    }


def _row(asset: Asset, number: int) -> str:
    return asset.path.rstrip("/") + address("data", number)


def _review(row: dict[str, Any]) -> dict[str, str]:
    was = row[kobo_rows.REVIEW].get("uid")
    approved, rejected = "validation_status_approved", "validation_status_not_approved"
    return {"validation_status.uid": rejected if was == approved else approved}


def _edit(server: KoboServer, asset: Asset, number: int) -> None:
    payload = {"submission_ids": [number], "data": {"g_cloture/observations": f"bench {os.getpid()}"}}
    server._api.patch(asset.path + "data/bulk/", {"payload": payload})


def _xml(server: KoboServer, asset: Asset, number: int) -> bytes:
    with server._api.stream(_row(asset, number), {"format": "xml"}, headers={"Accept": "*/*"}) as answer:
        return answer.read().body
