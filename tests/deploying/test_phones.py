"""What an office is handed over: codes for its phones, links for its desk, for nobody else's eyes."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, cast

import pytest

from tpm_pipeline.deploying import offices, phones
from tpm_pipeline.errors import ServerError
from tpm_pipeline.records import Access, Door
from tpm_pipeline.servers.local import LocalServer

if TYPE_CHECKING:
    from tpm_pipeline.servers.base import Server

ACCESS = Access({"TIZ01": ("téléphone 1", "tablette"), "TAR01": ()}, desk_links={"tpm_visite": ("TIZ01",)})
URL = "https://odk.example.org/v1/key/s3cret/projects/1"


class Doors:
    """A server that lets in whoever is declared."""

    def phones(self, access: Access) -> list[Door]:
        return [Door(office, device, URL) for office, devices in access.phones.items() for device in devices]

    def desks(self, access: Access) -> list[Door]:
        return [Door(office, form, f"{URL}/{form}") for form, codes in access.desk_links.items() for office in codes]


def write(folder: Path, access: Access = ACCESS, server: object = None) -> Sequence[Path]:
    return phones.write(cast("Server", server or Doors()), access, offices.read(), folder / "phones", "TPM")


def test_each_office_has_a_page_and_a_code_for_each_phone(tmp_path: Path) -> None:
    written = [path.name for path in write(tmp_path)]

    assert written == ["TIZ01.html", "TIZ01-telephone-1.png", "TIZ01-tablette.png", "desk-links.txt"]
    assert "Bureau Tiznit" in (tmp_path / "phones" / "TIZ01.html").read_text(encoding="utf-8")
    assert (tmp_path / "phones" / "desk-links.txt").read_text() == f"TIZ01 · tpm_visite: {URL}/tpm_visite\n"


def test_nobody_else_of_the_machine_reads_them(tmp_path: Path) -> None:
    written = write(tmp_path, Access(desk_links=ACCESS.desk_links))

    assert [path.name for path in written] == ["desk-links.txt"]
    for path in [*written, *write(tmp_path)]:
        assert path.stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "phones").stat().st_mode & 0o777 == 0o700


def test_the_codes_of_a_lost_phone_do_not_stay(tmp_path: Path) -> None:
    write(tmp_path)

    write(tmp_path, Access({"TIZ01": ("tablette",)}))

    assert {path.name for path in (tmp_path / "phones").iterdir()} == {"TIZ01.html", "TIZ01-tablette.png"}


def test_what_was_written_stays_when_the_server_has_no_address_to_give(tmp_path: Path) -> None:
    before = write(tmp_path)

    with pytest.raises(ServerError, match="SRV-123"):
        write(tmp_path, server=LocalServer(tmp_path / "server", "http://127.0.0.1:8010"))

    assert all(path.exists() for path in before)
