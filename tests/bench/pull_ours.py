"""Our first pull into typed tables: prints seconds and megabytes. `python -m tests.bench.pull_ours 20000`."""

import resource
import sys
import tempfile
import time
from pathlib import Path

from pydantic import SecretStr

from tests.bench.login import FORM, server_of
from tpm_pipeline.pulling import rows
from tpm_pipeline.pulling.rows import PLAIN
from tpm_pipeline.settings import Settings
from tpm_pipeline.warehouse import build, db, privacy, staging


def main(wanted: int) -> None:
    """Pull once, type once."""
    server = server_of(wanted)
    server.current()
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(data=Path(folder), pseudonym_key=SecretStr("bench"), memory_limit="80MB")
        start = time.perf_counter()
        with db.warehouse(settings) as connection:
            with rows.opened(connection, settings, lambda _: None) as into:
                rows.bring(server, into, FORM, server.current(), PLAIN)
            staging.create(connection)
            (schema,) = build.schemas(connection, [FORM])
            held = staging.build(connection, schema, privacy.pads(settings))
        seconds = time.perf_counter() - start
    assert held >= wanted
    sys.stdout.write(f"{seconds:.3f} {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f}\n")


if __name__ == "__main__":
    main(int(sys.argv[1]))
