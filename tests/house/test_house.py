"""The house keeps its own rules."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FOLDERS = {"engine": "misread", "sql": "misread.sql", "schemas": "misread.schemas"}

MAY_NOT_KNOW = {
    "misread.schemas": ("misread.sql", "misread.store", "misread.cli", "misread.plan", "misread.execute"),
    "misread.sql": ("misread.store", "misread.cli", "misread.plan", "misread.execute", "misread.library"),
    "misread.plan": ("misread.discover", "misread.describe", "misread.fuse", "misread.audit", "misread.execute"),
    "misread.discover": ("misread.plan", "misread.describe", "misread.execute", "misread.store", "misread.audit"),
    "misread.describe": ("misread.plan", "misread.discover", "misread.execute", "misread.store", "misread.audit"),
    "misread.neighbours": ("misread.plan", "misread.discover", "misread.execute", "misread.library", "misread.cli"),
    "misread.subgroups": ("misread.plan", "misread.describe", "misread.execute", "misread.store", "misread.audit"),
    "misread.audit": ("misread.plan", "misread.discover", "misread.describe", "misread.execute", "misread.store"),
    "misread.fuse": ("misread.plan", "misread.discover", "misread.describe", "misread.execute", "misread.store"),
    "misread.store": ("misread.plan", "misread.discover", "misread.execute", "misread.sql", "misread.library"),
    "misread.ingest": ("misread.plan", "misread.discover", "misread.execute", "misread.cli", "misread.formats"),
    "misread.formats": ("misread.plan", "misread.discover", "misread.execute", "misread.cli", "misread.encode"),
    "misread.encode": ("misread.plan", "misread.discover", "misread.execute", "misread.cli", "misread.ingest"),
    "misread.care": ("misread.cli", "misread.library"),
    "misread.ask": ("misread.plan", "misread.cli", "misread.library"),
    "misread.execute": ("misread.cli", "misread.library"),
    "misread.library": ("misread.cli",),
}
"""What a package may never import; sql is engine's to use, schemas everybody's."""

HOMES = {
    "lance": ("misread.store",),
    "lancedb": ("misread.store",),
    "hdbscan": ("misread.discover",),
    "duckdb": ("misread.sql",),
    "pydicom": ("misread.formats",),
    "imagecodecs": ("misread.formats",),
    "torch": ("misread.encode", "misread.neighbours", "misread.products", "misread.devices"),  # models, and products
    "transformers": ("misread.encode",),
    "ray": ("misread.workers",),
    "typer": ("misread.cli",),
    "rich": ("misread.cli",),
}
"""Where each heavy package may be: one home, but where two do with it what has nothing in common."""


def modules() -> dict[str, Path]:
    found = {}
    for folder, package in FOLDERS.items():
        for path in sorted((ROOT / folder).rglob("*.py")):
            parts = path.relative_to(ROOT / folder).with_suffix("").parts
            name = ".".join([package, *(part for part in parts if part != "__init__")])
            found[name] = path
    return found


def imports(module: str, path: Path) -> set[str]:
    """Every module that `module` names in an import, anywhere in the file."""
    package = module if path.name == "__init__.py" else module.rpartition(".")[0]
    names = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = package.split(".")[: len(package.split(".")) - node.level + 1] if node.level else []
            full = ".".join([*base, *([node.module] if node.module else [])])
            names |= {f"{full}.{alias.name}" for alias in node.names} | {full}
    return names


def inside(name: str, package: str) -> bool:
    return name == package or name.startswith(package + ".")


def breaches(module: str, names: set[str]) -> list[str]:
    wrong = [f"{module} imports {name}" for name in names if name.split(".")[0] in FOLDERS]
    for package, forbidden in MAY_NOT_KNOW.items():
        if inside(module, package):
            wrong += [f"{module} imports {name}" for name in names if any(inside(name, f) for f in forbidden)]
    for heavy, homes in HOMES.items():
        if not any(inside(module, home) for home in homes):
            wrong += [f"{module} imports {name}" for name in names if inside(name, heavy)]
    return wrong


def test_modules_import_only_what_they_may_know() -> None:
    """schemas <- sql <- engine; plans know no kernels; every heavy package has one home."""
    assert [w for module, path in modules().items() for w in breaches(module, imports(module, path))] == []


@pytest.mark.parametrize(
    ("module", "name"),
    [
        ("misread.plan.nodes", "misread.discover"),
        ("misread.schemas.tables", "misread.store.store"),
        ("misread.fuse", "hdbscan"),
        ("misread.discover.tree", "torch"),
        ("misread.neighbours.choose", "misread.discover"),
        ("misread.x", "engine.plan"),
    ],
)
def test_a_breach_is_seen(module: str, name: str) -> None:
    """The rules above can fail."""
    assert breaches(module, {name})


def test_folders_reach_each_other_by_absolute_names() -> None:
    """Relative imports stay inside a folder's package, so that a file has one identity."""
    for module, path in modules().items():
        package = module if path.name == "__init__.py" else module.rpartition(".")[0]
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ImportFrom) and node.level:
                assert node.level <= len(package.split(".")), f"{path}: {ast.unparse(node)}"
                first = (node.module or node.names[0].name).split(".")[0]
                lands_on_top = node.level == len(package.split("."))
                assert not (lands_on_top and first in ("sql", "schemas")), f"{path}: {ast.unparse(node)}"


def test_no_circle_of_imports() -> None:
    """No module imports itself through others at load time (imports at the top of a file)."""
    known = modules()
    edges: dict[str, set[str]] = {}
    for module, path in known.items():
        tree = ast.parse(path.read_text())
        tree.body = [node for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom)]
        package = module if path.name == "__init__.py" else module.rpartition(".")[0]
        targets = set()
        for node in tree.body:
            if isinstance(node, ast.ImportFrom):
                base = package.split(".")[: len(package.split(".")) - node.level + 1] if node.level else []
                full = ".".join([*base, *([node.module] if node.module else [])])
                targets |= {n for n in (full, *(f"{full}.{a.name}" for a in node.names)) if n in known}
        edges[module] = {t for t in targets if t != module}
    done: set[str] = set()

    def visit(module: str, path: tuple[str, ...]) -> None:
        assert module not in path, " -> ".join([*path, module])
        if module not in done:
            for target in sorted(edges[module]):
                # a package's own __init__ gathers its modules; they may not lean on it
                visit(target, (*path, module))
            done.add(module)

    for module in edges:
        visit(module, ())


def test_the_readme_names_every_package_of_the_engine() -> None:
    """Its table of the house is whole: whoever looks for a part finds where it is."""
    (row,) = (line for line in (ROOT / "README.md").read_text().splitlines() if line.startswith("| `engine/` |"))
    there = {path.parent.name for path in (ROOT / "engine").glob("*/__init__.py")}
    assert set(re.findall(r"`(\w+)`", row)) - {"misread"} == there


def test_every_benchmark_is_named() -> None:
    """The table of the benchmarks has a row for each that can be run."""
    there = {path.parent.name for path in (ROOT / "benchmarks").glob("*/__main__.py")}
    there |= {path.stem for path in (ROOT / "benchmarks").glob("*.py") if "__main__" in path.read_text()}
    rows = re.findall(r"^\| \[?`(\w+)`", (ROOT / "benchmarks" / "README.md").read_text(), re.MULTILINE)
    assert set(rows) == there


def test_modules_can_be_read_in_a_sitting() -> None:
    """No module is longer than 400 lines."""
    long = {m: n for m, p in modules().items() if (n := len(p.read_text().splitlines())) > 400}
    assert long == {}


def test_sql_says_in_one_place_whose_a_sample_is() -> None:
    """Written out, a sample without a patient would be one with a patient who is called like it: `patient_of` knows."""
    texts = [
        path for folder in ("engine", "sql") for path in (ROOT / folder).rglob("*") if path.suffix in {".py", ".sql"}
    ]
    own = re.compile(r"coalesce\((\w+\.)?patient_id", re.IGNORECASE)
    assert [path.name for path in texts if own.search(path.read_text("utf-8"))] == ["patient_of.sql"]
