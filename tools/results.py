"""Makes tables of docs/results/*.json: for the documentation, and the one in README.md (`python tools/results.py`).

With `--check` README.md is not written: the exit status is 1 if its table differs from the result files.
"""

import json
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "docs" / "results"
START, END = "<!-- results: written by tools/results.py -->\n", "<!-- /results -->"

Cell = str | int | float | None

# The summary's rows: what, then the cell for this project, PP-OCRv6-small and Tesseract, each as (file, row, column) or None.
Source = tuple[str, str, str]
LATENCY = "a drawn line of 30 characters, four beams, as the app reads"
PAPER = "Copiste, every eighth writer, French, pen on paper"
SUMMARY: list[tuple[str, str, Source, Source | None, Source | None]] = [
    (
        "English lines drawn by people (IAM-OnDB): wrong characters",
        "{} %",
        ("evaluation-text", "IAM-OnDB, both", "CER %"),
        ("evaluation-text", "IAM-OnDB, both", "PP-OCRv6-small CER %"),
        ("evaluation-text", "IAM-OnDB, both", "Tesseract CER %"),
    ),
    (
        "French lines, pen on paper (Copiste): wrong characters",
        "{} %",
        ("evaluation-text", PAPER, "CER %"),
        ("evaluation-text", PAPER, "PP-OCRv6-small CER %"),
        ("evaluation-text", PAPER, "Tesseract CER %"),
    ),
    (
        "Words, names and numbers drawn by script: wholly right",
        "{} %",
        ("evaluation-ink", "all", "wholly right %"),
        ("evaluation-ink", "all", "PP-OCRv6-small wholly right %"),
        ("evaluation-ink", "all", "Tesseract wholly right %"),
    ),
    (
        "Formulas drawn by people (CROHME 2013): wholly right",
        "{} %",
        ("evaluation-math", "CROHME test2013, drawn by writers not trained on", "wholly right %"),
        None,
        None,
    ),
    (
        "Pages as a phone takes them: wrong characters",
        "{} %",
        ("evaluation-pages", "as a phone takes them", "page CER %"),
        ("evaluation-pages", "as a phone takes them", "rapidocr page CER %"),
        None,
    ),
    (
        "Time for a drawn line of 30 characters, two cores",
        "{} ms",
        ("benchmark-latency", LATENCY, "ms"),
        ("benchmark-latency", "PP-OCRv6-small, the line's picture", "ms"),
        ("benchmark-latency", "Tesseract, the line's picture", "ms"),
    ),
]


def load(name: str) -> dict:
    """The result file `docs/results/<name>.json`.

    Raises:
        ValueError: a key is missing, or a row is not as long as `columns`.
    """
    result = json.loads((RESULTS / f"{name}.json").read_text(encoding="utf-8"))
    missing = {"command", "date", "machine", "columns", "rows", "note"} - result.keys()
    if missing:
        raise ValueError(f"docs/results/{name}.json lacks {', '.join(sorted(missing))}.")
    for row in result["rows"]:
        if len(row) != len(result["columns"]):
            raise ValueError(f"docs/results/{name}.json: {row} does not fit its columns.")
    return result


def shown(cell: Cell) -> str:
    """A cell as text: thousands grouped, a dash for None."""
    if cell is None:
        return "–"
    return f"{cell:,}" if isinstance(cell, int | float) else cell.replace("|", "\\|")


def markdown(columns: list[str], rows: list[list[Cell]]) -> str:
    """A Markdown table; columns of numbers are aligned to the right."""
    numeric = [all(not isinstance(row[index], str) for row in rows) for index in range(len(columns))]
    lines = [
        columns,
        ["---:" if right else "---" for right in numeric],
        *([shown(cell) for cell in row] for row in rows),
    ]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def table(name: str) -> str:
    """A result file as Markdown: the table, then how it was measured."""
    result = load(name)
    measured = f"Measured with `{result['command']}` on {result['date']} ({result['machine']})."
    return f"{markdown(result['columns'], result['rows'])}\n<small>{measured} {result['note']}</small>\n"


def cell(source: Source) -> Cell:
    """One cell of a result file.

    Raises:
        ValueError: no such row or column.
    """
    name, row, column = source
    result = load(name)
    rows = [cells for cells in result["rows"] if cells[0] == row]
    if len(rows) != 1 or column not in result["columns"]:
        raise ValueError(f"docs/results/{name}.json has no row {row!r} with a column {column!r}; README.md shows it.")
    return rows[0][result["columns"].index(column)]


def summary() -> str:
    """The table of README.md."""
    rows: list[list[Cell]] = [
        [what, *("–" if source is None else unit.format(shown(cell(source))) for source in sources)]
        for what, unit, *sources in SUMMARY
    ]
    return markdown(["", "this project", "PP-OCRv6-small", "Tesseract 5.3"], rows)


def with_summary(readme: str) -> str:
    """The README's text with the table of today's result files."""
    pattern = re.compile(re.escape(START) + ".*?" + re.escape(END), re.DOTALL)
    if not pattern.search(readme):
        raise ValueError(f"README.md has no {START.strip()} … {END}.")
    return pattern.sub(lambda _: f"{START}{summary()}{END}", readme)


def main() -> int:
    path = ROOT / "README.md"
    before = path.read_text(encoding="utf-8")
    after = with_summary(before)
    if "--check" not in sys.argv[1:]:
        path.write_text(after, encoding="utf-8")
    elif before != after:
        print("README.md's table differs from docs/results: run `make results`.", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
