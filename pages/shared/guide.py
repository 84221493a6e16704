"""The user guide in the app, as the documentation has it: a running app needs no other host to explain itself."""

import re
from collections.abc import Callable, Sequence

from hwr_core.documents.input_formats import INPUT_FORMATS
from hwr_core.export import FORMATS
from hwr_core.runtime.paths import APP

GUIDE = APP / "docs" / "guide.md"


def guide() -> str:
    """The user guide as Markdown. Left out are the pictures, links to other pages, how the app is started, and the table
    of settings, which the sidebar explains."""
    text = GUIDE.read_text(encoding="utf-8")
    text = re.sub(r"^`make run` .*?\n\n", "", text, flags=re.MULTILINE | re.DOTALL)
    text = re.sub(r"^!\[[^\]]*\]\([^)]*\)\n", "", text, flags=re.MULTILINE)
    text = re.sub(r"\[([^\]]+)\]\((?!#)[^)]*\)", r"\1", text)
    tables: dict[str, Callable[[], str]] = {"inputs": _inputs, "formats": _formats, "settings": lambda: ""}
    return re.sub(r"^\[\[(\w+)\]\]$", lambda found: tables[found[1]](), text, flags=re.MULTILINE)


def _inputs() -> str:
    return _table(("format", "suffixes"), [(each.title, ", ".join(each.suffixes)) for each in INPUT_FORMATS])


def _formats() -> str:
    return _table(("format", "suffix"), [(each.title, each.suffix) for each in FORMATS.values()])


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    return "\n".join(f"| {' | '.join(row)} |" for row in (head, ["---"] * len(head), *rows))
