"""Pages as plain text, Markdown, and JSON (its schema: `page.schema.json`)."""

import json
import re
from collections.abc import Mapping

from hwr_core.reading import Line, Page


def to_txt(pages: Mapping[str, Page]) -> str:
    """The text of one page, or of several under their names."""
    if len(pages) == 1:
        return "".join(page.text + "\n" for page in pages.values())
    return "\n".join(f"# {name}\n{page.text}\n" for name, page in pages.items())


def to_markdown(pages: Mapping[str, Page]) -> str:
    """Line by line, under the pages' names; formulas as `$$…$$`. Nothing that was written counts as a mark."""
    bodies = ["\n".join(map(_markdown_line, page.lines)) for page in pages.values()]
    return "\n".join(f"## {escaped(name)}\n\n{body}\n" for name, body in zip(pages, bodies, strict=True))


def _markdown_line(line: Line) -> str:
    # Two spaces keep the end of a line one.
    return f"\n$$\n{line.reading.text}\n$$\n" if line.formula else f"{escaped(line.reading.text)}  "


def escaped(text: str) -> str:
    text = re.sub(r"([\\`*_\[\]<>|~$&])", r"\\\1", text)
    # At a line's start, what would make it a heading, a list, a quotation or a rule.
    return re.sub(
        r"^(\s*)([#+=-]|\d+(?=[.)]))",
        lambda found: found[1] + (found[2] + "\\" if found[2].isdigit() else "\\" + found[2]),
        text,
    )


def to_json(pages: Mapping[str, Page]) -> str:
    """A list of pages, each `Page.to_dict()` with its `name`, indented, in UTF-8 characters."""
    return json.dumps([{"name": name, **page.to_dict()} for name, page in pages.items()], ensure_ascii=False, indent=2)
