"""What an office is handed over: codes for its phones, links for its desk, for nobody else's eyes."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, cast

import pytest

from tpm_pipeline.deploying import offices, phones
from tpm_pipeline.deploying.phones import Site
from tpm_pipeline.errors import ServerError
from tpm_pipeline.records import Access, Door
from tpm_pipeline.servers.local import LocalServer
from tpm_pipeline.settings import Settings

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


class Accounts(Doors):
    """A server that lets an office in by its account."""

    def phones(self, access: Access) -> list[Door]:
        return [Door(office, "téléphone 1", URL, f"baom_{office.lower()}") for office in access.phones]

    def desks(self, access: Access) -> list[Door]:  # noqa: ARG002
        return []


def site(server: object, access: Access = ACCESS, project: str = "TPM") -> Site:
    return Site(cast("Server", server), access, project)


def write(folder: Path, *sites: Site) -> Sequence[Path]:
    return phones.write(sites or [site(Doors())], offices.read(), folder / "phones")


def test_each_office_has_a_page_and_a_code_for_each_phone(tmp_path: Path) -> None:
    written = [path.name for path in write(tmp_path)]

    assert written == ["TIZ01.html", "TIZ01-telephone-1.png", "TIZ01-tablette.png", "desk-links.txt"]
    assert "Bureau Tiznit" in (tmp_path / "phones" / "TIZ01.html").read_text(encoding="utf-8")
    assert (tmp_path / "phones" / "desk-links.txt").read_text() == f"TIZ01 · tpm_visite: {URL}/tpm_visite\n"


def test_nobody_else_of_the_machine_reads_them(tmp_path: Path) -> None:
    written = write(tmp_path, site(Doors(), Access(desk_links=ACCESS.desk_links)))

    assert [path.name for path in written] == ["desk-links.txt"]
    for path in [*written, *write(tmp_path)]:
        assert path.stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "phones").stat().st_mode & 0o777 == 0o700


def test_the_codes_of_a_lost_phone_do_not_stay(tmp_path: Path) -> None:
    write(tmp_path)

    write(tmp_path, site(Doors(), Access({"TIZ01": ("tablette",)})))

    assert {path.name for path in (tmp_path / "phones").iterdir()} == {"TIZ01.html", "TIZ01-tablette.png"}


def test_what_was_written_stays_when_the_server_has_no_address_to_give(tmp_path: Path) -> None:
    before = write(tmp_path)

    with pytest.raises(ServerError, match="SRV-123"):
        write(tmp_path, site(Doors()), site(LocalServer(tmp_path / "server", "http://127.0.0.1:8010")))

    assert all(path.exists() for path in before)


def test_a_desk_without_a_link_keeps_no_phone_from_its_code(tmp_path: Path) -> None:
    class Desks(Doors):
        def desks(self, access: Access) -> list[Door]:
            raise ServerError("SRV-901", ", ".join(access.desk_links), "It has no page.", "Deploy first.")

    with pytest.raises(ServerError, match="SRV-901 · tpm_visite"):
        write(tmp_path, site(Desks()), site(Doors(), project="KoboToolbox"))

    page = (tmp_path / "phones" / "TIZ01.html").read_text(encoding="utf-8")
    assert page.count("<figure>") == 4
    assert (tmp_path / "phones" / "desk-links.txt").read_text() == f"TIZ01 · tpm_visite: {URL}/tpm_visite\n"


def test_an_office_of_two_servers_has_the_codes_of_both_on_one_page(tmp_path: Path) -> None:
    sites = site(Doors(), project="TPM · ODK Central"), site(Accounts(), Access({"TIZ01": ("x",)}), "TPM · KoboToolbox")

    written = [path.name for path in write(tmp_path, *sites)]

    assert written == ["TIZ01.html", "TIZ01-1.png", "TIZ01-2.png", "TIZ01-3.png", "desk-links.txt"]
    page = (tmp_path / "phones" / "TIZ01.html").read_text(encoding="utf-8")
    assert page.count("<figure>") == 3
    assert page.count("baom_tiz01") == 2


def test_a_phone_tells_the_projects_of_two_servers_apart() -> None:
    one, two = Settings(server="kobo", kobo_project="Essai"), Settings(server="central,kobo", central_project="TPM")

    assert phones.project(one, "kobo") == "Essai"
    assert [phones.project(two, kind) for kind in two.kinds] == ["TPM · ODK Central", "TPM Souss-Massa · KoboToolbox"]
