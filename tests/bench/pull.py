"""The pull from a real ODK Central (TPM_TEST_CENTRAL_URL, _EMAIL, _PASSWORD).

Its 20,000 visits are sent once to a project of their own and kept there for the next run.
"""

import os
import subprocess
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import quote

from tests.bench.clock import ROUNDS, ratio, say, timed
from tpm_pipeline import jobs
from tpm_pipeline.demo.instances import generate
from tpm_pipeline.servers.central import CentralServer
from tpm_pipeline.servers.openrosa import OpenRosaClient

FORM = "tpm_visite"


def run(place: Path) -> None:
    """Time a whole pull beside curl reading the same stream."""
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
        (timed(ours), timed(lambda: subprocess.run(["curl", "-K", "-"], input=config.encode(), check=True)))
        for _ in range(ROUNDS)
    ]
    best, reference = (min(times) for times in zip(*pairs, strict=True))
    ratio(f"pull of {seen:,} from Central", best, reference, "curl, same stream", "≤ 1.3 ×")


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
        say("", f"sending {wanted:,} visits to Central once, a few minutes")
        visits = [item.xml for item in generate(7, wanted, versions) if item.form_id == FORM]
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(send, [visits[start::4] for start in range(4)]))
    return server
