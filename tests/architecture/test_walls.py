"""Walls that hold for modules nobody has written yet: what is not allowed by a rule here is an error."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from zhixin.law.procedures import procedures

ROOT = Path(__file__).parents[2]
SITE = ROOT / "src" / "zhixin_web"
APPS = tuple(path.parent.name for path in sorted(SITE.glob("*/models.py")))
"""The domain apps: every folder with models."""
OPEN_TO_THE_PUBLIC = {
    "accounts.permissions", "accounts.visitors", "audit.models", "audit.queries", "audit.services.checkpoints", "cases.models", "cases.queries",
    "cases.services.reports", "evaluations.fairness", "governance.queries", "governance.services.consultations", "papers.fonts",
    "papers.models", "papers.services.issue", "rulebooks.deadlines", "rulebooks.document", "rulebooks.law_in_force",
}  # fmt: skip
"""What a public page may use beside the ``published`` module of an app; records, collection and workspace have nothing else."""
SHARED_WORDS = {"withdrawn", "refused", "upheld", "accepted", "verify"}
"""Names in procedures that papers, reports and records have as well."""
WRITES = {"create", "bulk_create", "get_or_create", "update_or_create", "bulk_update", "delete", "save", "update"}
HEAVY = ("polars", "duckdb", "ibis", "pyarrow", "pandas", "scipy", "sklearn", "numpy", "pyspark", "django")


def modules(folder: Path) -> Iterator[tuple[str, ast.Module]]:
    """Yield the dotted path within the site and the tree of each module below a folder."""
    for path in sorted(folder.rglob("*.py")):
        if "migrations" not in path.parts:
            yield ".".join(path.relative_to(SITE).with_suffix("").parts), ast.parse(path.read_text(encoding="utf-8"))


def imports(tree: ast.AST) -> Iterator[tuple[str, str]]:
    """Yield module and name of every import from the site, wherever in the module it stands."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("zhixin_web."):
            for alias in node.names:
                yield (node.module or "").removeprefix("zhixin_web."), alias.name


def written_models(tree: ast.AST) -> Iterator[str]:
    """Yield the names whose ``objects`` are written to, or filtered and then written to."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in WRITES:
            inner: ast.AST = node.func.value
            while isinstance(inner, ast.Call | ast.Attribute):
                if isinstance(inner, ast.Attribute) and inner.attr == "objects" and isinstance(inner.value, ast.Name):
                    yield inner.value.id
                inner = inner.func if isinstance(inner, ast.Call) else inner.value


def test_public_pages_read_through_published_alone() -> None:
    wrong = [
        f"{name}: {module}"
        for name, tree in modules(SITE / "faces" / "portal")
        for module, _name in imports(tree)
        if module.split(".")[0] in APPS and not module.endswith(".published") and module not in OPEN_TO_THE_PUBLIC
    ]
    assert wrong == []


@pytest.mark.parametrize("app", ["records", "collection", "workspace"])
def test_nothing_of_what_may_be_secret_is_open_to_the_public(app: str) -> None:
    assert [name for name in OPEN_TO_THE_PUBLIC if name.startswith(app)] == []


@pytest.mark.parametrize("app", APPS)
def test_an_app_writes_its_own_tables_alone(app: str) -> None:
    wrong = []
    for name, tree in modules(SITE / app):
        foreign = {
            item: module
            for module, item in imports(tree)
            if module.split(".")[0] != app and module.split(".")[0] in APPS and ".models" in module
        }
        wrong += [f"{name} writes {item}" for item in written_models(tree) if item in foreign]
    assert wrong == []


def test_queries_never_write() -> None:
    wrong = [
        f"{name} writes {item}"
        for name, tree in modules(SITE)
        if name.split(".")[-1] in ("queries", "published")
        for item in written_models(tree)
    ]
    assert wrong == []


def test_faces_write_through_services_alone() -> None:
    wrong = [f"{name} writes {item}" for name, tree in modules(SITE / "faces") for item in written_models(tree)]
    assert wrong == []


@pytest.mark.parametrize("words", [["--help"], ["check", "--help"], ["evaluate", "--help"]])
def test_help_loads_nothing_heavy(words: list[str]) -> None:
    script = (
        f"import sys; sys.argv = ['zhixin', *{words!r}]\n"
        "from zhixin.cli.app import main\n"
        "try:\n    main()\nexcept SystemExit:\n    pass\n"
        f"print('heavy:', [name for name in {HEAVY!r} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-X", "utf8", "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.rstrip().endswith("heavy: []"), done.stdout[-300:] + done.stderr[-300:]


def test_a_template_has_no_line_that_a_reader_must_scroll() -> None:
    wrong = [
        f"{path.relative_to(SITE)}:{number}"
        for path in sorted(SITE.rglob("*.html"))
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if len(line) > 120
    ]
    assert wrong == []


def test_no_text_of_the_site_joins_two_languages() -> None:
    wrong = []
    for name, tree in modules(SITE):
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and " / " in node.value:
                before, _, after = node.value.partition(" / ")
                if any("\u4e00" <= char <= "\u9fff" for char in before) and after[:1].isascii() and after[:1].isalpha():
                    wrong.append(f"{name}: {node.value[:60]}")
    assert wrong == []


def test_a_class_name_means_one_thing() -> None:
    found: dict[str, list[str]] = {}
    for path in sorted((ROOT / "src").rglob("*.py")):
        if "migrations" in path.parts:
            continue
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_") and node.name != "Command":
                found.setdefault(node.name, []).append(str(path.relative_to(ROOT)))
    assert {name: places for name, places in found.items() if len(places) > 1} == {
        "Inspector": [
            "src/zhixin/trust/draw/proposal.py",
            "src/zhixin_web/inspections/models.py",
        ]  # one person, committed and kept
    }


def test_a_function_fits_on_a_screen() -> None:
    """Forty lines without signature and docstring; a flat table of cases (one ``match`` or one literal) may be longer."""
    long = []
    for path in sorted((ROOT / "src").rglob("*.py")):
        if "migrations" in path.parts:
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef):
                body = node.body[1:] if ast.get_docstring(node) and len(node.body) > 1 else node.body
                lines = node.end_lineno - body[0].lineno + 1  # type: ignore[operator]
                if lines > 40 and not any(isinstance(item, ast.Match) for item in body):
                    long.append(f"{path.relative_to(ROOT)}:{node.name} {lines}")
    assert long == []


def test_the_site_knows_no_state_and_no_step_of_a_procedure_by_name() -> None:
    """Procedures are data: what follows from a state or a step, follows from what the procedure says of it."""
    names = {item.id for chosen in procedures().values() for item in (*chosen.states, *chosen.transitions)}
    named = [
        f"{module}:{node.lineno} {node.value}"
        for folder in (SITE / "cases", SITE / "jobs", SITE / "workspace", SITE / "records")
        for module, tree in modules(folder)
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and node.value in names - SHARED_WORDS
    ]
    assert named == []
