"""The same rows by dlt into DuckDB: prints seconds and megabytes. dlt is in a folder of its own (`make bench`)."""

import os
import resource
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.bench.login import FORM, credentials, server_of
from tpm_pipeline.paths import ROOT
from tpm_pipeline.servers.central_api import address

_DLT = ROOT / ".venv" / "dlt"


def main(wanted: int) -> None:
    """Let dlt read, normalize and load."""
    os.environ |= {"RUNTIME__DLTHUB_TELEMETRY": "false", "DO_NOT_TRACK": "1"}
    sys.path.append(str(_DLT))
    server = server_of(wanted)
    project = server._known_project()
    with tempfile.TemporaryDirectory() as folder:
        os.environ["DLT_DATA_DIR"] = folder
        start = time.perf_counter()
        path = address("projects", project, "forms", f"{FORM}.svc", "Submissions")
        _load(Path(folder), path, server._api._token or "")
        seconds = time.perf_counter() - start
    sys.stdout.write(f"{seconds:.3f} {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f}\n")


def _load(place: Path, path: str, token: str) -> None:
    import dlt
    from dlt.sources.helpers.rest_client import RESTClient
    from dlt.sources.helpers.rest_client.paginators import SinglePagePaginator

    client = RESTClient(
        base_url=f"{credentials()[0]}/v1", headers={"Authorization": f"Bearer {token}"}, data_selector="value"
    )

    def visits() -> Iterator[Any]:
        yield from client.paginate(path, params={"$expand": "*"}, paginator=SinglePagePaginator())

    destination = dlt.destinations.duckdb(str(place / "dlt.duckdb"))
    pipeline = dlt.pipeline(pipeline_name="bench", destination=destination, dataset_name="bench")
    pipeline.run(visits(), table_name=FORM)


if __name__ == "__main__":
    main(int(sys.argv[1]))
