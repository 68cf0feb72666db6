"""What is written about the project holds: error codes, settings, commands and links."""

import ast
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer
from typer.core import TyperGroup
from typer.testing import CliRunner

from tpm_pipeline.cli import app
from tpm_pipeline.settings import Settings

ROOT = Path(__file__).parents[1]
CODE = re.compile(r"(FORM|SRV|WH|IND|PUB|SET)-\d{3}")
PAGES = [
    *(ROOT / page for page in ("README.md", "forms/README.md", "warehouse/README.md")),
    *sorted((ROOT / ".github").rglob("*.md")),
]
# What a page tells a reader to type today; the changelog and the decisions may name what is gone.
GUIDES = [page for page in PAGES if page.name in {"README.md", "CONTRIBUTING.md"}]
CONTRIBUTING = (ROOT / ".github/CONTRIBUTING.md").read_text(encoding="utf-8")


def raised(source: str) -> Iterator[tuple[str, str]]:
    """The errors and findings a module makes: the class and the code."""
    for call in (node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call) and node.args):
        first = call.args[0]
        if isinstance(first, ast.Constant) and isinstance(first.value, str) and CODE.fullmatch(first.value):
            yield ast.unparse(call.func), first.value


def sources() -> list[str]:
    return [path.read_text(encoding="utf-8") for path in sorted((ROOT / "tpm_pipeline").rglob("*.py"))]


def ambiguous(texts: list[str]) -> list[str]:
    """Codes that stand for several causes; a finding may announce what an error will refuse."""
    made = Counter((code, name == "Finding") for text in texts for name, code in raised(text))
    return sorted({code for (code, _), times in made.items() if times > 1})


def untested(texts: list[str], tests: str) -> list[str]:
    return sorted({code for text in texts for _, code in raised(text) if code not in tests})


def commands(group: TyperGroup, before: str = "tpm") -> Iterator[tuple[str, str, str]]:
    """Each command with its help and its epilog."""
    for name, command in group.commands.items():
        if isinstance(command, TyperGroup):
            yield from commands(command, f"{before} {name}")
        else:
            yield f"{before} {name}", command.help or "", command.epilog or ""


def is_understood(line: str) -> bool:
    """Tell whether the program knows the command and the options of a line, without running it."""
    return CliRunner().invoke(app, [*line.split()[1:], "--help"]).exit_code == 0


def typed_commands(page: str) -> list[str]:
    """The command lines a page shows, in code spans and blocks."""
    code = re.findall(r"```\w*\n(.*?)```|`([^`\n]+)`", page, re.DOTALL)
    lines = (line.partition("#")[0].strip() for pair in code for line in "".join(pair).splitlines())
    return [re.sub(r"^\S*/", "", line) for line in lines if re.match(r"(\S*/)?(make|tpm)( |$)", line)]


def wrong_commands(page: str, targets: set[str]) -> list[str]:
    def holds(line: str) -> bool:
        program, *words = line.split()
        return {*words} <= targets if program == "make" else is_understood(line)

    return [line for line in typed_commands(page) if not holds(line)]


def setting_rows() -> list[str]:
    """The rows of the settings' table, as the code would write them."""
    fields = Settings.model_fields.items()
    return [f"| `TPM_{name.upper()}` | {_default(field.default)} | {field.description} |" for name, field in fields]


def _default(value: object) -> str:
    text = str(value.relative_to(ROOT)) + "/" * (not value.suffix) if isinstance(value, Path) else str(value)
    return f"`{text}`" if text and value is not None else ""


TARGETS = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
COMMANDS = list(commands(typer.main.get_group(app)))


def test_an_error_code_has_one_cause() -> None:
    assert ambiguous(sources()) == []
    assert ambiguous(['FormError("FORM-901", 1)', 'forms.FormError("FORM-901", 2)']) == ["FORM-901"]
    assert ambiguous(['FormError("FORM-901", 1)', 'Finding("FORM-901", 1)']) == []


def test_an_error_code_is_quoted_in_a_test() -> None:
    here = Path(__file__)
    tests = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "tests").rglob("test_*.py") if path != here)
    assert untested(sources(), tests) == []
    assert untested(['FormError("FORM-901", 1)', 'FormError("FORM-902", 1)'], "FORM-902") == ["FORM-901"]


def test_the_settings_table_is_what_the_code_says() -> None:
    table = [line for line in CONTRIBUTING.splitlines() if line.startswith("| `TPM_")]
    assert table == setting_rows()
    assert all(field.description for field in Settings.model_fields.values())


@pytest.mark.parametrize(("name", "explained", "epilog"), COMMANDS, ids=[name for name, *_ in COMMANDS])
def test_a_command_has_help_and_an_example_that_holds(name: str, explained: str, epilog: str) -> None:
    assert explained
    assert epilog.startswith(f"Example: {name}")
    assert is_understood(epilog.removeprefix("Example: "))


@pytest.mark.parametrize("page", GUIDES, ids=lambda page: str(page.relative_to(ROOT)))
def test_a_page_shows_only_commands_that_exist(page: Path) -> None:
    assert wrong_commands(page.read_text(encoding="utf-8"), TARGETS) == []


def test_a_command_that_does_not_exist_is_found() -> None:
    page = "`make coffee`, `tpm brew` and `make tests fail`\n```sh\n.venv/bin/tpm deploy --sugar  # 2\nmake test\n```"
    assert wrong_commands(page, {"test"}) == [
        "make coffee",
        "tpm brew",
        "make tests fail",
        "tpm deploy --sugar",
    ]


@pytest.mark.parametrize("target", sorted(TARGETS - {"help"}))
def test_a_make_target_is_explained(target: str) -> None:
    assert re.search(rf"^{target}:.*## \S", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_a_link_leads_somewhere(page: Path) -> None:
    links = re.findall(r"\]\(([^):#]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8"))
    assert [link for link in links if not (page.parent / link).exists()] == []
