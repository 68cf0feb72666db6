"""The laws of the tree: each finds nothing here, and finds the one violation planted for it."""

import ast
import re
import statistics
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
TOP_LEVEL = {
    *("forms", "flows", "tpm_pipeline", "warehouse", "tests"),
    *("pyproject.toml", "README.md", "Makefile", "requirements.lock"),
}
LONGEST_FILE, LONGEST_FUNCTION, LONGEST_MEDIAN = 400, 40, 120
# No pattern here matches itself: this file is searched too.
HOSTS = re.compile(r"py[p]i\.org|python[h]osted\.org|np[m]js\.(org|com)|debia[n]\.org|ubunt[u]\.com")
MACHINE = re.compile(r"(?<![\w.~*)-])/(work|farm|opt|root|home|Users|tmp)/\w")
ZONES = re.compile(
    r"\btimezone\s*\(|at\s+time\s+zone|timestamptz|with\s+time\s+zone|strptime\s*\([^)]*%z", re.IGNORECASE
)
ZONES_DOOR = "tpm_pipeline/warehouse/db.py"

Law = Callable[[Path], list[str]]


def files(root: Path, pattern: str = "*") -> list[str]:
    """The repository's files, those about to be added included."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "--deduplicate"]
    listed = subprocess.run(command, cwd=root, check=True, capture_output=True, text=True).stdout.splitlines()
    return [path for path in listed if Path(path).match(pattern) and (root / path).is_file()]


def modules(root: Path) -> list[str]:
    return [path for path in files(root, "*.py") if path.startswith(("tpm_pipeline/", "flows/"))]


def parsed(root: Path, path: str) -> ast.Module:
    return ast.parse((root / path).read_text(encoding="utf-8"))


def functions(tree: ast.AST) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    return (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))


def does_something(function: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    """Tell a function from a protocol's line: more than a docstring and an ellipsis."""
    return not all(isinstance(line, ast.Expr) and isinstance(line.value, ast.Constant) for line in function.body)


def mirror(module: str) -> str:
    folder = Path(module.removeprefix("tpm_pipeline/"))
    return str(Path("tests") / folder.with_name(f"test_{folder.name}"))


def beyond_the_top_level(root: Path) -> list[str]:
    visible = {Path(path).parts[0] for path in files(root) if not path.startswith(".")}
    return sorted(visible ^ TOP_LEVEL)


def modules_without_tests(root: Path) -> list[str]:
    doing = [path for path in modules(root) if any(map(does_something, functions(parsed(root, path))))]
    return [mirror(path) for path in doing if not (root / mirror(path)).exists()]


def long_files(root: Path) -> list[str]:
    lengths = {path: len((root / path).read_bytes().splitlines()) for path in files(root, "*.py")}
    return [f"{path}: {length} lines" for path, length in lengths.items() if length > LONGEST_FILE]


def long_functions(root: Path) -> list[str]:
    found = [(path, node) for path in files(root, "*.py") for node in functions(parsed(root, path))]
    lengths = [(f"{path}:{node.name}", (node.end_lineno or node.lineno) - node.lineno + 1) for path, node in found]
    return [f"{name}: {length} lines" for name, length in lengths if length > LONGEST_FUNCTION]


def long_median(root: Path) -> list[str]:
    lengths = [len((root / path).read_bytes().splitlines()) for path in modules(root)]
    median = statistics.median([length for length in lengths if length > 1] or [0])
    return [f"median: {median:g} lines"] if median > LONGEST_MEDIAN else []


def addresses(root: Path) -> list[str]:
    """Registries and folders of somebody's machine, which would break on another."""
    texts = {path: (root / path).read_bytes().decode(errors="replace") for path in files(root)}
    found = [(path, hit) for path, text in texts.items() for law in (HOSTS, MACHINE) for hit in law.finditer(text)]
    return [f"{path}: {hit.group()}" for path, hit in found]


def time_zones_in_sql(root: Path) -> list[str]:
    """DuckDB's zones are out of date for Morocco: only its door may know what to do about it."""
    sql = {path: (root / path).read_text(encoding="utf-8") for path in files(root, "*.sql")}
    for path in set(modules(root)) - {ZONES_DOOR}:
        strings = (node.value for node in ast.walk(parsed(root, path)) if isinstance(node, ast.Constant))
        sql[path] = "\n".join(value for value in strings if isinstance(value, str))
    return [f"{path}: {hit.group()}" for path, text in sorted(sql.items()) for hit in ZONES.finditer(text)]


LAWS = [
    beyond_the_top_level,
    modules_without_tests,
    long_files,
    long_functions,
    long_median,
    addresses,
    time_zones_in_sql,
]

HOST, HOME = "python-hosted.org".replace("-", ""), "/ho-me".replace("-", "")
FUNCTION = "def f() -> None:\n"
VIOLATIONS = [
    (beyond_the_top_level, "scripts/fix.py", "", "scripts"),
    (beyond_the_top_level, "README.md", None, "README.md"),
    (modules_without_tests, "tpm_pipeline/servers/kobo.py", FUNCTION + "    print()\n", "tests/servers/test_kobo.py"),
    (modules_without_tests, "flows/nightly.py", FUNCTION + "    print()\n", "tests/flows/test_nightly.py"),
    (long_files, "tests/test_x.py", "x = 1\n" * 401, "tests/test_x.py: 401 lines"),
    (long_functions, "flows/x.py", FUNCTION + "    print()\n" * 40, "flows/x.py:f: 41 lines"),
    (long_median, "flows/x.py", "x = 1\n" * 121, "median: 121 lines"),
    (addresses, "README.md", f"see files.{HOST}", f"README.md: {HOST}"),
    (addresses, "README.md", f"look in {HOME}/x", f"README.md: {HOME}/x"),
    (time_zones_in_sql, "warehouse/marts/x.sql", "select a at time zone 'UTC'", "warehouse/marts/x.sql: at time zone"),
    (time_zones_in_sql, "flows/x.py", "SQL = f'select {1}::timestamptz'", "flows/x.py: timestamptz"),
]


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A repository in which every law finds nothing."""
    subprocess.run(["git", "init", "--quiet"], cwd=tmp_path, check=True)
    for name in TOP_LEVEL:
        path = tmp_path / name if "." in name or name == "Makefile" else tmp_path / name / "__init__.py"
        path.parent.mkdir(exist_ok=True)
        path.touch()
    return tmp_path


@pytest.mark.parametrize("law", LAWS)
def test_the_tree_obeys(law: Law) -> None:
    assert law(ROOT) == []


@pytest.mark.parametrize(("law", "path", "content", "found"), VIOLATIONS)
def test_a_violation_is_found(law: Law, path: str, content: str | None, found: str, tree: Path) -> None:
    assert law(tree) == []
    if content is None:
        (tree / path).unlink()
    else:
        (tree / path).parent.mkdir(parents=True, exist_ok=True)
        (tree / path).write_text(content)
    assert law(tree) == [found]


def test_every_law_is_shown_to_bite() -> None:
    assert {law for law, *_ in VIOLATIONS} == set(LAWS)
