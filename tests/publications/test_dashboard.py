"""The page: three languages in one file that asks for nothing, read with a parser and with a real browser."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from lxml import html as parser
from playwright.sync_api import Browser, Page

from tpm_pipeline.publications import dashboard
from tpm_pipeline.publications.base import PublicationContext
from tpm_pipeline.publications.figures import Figure
from tpm_pipeline.warehouse import db

ASKING = ("src", "srcset", "href", "{http://www.w3.org/1999/xlink}href", "data", "poster", "action", "background")
SIZES = [(360, 800), (1280, 900)]


@pytest.fixture(scope="session")
def page_file(html: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("page") / "dashboard.html"
    path.write_text(html, encoding="utf-8")
    return path


def parsed(html: str) -> Any:
    return parser.document_fromstring(html)


@contextmanager
def opened(browser: Browser, address: str, size: tuple[int, int], **options: Any) -> Iterator[tuple[Page, list[str]]]:
    """Open a page without network; what it asked for and complained of is listed."""
    context = browser.new_context(viewport={"width": size[0], "height": size[1]}, offline=True, **options)
    page, noise = context.new_page(), list[str]()
    page.on("request", lambda request: noise.append(request.url))
    page.on("console", lambda message: noise.append(message.text))
    page.on("pageerror", lambda error: noise.append(str(error)))
    page.goto(address)
    yield page, noise
    context.close()


def test_the_file_names_no_address(html: str) -> None:
    tree = parsed(html)
    asked = [node.get(name) for node in tree.iter() for name in ASKING if node.get(name)]
    assert asked
    assert all(address.startswith("#") or address == "data:," for address in asked)
    assert not re.search(r"@import|url\(|https?://", html)


def test_every_indicator_is_there_in_each_language_under_its_result(html: str, found: dict[str, Figure]) -> None:
    tree = parsed(html)
    for language in ("fr", "ar", "en"):
        names = {
            node.get("id").removeprefix(f"{language}-"): node.xpath("string(.//h3)")
            for node in tree.xpath(f"//div[@id='{language}']//article")
        }
        assert names == {code: getattr(figure.indicator.names, language) for code, figure in found.items()}
    assert tree.xpath("string((//div[@id='fr']//section/h2)[2])").startswith("OS1")


def test_the_logframe_at_a_glance_leads_to_every_indicator(html: str, found: dict[str, Figure]) -> None:
    tree = parsed(html)
    for language in ("fr", "ar", "en"):
        led = tree.xpath(f"//div[@id='{language}']//section[contains(@class, 'overview')]//a/@href")
        assert sorted(led) == sorted(f"#{language}-{code}" for code in found)
        assert all(tree.xpath(f"//article[@id='{address.removeprefix('#')}']") for address in led)


def test_a_chart_has_its_figures_as_a_table(html: str) -> None:
    tree = parsed(html)
    drawings = set(tree.xpath("//symbol/@id"))
    for article in tree.xpath("//article"):
        shown = article.xpath(".//*[@role='img'][@aria-label]//use/@href")
        assert [name.removeprefix("#") in drawings for name in shown] == [True] * ("OC3-2" not in article.get("id"))
        assert len(article.xpath(".//details//table//tbody/tr")) >= 13


def test_a_hidden_figure_is_nowhere_in_the_page(html: str) -> None:
    """The first quarter's 2 women of 9, and the next quarter's 21 of 60 that would tell them."""
    for told in ("22,2", "2/9", "35,0\u202f%", "21/60", "22.2", "0.35"):
        assert told not in html


def test_no_denominator_is_told_exactly(html: str, found: dict[str, Figure]) -> None:
    """Persons received, less persons of known sex, would be persons of unknown sex: one or two."""
    for article in parsed(html).xpath("//article[contains(@id, 'R1-4') or contains(@id, 'OC1-')]"):
        figure = found[article.get("id")[3:]]
        texts = [text.replace("\u202f", "") for text in article.xpath(".//text() | .//@aria-label")]
        fractions = {fraction for text in texts for fraction in re.findall(r"\d+/\d+", text)}
        assert fractions <= {f"{offices}/8" for offices in range(9)}
        said = {int(number) for text in texts for number in re.findall(r"\d+", text)}
        known = {cell.denominator or 0 for cell in (*figure.years, *figure.trend)}
        assert not {denominator for denominator in known if denominator > 100} & said


def test_the_page_says_what_the_small_numbers_are_kept_from(html: str) -> None:
    notes = [note.text_content() for note in parsed(html).xpath("//div[@id='fr']//footer//li")]
    assert sum("inférieur à 5, hors zéro" in note for note in notes) == 1
    assert sum("Rien n’est retiré pour des rapprochements entre indicateurs" in note for note in notes) == 1
    assert sum("Au-dessous de 100" in note for note in notes) == 1


def test_synthetic_data_say_so_in_each_language(
    html: str, found: dict[str, Figure], context: PublicationContext
) -> None:
    assert html.count('class="banner"') == 3
    assert "Données synthétiques de démonstration" in html
    assert 'class="banner"' not in dashboard.render(list(found.values()), replace(context, synthetic=False))


def test_what_is_declared_is_text_and_not_markup(found: dict[str, Figure], context: PublicationContext) -> None:
    figure = found["R1-2"]
    names = figure.indicator.names.model_copy(update={"fr": "<script>alert(1)</script>"})
    hostile = replace(figure, indicator=figure.indicator.model_copy(update={"names": names}))
    page = dashboard.render([hostile], context)
    assert "<script>alert(1)" not in page
    assert "&lt;script&gt;alert(1)" in page


def test_writing_twice_gives_the_same_page(
    connection: db.Connection, context: PublicationContext, html: str, tmp_path: Path
) -> None:
    dashboard.write(connection, tmp_path / "dashboard.html", context)
    assert (tmp_path / "dashboard.html").read_text(encoding="utf-8") == html


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize(("language", "direction"), [("fr", "ltr"), ("ar", "rtl"), ("en", "ltr")])
def test_a_browser_shows_it_without_network(
    language: str, direction: str, size: tuple[int, int], chromium: Browser, page_file: Path
) -> None:
    address = page_file.as_uri()
    hashed = "" if language == "fr" else f"#{language}"
    with opened(chromium, address + hashed, size) as (page, noise):
        assert noise == [address]
        assert page.locator("html").get_attribute("dir") == direction
        assert page.locator("html").get_attribute("lang") == language
        assert page.locator(f"#{language} article").first.is_visible()
        assert page.locator(".page:visible").count() == 1
        assert page.locator(".chart svg:visible").count() == 8
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        page.evaluate("document.querySelectorAll('details').forEach(each => { each.open = true })")
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_the_switch_changes_language_and_direction(chromium: Browser, page_file: Path) -> None:
    with opened(chromium, page_file.as_uri(), SIZES[1]) as (page, noise):
        page.get_by_role("link", name="العربية").click()
        assert page.locator("html").get_attribute("dir") == "rtl"
        assert page.locator("#ar h1").is_visible()
        assert page.title() == page.locator("#ar h1").inner_text().replace("\n", " ")
        page.get_by_role("link", name="English").click()
        assert page.locator("html").get_attribute("dir") == "ltr"
        assert page.locator("#en h1").is_visible()
        page.get_by_role("link", name="Français").click()
        assert page.locator("html").get_attribute("dir") == "ltr"
        assert page.locator("#fr h1").is_visible()
        assert len(noise) == 1


@pytest.mark.parametrize(
    ("hashed", "shown"), [("", "fr"), ("#fr", "fr"), ("#ar", "ar"), ("#ar-R1-2", "ar"), ("#en-R1-2", "en")]
)
def test_every_language_can_be_read_without_javascript(
    hashed: str, shown: str, chromium: Browser, page_file: Path
) -> None:
    with opened(chromium, page_file.as_uri() + hashed, SIZES[1], java_script_enabled=False) as (page, _):
        visible = [language for language in ("fr", "ar", "en") if page.locator(f"#{language} h1").is_visible()]
        assert visible == [shown]
