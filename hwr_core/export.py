"""Pages as files."""

import json
from collections.abc import Mapping

from hwr_core.reading import Page


def to_txt(pages: Mapping[str, Page]) -> str:
    """The text of one page, or of several under their names."""
    if len(pages) == 1:
        return "".join(page.text + "\n" for page in pages.values())
    return "\n".join(f"# {name}\n{page.text}\n" for name, page in pages.items())


def to_json(pages: Mapping[str, Page]) -> str:
    """A list of pages, each `Page.to_dict()` with its `name`, indented, in UTF-8 characters."""
    return json.dumps([{"name": name, **page.to_dict()} for name, page in pages.items()], ensure_ascii=False, indent=2)
