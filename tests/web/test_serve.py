"""The running program: it keeps what it said it kept, and opens to nobody without a token."""

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import requests

from tpm_pipeline.errors import SettingsError
from tpm_pipeline.servers.local_store import Store
from tpm_pipeline.settings import load
from tpm_pipeline.web.serve import running, serve

Xml = Callable[..., bytes]
Stored = Callable[[Store], dict[str, str]]
PROGRAM = """
import os, resource
from tpm_pipeline.settings import load
from tpm_pipeline.web.serve import serve
if limit := int(os.environ.get("LARGEST_FILE", "0")):
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
serve(load())
"""


@contextmanager
def program(folder: Path, **environment: str) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """Run `serve` in a process of its own, killed without warning at the end."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    settings = {"TPM_DATA": str(folder), "TPM_SERVE_PORT": str(port), **environment}
    with subprocess.Popen(
        [sys.executable, "-c", PROGRAM], env=os.environ | settings, stderr=subprocess.PIPE
    ) as process:
        try:
            base = f"http://127.0.0.1:{port}"
            wait(base)
            yield base, process
        finally:
            process.kill()


def wait(base: str) -> None:
    for _ in range(1000):
        try:
            requests.get(f"{base}/health", timeout=5)
        except requests.ConnectionError:
            time.sleep(0.02)
        else:
            return
    pytest.fail("the server did not start")


def submit(base: str, content: bytes, **attachments: bytes) -> requests.Response:
    files: dict[str, Any] = {"xml_submission_file": ("s.xml", content)}
    files |= {name: (name, data) for name, data in attachments.items()}
    return requests.post(f"{base}/submission", files=files, headers={"X-OpenRosa-Version": "1.0"}, timeout=30)


def test_what_was_answered_201_survives_a_kill(tmp_path: Path, store: Store, xml: Xml, stored: Stored) -> None:
    store.close()
    for turn in range(10):
        with program(tmp_path) as (base, process):
            assert submit(base, xml(f"i{turn}"), photo=b"p" * 10_000 + bytes([turn])).status_code == 201
            process.send_signal(signal.SIGKILL)
        restarted = Store(store.folder)
        assert sorted(stored(restarted)) == sorted(f"i{past}" for past in range(turn + 1))
        restarted.close()
    assert len(list((store.folder / "attachments").iterdir())) == 10


def test_a_full_disk_refuses_and_loses_nothing(tmp_path: Path, store: Store, xml: Xml, stored: Stored) -> None:
    accepted, refused = [], ""
    with program(tmp_path, LARGEST_FILE="300000") as (base, _):
        assert "SRV-111" in submit(base, xml("photo"), photo=b"p" * 400_000).text
        for number in range(200):
            answer = submit(base, xml(f"i{number}", nom="n" * 10_000))
            if answer.status_code != 201:
                refused = f"i{number}"
                break
            accepted.append(f"i{number}")
        assert (answer.status_code, "SRV-111" in answer.text) == (507, True)
        assert requests.get(f"{base}/formList", timeout=5).status_code == 200
    assert accepted
    assert sorted(stored(store)) == sorted(accepted)
    with program(tmp_path) as (base, _):
        assert submit(base, xml(refused, nom="n" * 10_000)).status_code == 201
        assert submit(base, xml("photo"), photo=b"p" * 400_000).status_code == 201
    assert sorted(stored(store)) == sorted([*accepted, refused, "photo"])
    assert not list((store.folder / "attachments").glob(".incoming*"))


def test_a_large_upload_waits_inside_the_store(monkeypatch: pytest.MonkeyPatch, store: Store, xml: Xml) -> None:
    monkeypatch.setattr(tempfile, "tempdir", "/the system's folder, which must not be used")
    with running(store.folder) as base:
        assert tempfile.gettempdir() == str(store.folder)
        assert submit(base, xml("a"), photo=b"p" * 3_000_000).status_code == 201
    assert tempfile.gettempdir() == "/the system's folder, which must not be used"


def test_the_token_is_never_written_anywhere(tmp_path: Path, store: Store, xml: Xml, stored: Stored) -> None:
    with program(tmp_path, TPM_SERVE_TOKEN="jeton-secret-0123") as (base, process):
        submit(f"{base}/key/jeton-secret-0123", xml("a"))
        submit(f"{base}/key/jeton-secret-0123", b"<broken")
        requests.get(f"{base}/key/jeton-secret-0123/rien", timeout=5)
        process.terminate()
        assert process.stderr is not None
        assert b"jeton" not in process.stderr.read()
    assert list(stored(store)) == ["a"]


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.10", "tpm.example.org"])
def test_beyond_loopback_a_token_is_needed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, host: str) -> None:
    monkeypatch.setenv("TPM_DATA", str(tmp_path))
    monkeypatch.setenv("TPM_SERVE_HOST", host)
    with pytest.raises(SettingsError, match="SET-011"):
        serve(load())


def test_an_address_in_use_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("TPM_DATA", str(tmp_path))
    with socket.create_server(("127.0.0.1", 0)) as taken:
        monkeypatch.setenv("TPM_SERVE_PORT", str(taken.getsockname()[1]))
        with pytest.raises(SettingsError, match="SET-012"):
            serve(load())
