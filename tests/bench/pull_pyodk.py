"""The same rows by pyODK, pandas and DuckDB: prints seconds and megabytes."""

import resource
import sys
import tempfile
import time
from pathlib import Path

import duckdb
import pandas as pd
from pyodk.client import Client

from tests.bench.login import FORM, credentials, server_of

_CONFIG = '[central]\nbase_url = "{0}"\nusername = "{1}"\npassword = "{2}"\ndefault_project_id = {3}\n'


def main(wanted: int) -> None:
    """Read the table, flatten it, keep it."""
    project = server_of(wanted)._known_project()
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        (place / "config.toml").write_text(_CONFIG.format(*credentials(), project))
        start = time.perf_counter()
        with Client(config_path=str(place / "config.toml"), cache_path=str(place / "cache.toml")) as client:
            rows = client.submissions.get_table(form_id=FORM, expand="*")["value"]
        visits = pd.json_normalize(rows, sep="__")
        repeats = pd.json_normalize(
            rows, record_path="orientations", meta="__id", meta_prefix="parent", errors="ignore"
        )
        with duckdb.connect(str(place / "pyodk.duckdb")) as connection:
            connection.register("visits", visits.drop(columns="orientations").astype("string"))
            connection.register("repeats", repeats.astype("string"))
            connection.execute("create table visite as from visits; create table orientation as from repeats")
        seconds = time.perf_counter() - start
    assert len(visits) >= wanted
    sys.stdout.write(f"{seconds:.3f} {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f}\n")


if __name__ == "__main__":
    main(int(sys.argv[1]))
