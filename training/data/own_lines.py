"""Lines of one's own for training: one loader for five forms of data.

- A data set as the Photo page exports it: `metadata.jsonl` with `file_name` and `text`, beside the pictures.
- A folder of line pictures, each with its text in a file of the same name: `a.png` and `a.txt` (or `a.gt.txt`).
- ALTO or PAGE XML files of pages, with the pages' pictures beside them.
- Strokes: a `.jsonl` file, a line `{"text": …, "strokes": [[[x, y], …], …]}` each.
- Pictures in rows: a `.jsonl` file, a line `{"text": …, "png": …}` each, the picture in base64.

Folders may lie in folders, and a ZIP stands for the folder in it. `-` stands for rows from standard input. The first folder below the one that is given names
the writer, unless a row has `writer`.

    python -m training.data.own_lines corrections/ data/mine.tar

makes a source of the training of it (`training.data.datasets`).
"""

import argparse
import base64
import io
import json
import sys
import tarfile
import zipfile
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import cv2
import numpy as np
from lxml import etree
from PIL import Image

from hwr_core.documents.image_reader import open_image
from hwr_core.errors import HandwritingError
from hwr_core.export.dataset import METADATA
from hwr_core.ink.strokes import Strokes, as_points, level, render_line
from hwr_core.layout.line_detection import cut_line
from training.data.charset import CHARACTERS, normalise

PICTURES = (".png", ".jpg", ".jpeg", ".tif", ".tiff", ".webp", ".bmp")
TRANSCRIPTS = (".gt.txt", ".txt")
INK_HEIGHT, INK_WIDTH = 96, 5.0  # pixels of a drawn line and of its strokes, as `TextLineTask` has them
LONG = 2.0  # width by height of an outline from which it may be tilted
HELD_OUT = 8  # every eighth writer or line is for validation
STANDARD_INPUT = Path("-")
SHOWN = 5  # unknown characters that an error names


@dataclass(frozen=True)
class OwnLine:
    """A line of one's own.

    Attributes:
        text: The transcript, normalised (`charset.normalise`). Of a formula, its LaTeX as it was given.
        grey: The picture, (height, width) uint8, dark on light.
        writer: Tells lines of one hand from others'; empty if nothing names it.
        origin: The file, and where in it the line is.
        strokes: Of a drawn line; None for a picture.
        formula: Whether the text is LaTeX.
    """

    text: str
    grey: np.ndarray
    writer: str
    origin: str
    strokes: Strokes | None = None
    formula: bool = False


def own_lines(path: Path) -> list[OwnLine]:
    """Loads all lines of a folder, a ZIP or a file.

    Args:
        path: A folder or ZIP in one or several of the forms, a single `.jsonl` file of strokes or pictures, or `-` for
            such rows from standard input. These are not written to the disk.

    Returns:
        The lines with a text, in the order of the files' names.

    Raises:
        HandwritingError: There is nothing to load, or a file is damaged. The message names the file and the place.
    """
    if path.suffix.lower() == ".zip" and path.is_file():
        with TemporaryDirectory(prefix="hwr-data-") as folder:
            _unpack(path, Path(folder))
            return own_lines(Path(folder))
    if path == STANDARD_INPUT:
        found = list(_rows(sys.stdin.buffer.read().decode("utf-8", errors="replace"), "standard input", "", None))
    elif path.is_file():
        found = list(_of_file(path, path.parent))
    elif path.is_dir():
        found = [line for file in sorted(path.rglob("*")) if file.is_file() for line in _of_file(file, path)]
    else:
        raise HandwritingError(f"There is no folder {path}.")
    if not found:
        raise HandwritingError(
            f"{path} has no lines: it needs {METADATA}, pictures with .txt files, ALTO or PAGE files, or strokes."
        )
    return found


def check_characters(lines: Collection[OwnLine], known: Collection[str]) -> None:
    """Checks that a checkpoint can write every character.

    Args:
        lines: The lines.
        known: The characters of the checkpoint's tokens.

    Raises:
        HandwritingError: Some characters are unknown. The message has each one's first place and how often it occurs.
    """
    first: dict[str, OwnLine] = {}
    counts: Counter[str] = Counter()
    for line in lines:
        for character in line.text:
            if character not in known:
                first.setdefault(character, line)
                counts[character] += 1
    if not counts:
        return
    places = [
        f"{character!r} (U+{ord(character):04X}) {count}×, first in {first[character].origin}"
        for character, count in counts.most_common(SHOWN)
    ]
    more = f"; and {len(counts) - SHOWN} other characters" if len(counts) > SHOWN else ""
    raise HandwritingError(
        f"The checkpoint cannot write {'; '.join(places)}{more}. Replace them, or train a checkpoint that has them "
        "(docs/contributing/language.md)."
    )


def _of_file(file: Path, root: Path) -> Iterator[OwnLine]:
    suffix = file.suffix.lower()
    if suffix == ".jsonl":
        yield from _rows(_text(file, root), _shown(file, root), _writer(file, root), file.parent, root)
    elif suffix == ".xml":
        yield from _page(file, root)
    elif suffix in PICTURES and (transcript := _transcript(file)) is not None:
        try:
            text = transcript.read_text(encoding="utf-8-sig")
        except UnicodeDecodeError:
            raise HandwritingError(f"{_shown(transcript, root)} is no UTF-8 text.") from None
        yield from _line(text, _grey(file, root), _writer(file, root), _shown(transcript, root))


def _transcript(picture: Path) -> Path | None:
    return next((path for suffix in TRANSCRIPTS if (path := picture.with_suffix(suffix)).is_file()), None)


def _rows(text: str, name: str, writer: str, folder: Path | None, root: Path | None = None) -> Iterator[OwnLine]:
    """The lines of a JSON Lines file: pictures in it, pictures that it names, or strokes.

    Args:
        text: Of the file.
        name: Of the file, for messages.
        writer: Of rows that name none.
        folder: Of the pictures that rows name. None: rows cannot name pictures.
        root: The folder that was given, for messages.
    """
    for number, row in enumerate(text.splitlines(), 1):
        if not row.strip():
            continue
        origin = f"{name}, line {number}"
        try:
            record = json.loads(row)
            transcript, origin = record["text"], str(record.get("name") or origin)
            own = str(record.get("writer") or writer)
            grey, strokes = _content(record, folder, root)
            yield from _line(transcript, grey, own, origin, strokes, record.get("kind") == "formula")
        except HandwritingError:
            raise
        except (ValueError, KeyError, TypeError, AttributeError, IndexError) as error:
            raise HandwritingError(
                f"{origin} is no row with text and file_name, text and png, or text and strokes "
                f"({type(error).__name__})."
            ) from None


def _content(record: dict[str, Any], folder: Path | None, root: Path | None) -> tuple[np.ndarray, Strokes | None]:
    """The picture of a row, and its strokes if it has any."""
    if "png" in record:
        return np.asarray(open_image(base64.b64decode(record["png"], validate=True)).convert("L")), None
    if "file_name" in record and folder is not None:
        return _grey(folder / record["file_name"], root or folder), None
    strokes = [as_points(np.array(stroke, float)) for stroke in record["strokes"] if len(stroke)]
    return np.asarray(render_line(level(strokes), INK_HEIGHT, INK_WIDTH).convert("L")), strokes


def _page(file: Path, root: Path) -> Iterator[OwnLine]:
    """The lines of an ALTO or PAGE file, cut out of the page's picture."""
    try:
        document = etree.fromstring(file.read_bytes(), etree.XMLParser(resolve_entities=False, no_network=True))
    except etree.XMLSyntaxError as error:
        raise HandwritingError(f"{_shown(file, root)} is no XML ({error.msg}).") from None
    lines = list(document.iter("{*}TextLine"))
    if etree.QName(document).localname not in ("alto", "PcGts") or not lines:
        return
    picture = np.asarray(open_image(_picture_of(file, document, root)).convert("L"))
    alto = etree.QName(document).localname == "alto"
    for number, element in enumerate(lines, 1):
        origin = f"{_shown(file, root)}, line {element.get('ID') or element.get('id') or number}"
        text = _alto_text(element) if alto else _page_text(element)
        outline = _outline(element, origin)
        if text.strip() and outline is not None:
            custom = element.get("custom", "") + element.get("TAGREFS", "")
            grey = cut_line(picture, outline).image
            yield from _line(text, grey, _writer(file, root), origin, formula="formula" in custom)


def _alto_text(element: etree._Element) -> str:
    parts = (
        child.get("CONTENT", "") if etree.QName(child).localname in ("String", "HYP") else " "
        for child in element.iter("{*}String", "{*}SP", "{*}HYP")
    )
    return "".join(parts)


def _page_text(element: etree._Element) -> str:
    """The line's first `TextEquiv`, of lowest index; the words' joined if the line has none."""
    own = sorted(element.findall("{*}TextEquiv"), key=lambda part: int(part.get("index", 0)))
    texts = [part.findtext("{*}Unicode") or "" for part in own]
    if texts:
        return texts[0]
    return " ".join(part.findtext("{*}TextEquiv/{*}Unicode") or "" for part in element.findall("{*}Word"))


def _outline(element: etree._Element, origin: str) -> np.ndarray | None:
    """The smallest rectangle around a line's outline, clockwise from the upper left of the writing, (4, 2)."""
    coordinates = element.find("{*}Coords")
    polygon = element.find("{*}Shape/{*}Polygon")
    written = coordinates.get("points") if coordinates is not None else None
    written = polygon.get("POINTS") if polygon is not None else written
    try:
        if written:
            values = np.array(written.replace(",", " ").split(), float).reshape(-1, 2)
        elif element.get("HPOS") is not None:
            left, top, width, height = (float(element.get(key, "")) for key in ("HPOS", "VPOS", "WIDTH", "HEIGHT"))
            values = np.array([(left, top), (left + width, top + height)])
        else:
            return None
    except ValueError:
        raise HandwritingError(f"{origin} has no readable coordinates.") from None
    box = np.array([values.min(0), values.max(0)])
    (left, top), (right, bottom) = box
    if right - left < LONG * (bottom - top):  # too short to tell its slope
        return np.array([(left, top), (right, top), (right, bottom), (left, bottom)])
    corners = cv2.boxPoints(cv2.minAreaRect(values.astype(np.float32))).astype(float)  # clockwise
    return max((np.roll(corners, -first, axis=0) for first in range(4)), key=lambda turned: turned[1, 0] - turned[0, 0])


def _picture_of(file: Path, document: etree._Element, root: Path) -> bytes:
    names = [element.text or "" for element in document.iter("{*}fileName")]
    names += [element.get("imageFilename", "") for element in document.iter("{*}Page")]
    named = [file.parent / Path(name.replace("\\", "/")).name for name in names if name.strip()]
    for path in [*named, *(file.with_suffix(suffix) for suffix in PICTURES)]:
        if path.is_file():
            return path.read_bytes()
    wanted = named[0].name if named else file.with_suffix(PICTURES[0]).name
    raise HandwritingError(f"{_shown(file, root)} needs the page's picture {wanted} beside it.")


def _line(
    text: str, grey: np.ndarray, writer: str, origin: str, strokes: Strokes | None = None, formula: bool = False
) -> Iterator[OwnLine]:
    """The line, unless it has no text."""
    if not isinstance(text, str):
        raise HandwritingError(f"The text in {origin} is no string.")
    cleaned = text.strip() if formula else normalise(text)
    if cleaned:
        yield OwnLine(cleaned, grey, writer, origin, strokes, formula)


def _grey(file: Path, root: Path) -> np.ndarray:
    try:
        return np.asarray(open_image(file.read_bytes()).convert("L"))
    except OSError:
        raise HandwritingError(f"There is no picture {_shown(file, root)}.") from None
    except HandwritingError as error:
        raise HandwritingError(f"{_shown(file, root)} cannot be read: {error}") from None


def _text(file: Path, root: Path) -> str:
    try:
        return file.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise HandwritingError(f"{_shown(file, root)} is no UTF-8 text.") from None


def _writer(file: Path, root: Path) -> str:
    parts = file.relative_to(root).parts
    return parts[0] if len(parts) > 1 else ""


def _shown(file: Path, root: Path) -> str:
    return file.relative_to(root).as_posix() if file.is_relative_to(root) else file.name


def _unpack(path: Path, folder: Path) -> None:
    """Unpacks a ZIP into a folder."""
    try:
        with zipfile.ZipFile(path) as archive:
            archive.extractall(folder)  # zipfile keeps all members below the folder
    except (zipfile.BadZipFile, OSError):
        raise HandwritingError(f"{path} is no ZIP.") from None


def to_tar(lines: Sequence[OwnLine], path: Path) -> None:
    """Writes lines of text as a source of the training: `lines.jsonl` and grey JPEGs.

    Every eighth writer is for validation; every eighth line if there is one writer only.
    """
    text_lines = [line for line in lines if not line.formula]
    writers = sorted({line.writer for line in text_lines})
    held = set(writers[::HELD_OUT]) if len(writers) > 1 else set()
    records = []
    with tarfile.open(path, "w") as tar:
        for number, line in enumerate(text_lines):
            name = f"{number}.jpg"
            out = line.writer in held if held else number % HELD_OUT == 0
            records.append(
                {"image": name, "text": line.text, "page": line.writer or "mine", "split": "val" if out else "train"}
            )
            picture = io.BytesIO()
            as_image(line).save(picture, "JPEG", quality=92)
            _add(tar, name, picture.getvalue())
        _add(tar, "lines.jsonl", "\n".join(json.dumps(row, ensure_ascii=False) for row in records).encode())


def _add(tar: tarfile.TarFile, name: str, content: bytes) -> None:
    member = tarfile.TarInfo(name)
    member.size = len(content)
    tar.addfile(member, io.BytesIO(content))


def as_image(line: OwnLine) -> Image.Image:
    """The line's picture as `Recognizer.read` takes it."""
    return Image.fromarray(line.grey)


def main(given: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("tar", type=Path)
    arguments = parser.parse_args(given)
    try:
        lines = own_lines(arguments.data)
        check_characters([line for line in lines if not line.formula], CHARACTERS)
    except HandwritingError as error:
        parser.exit(1, f"{error}\n")
    arguments.tar.parent.mkdir(parents=True, exist_ok=True)
    to_tar(lines, arguments.tar)
    print(f"{arguments.tar}: {len(lines)} lines")


if __name__ == "__main__":
    main()
