"""The documentation: its numbers, paths and snippets follow the repository."""

import ast
import importlib
import importlib.util
import json
import re

import pytest

from tests.support.paths import ROOT

PAGES = sorted([ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").rglob("*.md")])
NEW = ("hwr_core/export/csv_table.py", "hwr_core.export.csv_table")  # what a how-to tells the reader to write


def tool(name: str):
    spec = importlib.util.spec_from_file_location(name, ROOT / "tools" / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def titles(pages):
    return [str(page.relative_to(ROOT)) for page in pages]


@pytest.mark.parametrize("page", PAGES, ids=titles(PAGES))
def test_every_path_that_a_page_names_exists(page):
    named = re.findall(
        r"`((?:hwr_core|pages|training|benchmarks|tests|models|docs|tools)/[\w./-]*)`", page.read_text(encoding="utf-8")
    )
    missing = [path for path in named if path not in NEW and "…" not in path and not (ROOT / path).exists()]
    assert [path for path in missing if path != "models/microsoft/trocr-base-handwritten"] == []


@pytest.mark.parametrize("page", PAGES, ids=titles(PAGES))
def test_every_import_in_a_snippet_works(page):
    for code in re.findall(r"```python\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL):
        try:
            tree = ast.parse(code)
        except SyntaxError:
            continue  # an excerpt, such as an argument or an entry of a list
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom) and node.module.startswith("hwr_core") and node.module not in NEW:
                module = importlib.import_module(node.module)
                assert all(hasattr(module, alias.name) for alias in node.names), ast.unparse(node)


@pytest.mark.parametrize("page", PAGES, ids=titles(PAGES))
def test_every_module_that_a_command_runs_exists(page):
    for module in re.findall(
        r"python -m ((?:training|benchmarks|hwr_core|tests)[\w.]*)", page.read_text(encoding="utf-8")
    ):
        assert importlib.util.find_spec(module) is not None, module


def test_every_result_file_has_its_table_by_name_or_among_the_others():
    text = "\n".join(page.read_text(encoding="utf-8") for page in (ROOT / "docs").glob("*.md"))
    named = set(re.findall(r"^\[\[table ([\w-]+)\]\]$", text, re.MULTILINE))
    others = set(re.findall(r"^### ([\w-]+)$", tool("docs_hooks").others(), re.MULTILINE))
    files = {path.stem for path in (ROOT / "docs" / "results").glob("*.json")}
    assert named | others == files
    assert not named & others


def test_the_readme_shows_the_results():
    results = tool("results")
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert results.with_summary(text) == text


def test_a_changed_result_changes_the_readme(tmp_path):
    results = tool("results")
    for path in results.RESULTS.glob("*.json"):
        content = json.loads(path.read_text(encoding="utf-8"))
        for row in content["rows"]:
            if row[0] == "IAM-OnDB, both":
                row[content["columns"].index("CER %")] = 0.7
        (tmp_path / path.name).write_text(json.dumps(content), encoding="utf-8")
    results.RESULTS = tmp_path
    assert "| 0.7 % |" in results.summary()


WHOLE = {"command": "", "date": "", "machine": "", "note": "", "columns": ["a", "b"], "rows": [["x", 1]]}


@pytest.mark.parametrize(
    "broken",
    [
        {key: value for key, value in WHOLE.items() if key != "date"},
        {**WHOLE, "rows": [["only one cell"]]},
    ],
    ids=["without date", "short row"],
)
def test_a_result_file_that_breaks_the_schema_is_refused(tmp_path, broken):
    results = tool("results")
    (tmp_path / "x.json").write_text(json.dumps(broken), encoding="utf-8")
    results.RESULTS = tmp_path
    with pytest.raises(ValueError, match=r"docs/results/x\.json"):
        results.load("x")


def test_pages_that_load_from_other_hosts_are_found():
    hooks = tool("docs_hooks")
    assert hooks.foreign_resources('<script src="https://cdn.example/x.js"></script>')
    assert hooks.foreign_resources('<link rel="stylesheet" href="//fonts.example/x.css">')
    assert hooks.foreign_resources('<img alt="" src=https://pictures.example/x.png>')
    assert not hooks.foreign_resources('<a href="https://docs.example/">docs</a><script src="assets/x.js"></script>')
    assert not hooks.foreign_resources('<link rel="canonical" href="https://docs.example/page">')


def test_the_readme_keeps_the_front_matter_of_the_space_and_stays_short():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert text.startswith("---\n") and "sdk: docker" in text.split("---")[1]
    assert len(text.split("---", 2)[2].split()) < 800


def test_every_marker_of_the_command_lines_page_is_replaced():
    page = (ROOT / "docs" / "command-line.md").read_text(encoding="utf-8")
    filled = tool("docs_hooks").on_page_markdown(page, None)
    assert "Usage: hwr train fine-tune" in filled and not re.findall(r"^\[\[", filled, re.MULTILINE)
