"""The languages of the text checkpoint: each is a file in `training/languages`, such as `it.toml`.

    python -m training.data.languages it        # checks a language: characters, fonts, texts, words

The characters, the texts that are drawn and counted, and the frequency lists all come from these files.
"""

import argparse
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).resolve().parents[1] / "languages"
LEAST_SENTENCES = 1000  # with transcripts; fewer do not foretell a language
SPELLINGS = ("", "italian accents", "german ß")  # keys of `spelling.SPELLINGS`


@dataclass(frozen=True)
class Language:
    """A language, as its file describes it.

    Attributes:
        code: The file's name, an ISO 639-1 code.
        name: Its name in English.
        number: The order in which languages came. Tokens of new characters follow it.
        letters: Letters besides a to z, small, and signs of its own.
        share: Share of the texts that are drawn; the languages' shares need not add up to one.
        months: Names of months that are drawn in dates.
        days: Names of weekdays that are drawn.
        sentences: Whether `sentences_eu.jsonl.gz` of the training data has sentences of it.
        files: Text files of sentences, one a line, plain or gzipped, beside the language's file or in the data folder.
        texts_spelling: What puts letters back into the sentences that they lack, of `SPELLINGS`.
        wordfreq: The code of its list in wordfreq; empty for none.
        words_spelling: The same for the list's words.
        least_fonts: Handwriting fonts that must have all letters.
        transcripts: Data sets whose transcripts are drawn and counted as sentences.
        transcripts_weight: Weight of these in the language model.
        counted: Data sets whose transcripts are only counted, by their names in tables.
        packages: Packages of npm and Debian whose sentences are only counted, see `text_packages`.
    """

    code: str
    name: str
    number: int
    letters: str
    share: float
    months: tuple[str, ...] = ()
    days: tuple[str, ...] = ()
    sentences: bool = False
    files: tuple[Path, ...] = ()
    texts_spelling: str = ""
    wordfreq: str = ""
    words_spelling: str = ""
    least_fonts: int = 1
    transcripts: tuple[str, ...] = ()
    transcripts_weight: float = 1.0
    counted: dict[str, str] = field(default_factory=dict)
    packages: tuple[str, ...] = ()

    @property
    def characters(self) -> str:
        """The letters, and their capitals where these are one character."""
        capitals = (letter.upper() for letter in self.letters)
        return "".join(dict.fromkeys(self.letters + "".join(c for c in capitals if len(c) == 1)))


_KEYS: dict[str, tuple[str, ...]] = {
    "": ("name", "number", "letters", "share", "months", "days"),
    "texts": ("sentences", "files", "spelling", "packages"),
    "words": ("wordfreq", "spelling"),
    "fonts": ("least",),
    "transcripts": ("drawn", "weight", "counted"),
}


def read(path: Path) -> Language:
    """Reads a language's file.

    Raises:
        ValueError: A key is missing, unknown or of the wrong type. The message names the file and the key.
    """
    try:
        given = tomllib.loads(path.read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as error:
        raise ValueError(f"{path.name} is no TOML: {error}.") from None
    tables: dict[str, dict[str, Any]] = {
        "": {key: value for key, value in given.items() if not isinstance(value, dict)}
    }
    tables |= {key: value for key, value in given.items() if isinstance(value, dict)}
    for table, values in tables.items():
        unknown = sorted(set(values) - set(_KEYS.get(table, ())))
        if unknown:
            raise ValueError(f"{path.name} has the unknown key {'.'.join(filter(None, (table, unknown[0])))}.")
    if missing := [key for key in ("name", "number", "letters", "share") if key not in given]:
        raise ValueError(f"{path.name} lacks the key {missing[0]}.")
    texts, words, fonts, transcripts = (tables.get(key, {}) for key in ("texts", "words", "fonts", "transcripts"))
    for spelled in (texts, words):
        if spelled.get("spelling", "") not in SPELLINGS:
            raise ValueError(f"{path.name} has an unknown spelling: choose one of {', '.join(SPELLINGS[1:])}.")
    return Language(
        path.stem,
        str(given["name"]),
        int(given["number"]),
        str(given["letters"]),
        float(given["share"]),
        tuple(given.get("months", ())),
        tuple(given.get("days", ())),
        bool(texts.get("sentences", False)),
        tuple(path.parent / name for name in texts.get("files", ())),
        str(texts.get("spelling", "")),
        str(words.get("wordfreq", "")),
        str(words.get("spelling", "")),
        int(fonts.get("least", 1)),
        tuple(transcripts.get("drawn", ())),
        float(transcripts.get("weight", 1.0)),
        dict(transcripts.get("counted", {})),
        tuple(texts.get("packages", ())),
    )


def read_all(folder: Path = FOLDER) -> dict[str, Language]:
    """The languages by their codes, in the order of their numbers.

    Raises:
        ValueError: A file is wrong, or two have one number.
    """
    found = sorted((read(path) for path in folder.glob("*.toml")), key=lambda language: language.number)
    numbers = [language.number for language in found]
    if twice := {number for number in numbers if numbers.count(number) > 1}:
        raise ValueError(f"Two languages have the number {min(twice)}: give the new one {max(numbers) + 1}.")
    return {language.code: language for language in found}


def load(folder: Path = FOLDER, command: bool = False) -> dict[str, Language]:
    """As `read_all`. In the `command` of this module a mistake ends the process with one sentence."""
    try:
        return read_all(folder)
    except ValueError as error:
        if command:
            raise SystemExit(str(error)) from None
        raise


LANGUAGES = load(command=__name__ == "__main__")


def new_characters(known: str) -> str:
    """The languages' characters that are not in `known`, in the order of the languages."""
    return "".join(dict.fromkeys(c for language in LANGUAGES.values() for c in language.characters if c not in known))


def check(language: Language, downloads: Path) -> list[tuple[str, str, bool]]:
    """Checks what the training has for a language.

    Args:
        language: The language.
        downloads: Where the frequency lists lie or are downloaded to.

    Returns:
        What was checked, what was found, and whether that is enough.
    """
    # Late: these modules read `LANGUAGES` themselves.
    from training.data import datasets, word_frequencies
    from training.data.charset import RELEASED
    from training.data.formula_symbols import hershey
    from training.synthesis.drawn_lines import FontWriter, Glyphs

    letters = language.characters
    new = [letter for letter in letters if letter not in RELEASED]
    rows = [("characters", f"{len(letters)}, of them new: {' '.join(new) or 'none'}", True)]
    fonts = FontWriter(datasets.fonts())
    able = [name for name in fonts.names if all(fonts.has(name, letter) for letter in letters)]
    rows.append(("fonts with all letters", f"{len(able)} of {len(fonts.names)}", len(able) >= language.least_fonts))
    glyphs = Glyphs({**hershey(), **datasets.crohme_symbols()})
    lacking = [letter for letter in letters if not glyphs.has(letter)]
    rows.append(("letters that no pen strokes make", " ".join(lacking) or "none", True))
    sentences = datasets.sentences().get(language.code, [])
    transcripts = [line for name in language.transcripts for line in datasets.scans(name, "train")]
    rows.append(("sentences", f"{len(sentences):,}", len(sentences) + len(transcripts) >= LEAST_SENTENCES))
    rows.append(("transcripts", f"{len(transcripts):,}", True))
    words = word_frequencies.of_language(downloads, language)[0] if language.wordfreq else []
    rows.append(("frequent words", f"{len(words):,}", bool(words) or not language.wordfreq))
    return rows


def main(given: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("languages", nargs="*", default=list(LANGUAGES), help="codes; all unless given")
    parser.add_argument("--downloads", type=Path, default=Path("runs/downloads"), help="where frequency lists lie")
    arguments = parser.parse_args(given)
    enough = True
    for code in arguments.languages:
        if code not in LANGUAGES:
            parser.error(f"There is no {FOLDER.name}/{code}.toml.")
        print(f"{code}: {LANGUAGES[code].name}")
        try:
            rows = check(LANGUAGES[code], arguments.downloads)
        except (FileNotFoundError, ValueError) as error:
            parser.exit(1, f"  {error}\n")
        for what, found, ok in rows:
            print(f"  {what}: {found}{'' if ok else '  ← too few'}")
            enough = enough and ok
    return 0 if enough else 1


if __name__ == "__main__":
    raise SystemExit(main())
