"""The codes as a phone reads them, and the page as an office opens, prints and scans it."""

import json
import shutil
import stat
import zlib
from base64 import b64decode
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import pypdfium2
import pytest
import zxingcpp
from lxml import html as parser
from PIL import Image
from playwright.sync_api import Browser, sync_playwright

from tpm_pipeline.web import phones
from tpm_pipeline.web.phones import Phone

TOKEN = "Ab!c$dEf0123456789abcdef!XYZ$0123456789abcdefABCDEF0123456789abc"
SERVER = f"https://odk.example.org/v1/key/{TOKEN}/projects"
PROJECT = "TPM Souss-Massa"
SIZES = [(360, 800), (1280, 900)]
A4_MM = (210, 297)

# The part of getodk/collect's client-settings.schema.json that we use: a key, and what it may hold.
BOOLEAN = {True, False}
DOCUMENTED: dict[str, dict[str, set[Any] | type]] = {
    "general": {
        "server_url": str,
        "username": str,
        "form_update_mode": {"manual", "previously_downloaded", "match_exactly"},
        "periodic_form_updates_check": {
            *("every_fifteen_minutes", "every_one_hour", "every_six_hours", "every_24_hours"),
        },
        "autosend": {"off", "wifi_only", "cellular_only", "wifi_and_cellular"},
        "delete_send": BOOLEAN,
        "analytics": BOOLEAN,
    },
    "admin": {
        "change_server": BOOLEAN,
        "form_update_mode": BOOLEAN,
        "periodic_form_updates_check": BOOLEAN,
        "change_autosend": BOOLEAN,
        "delete_after_send": BOOLEAN,
    },
    "project": {"name": str, "icon": str, "color": str},
}


@dataclass(frozen=True)
class View:
    """A page as Chromium shows it."""

    noise: list[str]
    text: str
    fits: bool
    directions: dict[str, str]
    screen: Image.Image
    sheets: list[Image.Image]
    sheet_texts: list[str]
    sheet_mm: set[tuple[int, int]]


def of_office(number: int) -> list[Phone]:
    return [Phone(f"téléphone {each}", f"{SERVER}/{each}", PROJECT) for each in range(1, number + 1)]


def written(folder: Path, used: list[Phone], **changed: str) -> list[Path]:
    names = {
        "office": "TIZ01",
        "office_fr": "Bureau de Tiznit",
        "office_ar": "مكتب تيزنيت",
    }
    return phones.write_office(folder, **(names | changed), phones=used)


def scanned(picture: Image.Image) -> list[dict[str, dict[str, Any]]]:
    """Read every code a camera would find, as Collect does."""
    return [json.loads(zlib.decompress(b64decode(found.text))) for found in zxingcpp.read_barcodes(picture)]


def addresses(pictures: list[Image.Image]) -> list[str]:
    return sorted(found["general"]["server_url"] for picture in pictures for found in scanned(picture))


def parsed(page: Path) -> Any:
    return parser.document_fromstring(page.read_text(encoding="utf-8"))


def in_chromium(use: Callable[[Browser], View]) -> View:
    """Use a real browser in a thread of its own: two of Playwright cannot share one."""
    path = shutil.which("chromium")
    if path is None:
        pytest.fail("Chromium is missing: `make test` installs it, or install Debian's package chromium.")

    def run() -> View:
        with sync_playwright() as driver:
            options = ["--no-sandbox", "--disable-background-networking", "--disable-component-update"]
            browser = driver.chromium.launch(executable_path=path, args=options)
            try:
                return use(browser)
            finally:
                browser.close()

    with ThreadPoolExecutor(max_workers=1) as thread:
        return thread.submit(run).result()


def seen(file: Path, size: tuple[int, int]) -> View:
    """Open a page without network, look at it whole, and print it."""

    def use(browser: Browser) -> View:
        context = browser.new_context(viewport={"width": size[0], "height": size[1]}, offline=True)
        page, noise = context.new_page(), list[str]()
        page.on("request", lambda request: noise.append(request.url))
        page.on("console", lambda message: noise.append(message.text))
        page.goto(file.as_uri())
        printed = pypdfium2.PdfDocument(page.pdf(prefer_css_page_size=True))
        return View(
            noise=[each for each in noise if not each.startswith("data:")],
            text=page.locator("body").inner_text(),
            fits=page.evaluate("document.documentElement.scrollWidth <= innerWidth"),
            directions={
                language: page.locator(f"section[lang={language}] li").first.evaluate(
                    "e => getComputedStyle(e).direction"
                )
                for language in ("fr", "ar")
            },
            screen=Image.open(BytesIO(page.screenshot(full_page=True))),
            sheets=[sheet.render(scale=2).to_pil() for sheet in printed],
            sheet_texts=[sheet.get_textpage().get_text_range() for sheet in printed],
            sheet_mm={
                (round(sheet.get_width() / 72 * 25.4), round(sheet.get_height() / 72 * 25.4)) for sheet in printed
            },
        )

    return in_chromium(use)


@pytest.fixture(scope="module", params=SIZES, ids=["phone", "desk"])
def view(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> View:
    """The page of an office with two phones, on a phone and on a desk."""
    page, *_ = written(tmp_path_factory.mktemp("office"), of_office(2))
    return seen(page, request.param)


@pytest.mark.parametrize("project", ["TPM Souss-Massa", "Équipe d’Agadir", "مشروع سوس ماسة"])
@pytest.mark.parametrize("username", ["", "baom_agadir"])
def test_a_code_says_what_collect_documents(project: str, username: str) -> None:
    phone = Phone("téléphone 1", f"{SERVER}/1", project, username)
    (read,) = scanned(Image.open(BytesIO(phones.code(phone))))
    assert read == phones.settings(phone)
    assert read["project"]["name"] == project
    assert read.keys() == DOCUMENTED.keys()
    for part, said in read.items():
        for key, value in said.items():
            allowed = DOCUMENTED[part][key]
            assert isinstance(value, allowed) if isinstance(allowed, type) else value in allowed


@pytest.mark.parametrize("token", [TOKEN, "!" * 64, "$" * 64, "jeton-secret-0123"])
def test_a_token_arrives_letter_for_letter(token: str) -> None:
    url = f"https://odk.example.org/v1/key/{token}/projects/1"
    assert addresses([Image.open(BytesIO(phones.code(Phone("x", url, PROJECT))))]) == [url]


def test_a_phone_follows_the_server_and_keeps_nothing_it_sent() -> None:
    said = phones.settings(Phone("x", SERVER, PROJECT))["general"]
    assert said["form_update_mode"] == "match_exactly"
    assert said["periodic_form_updates_check"] == "every_one_hour"
    assert said["autosend"] == "wifi_and_cellular"
    assert said["delete_send"] is True


def test_what_would_lose_answers_is_out_of_reach_and_the_rest_is_the_persons_own() -> None:
    said = phones.settings(Phone("x", SERVER, PROJECT))
    assert said["admin"]["change_server"] is False
    assert not any(said["admin"].values())
    assert not {"admin_pw", "change_form_metadata", "change_app_language"} & said["admin"].keys()
    assert not {"app_language", "metadata_username", "username", "password"} & said["general"].keys()


def test_an_office_gets_a_page_and_a_picture_of_each_code(tmp_path: Path) -> None:
    folder = tmp_path / "data" / "phones"
    paths = written(folder, of_office(2))
    assert [path.name for path in paths] == ["TIZ01.html", "TIZ01-telephone-1.png", "TIZ01-telephone-2.png"]
    assert sorted(folder.iterdir()) == sorted(paths)
    assert addresses([Image.open(path) for path in paths[1:]]) == [f"{SERVER}/1", f"{SERVER}/2"]


def test_nobody_else_of_the_machine_can_read_them(tmp_path: Path) -> None:
    folder = tmp_path / "phones"
    folder.mkdir(mode=0o755)
    (folder / "TIZ01.html").touch(mode=0o644)
    paths = written(folder, of_office(2))
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in paths} == {0o600}


def test_writing_again_gives_the_same_files(tmp_path: Path) -> None:
    first = {path: path.read_bytes() for path in written(tmp_path / "phones", of_office(2))}
    assert {path: path.read_bytes() for path in written(tmp_path / "phones", of_office(2))} == first


@pytest.mark.parametrize(
    ("devices", "names"),
    [
        (["Tablette n° 2", "هاتف 1"], ["TIZ01-tablette-n-2.png", "TIZ01-هاتف-1.png"]),
        (["Téléphone", "telephone"], ["TIZ01-1.png", "TIZ01-2.png"]),
        (["…", "../../x"], ["TIZ01-1.png", "TIZ01-2.png"]),
        (["../../x"], ["TIZ01-x.png"]),
    ],
)
def test_two_phones_never_share_a_file(devices: list[str], names: list[str], tmp_path: Path) -> None:
    used = [Phone(device, f"{SERVER}/{number}", PROJECT) for number, device in enumerate(devices)]
    _, *pictures = written(tmp_path / "phones", used)
    assert [path.name for path in pictures] == names
    assert addresses([Image.open(path) for path in pictures]) == [phone.url for phone in used]


def test_a_token_is_nowhere_in_clear(tmp_path: Path) -> None:
    phone = Phone("téléphone 1", f"{SERVER}/1", PROJECT, "baom_agadir")
    assert repr(phone) == "Phone(device='téléphone 1', project='TPM Souss-Massa')"
    for path in written(tmp_path / "phones", [phone]):
        assert not [word for word in (TOKEN, "odk.example.org", "/key/") if word.encode() in path.read_bytes()]


def test_names_are_text_and_not_markup(tmp_path: Path) -> None:
    page, *_ = written(tmp_path / "phones", [Phone("<i>1</i>", SERVER, PROJECT)], office_fr="<b>Tiznit</b>")
    tree = parsed(page)
    assert tree.xpath("string(//section[@lang='fr']/h1)") == "<b>Tiznit</b>"
    assert tree.xpath("string(//figcaption/strong)") == "<i>1</i>"


def test_the_page_says_what_to_do_in_both_languages(tmp_path: Path) -> None:
    page, *_ = written(tmp_path / "phones", of_office(1))
    tree = parsed(page)
    french, arabic = (tree.xpath(f"string(//section[@lang='{language}'])") for language in ("fr", "ar"))
    for words in (
        "Bureau de Tiznit",
        "Installez l’application ODK Collect",
        "Scannez le code",
        "une clé",
        "perdu ou volé",
    ):
        assert words in french
    for words in (
        "مكتب تيزنيت",
        "ثبّتوا تطبيق ODK Collect",
        "وجّهوا الكاميرا نحو الرمز",
        "هذا الرمز مفتاح",
        "ضاع الهاتف أو سُرق",
    ):
        assert words in arabic
    assert french.count("coordination du projet") == arabic.count("فريق تنسيق المشروع") == 2
    assert [len(tree.xpath(f"//section[@lang='{language}']//li")) for language in ("fr", "ar")] == [9, 9]


def of_account(device: str, project: str = PROJECT) -> Phone:
    return Phone(device, "https://kc.example.org", project, "baom_agadir")


def test_a_code_of_an_account_holds_no_password_and_collect_asks_for_it() -> None:
    said = phones.settings(of_account("téléphone 1"))
    assert said["general"]["username"] == "baom_agadir"
    assert "password" not in said["general"]
    assert said["admin"]["change_server"] is False


def test_the_office_reads_whose_password_is_asked_for(tmp_path: Path) -> None:
    page, *_ = written(tmp_path / "phones", [of_account("téléphone 1"), *of_office(1)])
    tree = parsed(page)
    accounts = [[" ".join(line.text_content().split()) for line in code] for code in tree.xpath("//figcaption")]
    french = "Compte : baom_agadir — le mot de passe se tape sur le téléphone"
    arabic = "الحساب: baom_agadir — كلمة المرور تُكتب على الهاتف"
    assert accounts[0][-2:] == [french, arabic]
    assert "Compte" not in " ".join(accounts[1])
    steps = [tree.xpath(f"string(//section[@lang='{language}']/ol)") for language in ("fr", "ar")]
    assert "mot de passe" in steps[0]
    assert "كلمة مرور" in steps[1]


def test_an_office_without_accounts_reads_nothing_of_passwords(tmp_path: Path) -> None:
    page, *_ = written(tmp_path / "phones", of_office(2))
    assert "mot de passe" not in parsed(page).text_content()
    assert "puis l’autre" not in parsed(page).text_content()


@pytest.mark.parametrize("size", SIZES, ids=["phone", "desk"])
def test_a_phone_with_the_codes_of_two_servers_finds_both(tmp_path: Path, size: tuple[int, int]) -> None:
    central = Phone("téléphone 1", f"{SERVER}/1", f"{PROJECT} · ODK Central")
    page, *_ = written(tmp_path / "phones", [central, of_account("téléphone 1", f"{PROJECT} · KoboToolbox")])

    shown = seen(page, size)

    assert shown.fits
    assert addresses([shown.screen]) == addresses(shown.sheets) == ["https://kc.example.org", f"{SERVER}/1"]
    for words in ("TPM Souss-Massa · ODK Central", "TPM Souss-Massa · KoboToolbox", "puis l’autre", "baom_agadir"):
        assert words in shown.text


def test_a_browser_shows_it_without_network(view: View) -> None:
    assert [address.rpartition("/")[2] for address in view.noise] == ["TIZ01.html"]
    assert view.fits
    assert view.directions == {"fr": "ltr", "ar": "rtl"}
    assert "téléphone 1" in view.text
    assert "http" not in view.text


def test_a_phone_scans_the_codes_from_the_screen(view: View) -> None:
    assert addresses([view.screen]) == [f"{SERVER}/1", f"{SERVER}/2"]


def test_two_phones_fit_on_one_sheet(view: View) -> None:
    assert view.sheet_mm == {A4_MM}
    assert len(view.sheets) == 1
    assert addresses(view.sheets) == [f"{SERVER}/1", f"{SERVER}/2"]


def test_two_phones_with_accounts_fit_on_one_sheet_too(tmp_path: Path) -> None:
    page, *_ = written(tmp_path / "phones", [of_account("téléphone 1"), of_account("téléphone 2")])
    printed = seen(page, SIZES[0])
    assert len(printed.sheets) == 1
    assert len(scanned(printed.sheets[0])) == 2


def test_each_code_is_whole_and_beside_its_name_on_every_sheet(tmp_path: Path) -> None:
    used = of_office(7)
    page, *_ = written(tmp_path / "phones", used)
    printed = seen(page, SIZES[0])
    assert printed.sheet_mm == {A4_MM}
    assert len(printed.sheets) > 1
    assert addresses(printed.sheets) == [phone.url for phone in used]
    for sheet, text in zip(printed.sheets, printed.sheet_texts, strict=True):
        assert addresses([sheet]) == [phone.url for phone in used if phone.device in text]
