"""Fills the documentation with what the code and the result files say (hooks of mkdocs.yml).

A paragraph `[[name argument]]` becomes the output of the function of that name below, such as `[[table evaluation-text]]`.
After the build, a page that loads anything from another host is an error: the site works offline.
"""

import inspect
import re
import sys
from collections.abc import Callable
from dataclasses import fields
from html import escape
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tools"))

import results  # noqa: E402 (beside this file)

# What loads something: scripts, pictures, frames, style sheets, icons. Plain links do not.
FOREIGN = re.compile(
    r"""<(?:script|img|iframe|source)\b[^>]*?\bsrc=["']?(?:https?:)?//[^"'\s>]+"""
    r"""|<link\b(?![^>]*\brel=["']?(?:canonical|next|prev))[^>]*?\bhref=["']?(?:https?:)?//[^"'\s>]+"""
)


def on_config(config: Any, **_: Any) -> Any:
    """Lets the pages be filled from the code of this checkout."""
    sys.path.insert(0, str(ROOT))  # here, as mkdocs restores the path after it has loaded this module
    return config


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    """Replaces the markers of a page."""
    known: dict[str, Callable[..., str]] = {
        "changelog": changelog,
        "checkpoints": checkpoints,
        "command": command,
        "contributing": contributing,
        "environment": environment,
        "formats": formats,
        "inputs": inputs,
        "others": others,
        "rooms": rooms,
        "routes": routes,
        "settings": settings,
        "summary": lambda: results.summary(),
        "table": results.table,
    }
    return re.sub(
        r"^\[\[(\w+)(?: ([\w -]+))?\]\]$",
        lambda found: known[found[1]](*filter(None, [found[2]])),
        markdown,
        flags=re.MULTILINE,
    )


def on_post_build(config: Any, **_: Any) -> None:
    """Raises if a built page loads something from another host."""
    for page in Path(config["site_dir"]).rglob("*.html"):
        if found := foreign_resources(page.read_text(encoding="utf-8")):
            raise ValueError(f"{page.name} loads from another host: {found[0]}")


def foreign_resources(html: str) -> list[str]:
    """The tags of a page that load something from another host."""
    return FOREIGN.findall(html)


def changelog() -> str:
    """CHANGELOG.md without its title."""
    return (ROOT / "CHANGELOG.md").read_text(encoding="utf-8").split("\n", 1)[1]


def contributing() -> str:
    """CONTRIBUTING.md without its title; its links lead to pages of the site."""
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8").split("\n", 1)[1]
    return text.replace("](docs/contributing/", "](").replace("](docs/", "](../")


def environment() -> str:
    """The environment variables that the code reads."""
    from hwr_core.runtime.settings import rows

    return results.markdown(["variable", "default", "meaning"], [[f"`{n}`", d, m] for n, d, m in rows()])


def command(name: str) -> str:
    """The help text of a command of `hwr`, such as `read` or `train fine-tune`."""
    import click

    from hwr_core.cli import hwr

    chosen: click.Command = hwr
    for word in name.split():
        assert isinstance(chosen, click.Group)
        chosen = chosen.commands[word]
    with click.Context(chosen, info_name=f"hwr {name}", terminal_width=100, max_content_width=100) as context:
        return f"```text\n{chosen.get_help(context)}\n```\n"


def formats() -> str:
    """The export formats."""
    from hwr_core.export import FORMATS

    rows = [
        [
            f"`{format.name}`",
            format.title,
            f"`{format.suffix}`",
            "ZIP of one file a page" if format.single else "one file",
        ]
        for format in FORMATS.values()
    ]
    return results.markdown(["name", "format", "suffix", "several pages"], rows)


def inputs() -> str:
    """The formats of the files that can be read."""
    from hwr_core.documents.input_formats import INPUT_FORMATS

    rows = [[known.title, ", ".join(f"`{suffix}`" for suffix in known.suffixes)] for known in INPUT_FORMATS]
    return results.markdown(["format", "suffixes"], rows)


def others() -> str:
    """The tables of all result files that no page shows by name, each under a heading."""
    text = "\n".join(page.read_text(encoding="utf-8") for page in (ROOT / "docs").glob("*.md"))
    names = sorted(path.stem for path in results.RESULTS.glob("*.json"))
    return "\n".join(f"### {name}\n\n{results.table(name)}" for name in names if f"[[table {name}]]" not in text)


def checkpoints() -> str:
    """The checkpoints that the app offers."""
    from hwr_core.checkpoints.registry import CHECKPOINTS

    return results.markdown(
        ["name", "title", "note"], [[f"`{each.name}`", each.title, each.note] for each in CHECKPOINTS]
    )


def settings() -> str:
    """The preprocessing settings with their defaults, values and meanings."""
    import griffe

    from hwr_core.imaging.settings import LIMITS, PreprocessSettings

    sections = griffe.Docstring(inspect.getdoc(PreprocessSettings) or "").parse("google", warnings=False)
    attributes = next(section for section in sections if section.kind is griffe.DocstringSectionKind.attributes)
    meanings = {attribute.name: attribute.description.replace("\n", " ") for attribute in attributes.value}
    rows = []
    for field in fields(PreprocessSettings):
        values = ", ".join(f"`{value}`" for value in getattr(field.type, "__args__", ())) or "true or false"
        if field.name in LIMITS:
            values = "{} to {}".format(*LIMITS[field.name])
        rows.append([f"`{field.name}`", f"`{field.default}`", values, meanings[field.name]])
    return results.markdown(["setting", "default", "values", "meaning"], rows)


def routes() -> str:
    """The routes of the HTTP API, from its own OpenAPI document."""
    from hwr_core.imaging.settings import PreprocessSettings
    from hwr_core.server.api import create_api

    preprocessing = {field.name for field in fields(PreprocessSettings)}
    text = []
    for path, methods in create_api().openapi()["paths"].items():
        for method, operation in methods.items():
            text.append(f"### `{method.upper()} /api{path}`\n\n{operation.get('description', operation['summary'])}\n")
            parameters = operation.get("parameters", [])
            own = [each for each in parameters if each["name"] not in preprocessing]
            if own:
                rows = [[f"`{each['name']}`", _kind(each["schema"]), each.get("description", "")] for each in own]
                text.append(results.markdown(["parameter", "values", "meaning"], rows))
            if len(own) < len(parameters):
                text.append("Each [preprocessing setting](guide.md#preprocessing) is a parameter too.\n")
    return "\n".join(text)


def _kind(schema: dict) -> str:
    """The values that a parameter takes, with its default."""
    known = next(each for each in schema.get("anyOf", [schema]) if each.get("type") != "null")
    values = ", ".join(map(str, known["enum"])) if "enum" in known else known.get("type", "")
    if "minimum" in known or "maximum" in known:
        values += f" {known.get('minimum', '')} to {known.get('maximum', '')}"
    default = schema.get("default")
    return values if default is None else f"{values}; default {default}"


# The diagram of the rooms: what each is for. Their order is that of the contract in pyproject.toml.
PURPOSES = {
    "__main__": "python -m hwr_core",
    "cli": "command line",
    "server": "HTTP API",
    "batch": "many files, on Ray",
    "pipeline": "ink or photo → Page",
    "export": "Page → files",
    "layout": "where text stands on a page",
    "checkpoints": "name → network that runs",
    "recognizer": "line images → readings",
    "loaded_model": "what a checkpoint provides",
    "tasks": "text line or formula",
    "ink": "strokes in",
    "documents": "files in",
    "imaging": "pixels",
    "decoding": "token scores → text (NumPy)",
    "reading": "result types",
    "errors": "errors for the user",
    "metrics": "CER, WER",
    "runtime": "cores, memory, limits",
}


def rooms() -> str:
    """The rooms of hwr_core as inline SVG, highest first, from the import contract in pyproject.toml."""
    import tomllib

    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    contract = next(each for each in project["tool"]["importlinter"]["contracts"] if each.get("containers"))
    layers = [re.split(r" [|:] ", layer) for layer in contract["layers"] if layer != "__main__"]
    width, height, gap = 760, 46, 10
    boxes = []
    for row, layer in enumerate(layers):
        share = (width - gap * (len(layer) - 1)) / len(layer)
        for column, name in enumerate(name.strip("() ") for name in layer):
            x, y, middle = column * (share + gap), row * (height + gap), share / 2
            boxes.append(
                f'<g transform="translate({x:.0f} {y})"><rect width="{share:.0f}" height="{height}" rx="6"/>'
                f'<text x="{middle:.0f}" y="19" class="name">{name}</text>'
                f'<text x="{middle:.0f}" y="36">{escape(PURPOSES.get(name, ""))}</text></g>'
            )
    style = (
        "<style>.rooms rect{fill:none;stroke:currentColor}.rooms text{fill:currentColor;font:12px sans-serif;"
        "text-anchor:middle}.rooms .name{font:bold 14px sans-serif}</style>"
    )
    total = len(layers) * (height + gap)
    return (
        f'<svg class="rooms" viewBox="-1 -1 {width + 2} {total}" role="img" '
        f'aria-label="The rooms of hwr_core; each imports only from rows below it">{style}{"".join(boxes)}</svg>\n'
    )
