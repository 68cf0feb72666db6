"""The secret behind pseudonyms, kept outside every database."""

import hashlib
import subprocess
import sys
from pathlib import Path

import pytest
from pydantic import SecretStr

from tpm_pipeline.errors import SettingsError
from tpm_pipeline.settings import Settings
from tpm_pipeline.warehouse import privacy

FIRST_RUN = """
import sys
from pathlib import Path
from tpm_pipeline.settings import Settings
from tpm_pipeline.warehouse import privacy
sys.stdin.readline()
print(privacy.pads(Settings(data=Path(sys.argv[1])))[0].hex())
"""


@pytest.fixture
def keyless(settings: Settings) -> Settings:
    return settings.model_copy(update={"pseudonym_key": SecretStr("")})


def test_a_key_is_made_once_and_only_its_owner_may_read_it(keyless: Settings) -> None:
    first = privacy.pads(keyless)
    path = keyless.private / "pseudonym.key"
    assert path.stat().st_mode & 0o777 == 0o600
    assert len(path.read_text()) == 64
    assert privacy.pads(keyless) == first
    assert [entry.name for entry in keyless.private.iterdir()] == ["pseudonym.key"]


def test_two_installations_have_two_keys(keyless: Settings, tmp_path: Path) -> None:
    assert privacy.pads(keyless) != privacy.pads(keyless.model_copy(update={"data": tmp_path / "other"}))


def test_a_key_of_the_settings_comes_first_and_writes_nothing(settings: Settings) -> None:
    assert privacy.pads(settings)[0][:11] == bytes(byte ^ 0x36 for byte in "clé de tes".encode())
    assert not settings.private.exists()


def test_a_long_key_is_hashed_as_the_standard_says(settings: Settings) -> None:
    long = settings.model_copy(update={"pseudonym_key": SecretStr("x" * 65)})
    hashed = hashlib.sha256(b"x" * 65).digest()
    assert privacy.pads(long)[1] == bytes(byte ^ 0x5C for byte in hashed.ljust(64, b"\0"))


def test_an_empty_key_file_stops_everything(keyless: Settings) -> None:
    privacy.pads(keyless)
    (keyless.private / "pseudonym.key").write_text("\n")
    with pytest.raises(SettingsError, match=r"SET-002 · pseudonym.key.*backup"):
        privacy.pads(keyless)


def test_two_first_runs_at_once_agree_on_one_key(keyless: Settings) -> None:
    runs = [
        subprocess.Popen(
            [sys.executable, "-c", FIRST_RUN, str(keyless.data)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(3)
    ]
    for run in runs:
        assert run.stdin is not None
        run.stdin.write("\n")
        run.stdin.flush()
    assert {run.communicate()[0].strip() for run in runs} == {privacy.pads(keyless)[0].hex()}
