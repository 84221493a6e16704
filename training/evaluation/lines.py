"""Prints how well a checkpoint reads what it was not trained on.

`python -m training.evaluation.lines text`: lines by writers that it has not seen, its size, and the time it takes.
`python -m training.evaluation.lines ink`: what people write first, drawn by script in hands that it has not seen (training/evaluation/drawn).
`python -m training.evaluation.lines math`: CROHME's formulas, of the test set of 2013 or, for choices, of writers kept out of training.
`python -m training.evaluation.lines drawn-formulas`: of these only what is drawn by script (training/evaluation/drawn), matrices among it.
`python -m training.evaluation.lines pages`: whole pages, as scanned and as a phone takes them, beside `rapidocr`.
Beside the first two, on the same pictures in the same run, PP-OCRv6-small and, where it is installed, Tesseract.
"""

import argparse
import io
import math
import os
import random
import re
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from PIL import Image
from safetensors import safe_open
from tqdm import tqdm

from hwr_core import load_recognizer
from hwr_core.checkpoints.registry import find
from hwr_core.ink.strokes import level, render_line
from hwr_core.metrics import calibration, cer, wer
from hwr_core.reading import Reading
from hwr_core.recognizer import Recognizer
from hwr_core.runtime.threads import free_threads
from training.data.datasets import iam_ondb, scans
from training.evaluation.drawn import Drawing, drawings
from training.evaluation.formulas import evaluate_drawn_only, evaluate_math
from training.evaluation.pages import evaluate_pages
from training.evaluation.peers import TESSERACT, Reader, peers
from training.evaluation.tables import comparable, print_row
from training.evaluation.timing import TEXT, drawing_seconds

Lines = list[tuple[Image.Image, str]]  # a picture and its text
COPISTE = "Copiste, every eighth writer"
NEW_TEXTS = "of these, texts not in training"


def validation_lines(recognizer: Recognizer, limit: int | None = None) -> dict[str, Lines]:
    """The validation sets; drawn lines are rendered as `read_ink` renders them. `limit` lines of each, chosen by chance."""
    sets: dict[str, Lines] = {}
    for split in ("val_v", "val_t"):
        lines = chosen(iam_ondb(split), limit)
        sets[f"IAM-OnDB {split}"] = [(drawn(line.strokes, recognizer), line.text) for line in lines]
    lines = chosen(scans("copiste", "val"), limit)
    sets[COPISTE] = [(Image.open(io.BytesIO(line.jpeg)), line.text) for line in lines]
    return sets


def drawn(strokes: list, recognizer: Recognizer) -> Image.Image:
    return render_line(level(strokes), recognizer.ink_height, recognizer.ink_stroke_width)


def chosen(lines: list, limit: int | None) -> list:
    return lines if limit is None or limit >= len(lines) else random.Random(0).sample(lines, limit)


def read_all(recognizer: Recognizer, images: list[Image.Image], beams: int | None, name: str) -> list[Reading]:
    with tqdm(total=len(images), desc=name, leave=False) as bar:
        return recognizer.read(images, beams=beams, on_progress=lambda done, _: bar.update(done - bar.n))


def texts_by_reader(
    recognizer: Recognizer, others: dict[str, Reader], images: list[Image.Image], beams: int | None, name: str
) -> tuple[list[Reading], dict[str, list[str]]]:
    """The recognizer's readings, and by reader the texts as they are compared, the recognizer's first."""
    readings = read_all(recognizer, images, beams, name)
    texts = {recognizer.name: [comparable(reading.text) for reading in readings]}
    for other, read in others.items():
        with ThreadPoolExecutor(
            os.cpu_count() if other == TESSERACT else 1
        ) as pool:  # a process of one thread for each line
            texts[other] = [
                comparable(text) for text in tqdm(pool.map(read, images), f"{name}, {other}", len(images), leave=False)
            ]
    return readings, texts


def evaluate_text(recognizer: Recognizer, others: dict[str, Reader], arguments: argparse.Namespace) -> None:
    readings: list[Reading] = []
    found: dict[str, dict[str, list[str]]] = {}
    truths: dict[str, list[str]] = {}
    for name, lines in validation_lines(recognizer, arguments.limit).items():
        truths[name] = [comparable(text) for _, text in lines]
        some, found[name] = texts_by_reader(recognizer, others, [image for image, _ in lines], arguments.beams, name)
        readings += some
    right = [
        text == truth for name in found for text, truth in zip(found[name][recognizer.name], truths[name], strict=True)
    ]
    drawn_sets = [name for name in found if name != COPISTE]
    together = "IAM-OnDB, both"
    truths[together] = [truth for name in drawn_sets for truth in truths[name]]
    found[together] = {
        reader: [text for name in drawn_sets for text in found[name][reader]] for reader in (recognizer.name, *others)
    }
    known = trigrams(
        line.text for name in ("copiste", "peraire", "cremma19", "poilus") for line in scans(name, "train")
    )
    new = [
        index
        for index, truth in enumerate(truths[COPISTE])
        if len(own := trigrams([truth])) > 2 * len(own & known) or not own
    ]
    truths[NEW_TEXTS] = [truths[COPISTE][index] for index in new]
    found[NEW_TEXTS] = {reader: [texts[index] for index in new] for reader, texts in found[COPISTE].items()}
    print_table("lines by unseen writers", truths, found, ("CER", cer), ("WER", wer))
    print("\n| line confidence | lines | wholly right |\n|---|---|---|")
    for low, high, count, share in calibration([reading.confidence for reading in readings], right):
        print(f"| {low:.1f} to {high:.1f} | {count} | {share:.0%} |")


def trigrams(texts: Iterable[str]) -> set[tuple[str, ...]]:
    """All three words that follow one another: several of Copiste's volunteers copied the same texts."""
    words = [re.findall(r"\w+", text.lower()) for text in texts]
    return {tuple(line[start : start + 3]) for line in words for start in range(len(line) - 2)}


def evaluate_ink(recognizer: Recognizer, others: dict[str, Reader], arguments: argparse.Namespace) -> None:
    chosen_ones: list[Drawing] = chosen(drawings(), arguments.limit)
    images = [drawn(drawing.strokes, recognizer) for drawing in chosen_ones]
    _, texts = texts_by_reader(recognizer, others, images, arguments.beams, "drawings")
    for title, group_of in (
        ("drawings by kind", lambda d: d.kind),
        ("drawings by hand", lambda d: d.style),
        ("drawings", lambda d: "all"),
    ):
        members: dict[str, list[int]] = {}
        for index, drawing in enumerate(chosen_ones):
            members.setdefault(group_of(drawing), []).append(index)
        truths = {group: [comparable(chosen_ones[i].text) for i in indices] for group, indices in members.items()}
        found = {
            group: {reader: [texts[reader][i] for i in indices] for reader in texts}
            for group, indices in members.items()
        }
        print_table(title, truths, found, ("right", share_right), ("CER", cer))
        print()
    if arguments.misses:
        for drawing, text in zip(chosen_ones, texts[recognizer.name], strict=True):
            if text != comparable(drawing.text):
                print(f"{drawing.kind:10} {drawing.style:8} {drawing.text!r} read {text!r}")


def share_right(truths: list[str], texts: list[str]) -> float:
    return sum(map(str.__eq__, truths, texts)) / max(1, len(truths))


def print_table(
    title: str,
    truths: dict[str, list[str]],
    found: dict[str, dict[str, list[str]]],
    *measures: tuple[str, Callable[[list, list], float]],
) -> None:
    """One row a set, and for each reader every measure of (truths, texts)."""
    readers = next(iter(found.values()))
    print_row([title, "n", *(f"{reader} {measure}" for reader in readers for measure, _ in measures)])
    print_row(["---"] * (2 + len(readers) * len(measures)))
    for name, texts in found.items():
        rates = [f"{rate(truths[name], texts[reader]):.1%}" for reader in readers for _, rate in measures]
        print_row([name, str(len(truths[name])), *rates])


def parameters_in(folder: Path) -> int:
    """How many a checkpoint's weights hold."""
    with safe_open(folder / "model.safetensors", "np") as weights:
        return sum(math.prod(weights.get_slice(name).get_shape()) for name in weights.keys())  # noqa: SIM118  it is no dictionary


def print_size_and_time(recognizer: Recognizer, arguments: argparse.Namespace) -> None:
    folder = find(arguments.model)
    files = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    settings = recognizer.settings(arguments.beams)
    milliseconds = 1000 * drawing_seconds(recognizer, settings.beams)
    language = f"language model at {settings.language_model_weight}" if settings.language_model else "no language model"
    print(
        f"{arguments.model}, {settings.beams} beams, {language}: {parameters_in(folder) / 1e6:.2f} M parameters, {files / 1e6:.1f} MB on disk, ",
        end="",
    )
    print(f"{milliseconds:.0f} ms a drawn line of {len(TEXT)} characters ({free_threads()} threads)\n")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    tasks = {
        "text": evaluate_text,
        "ink": evaluate_ink,
        "math": lambda *found: evaluate_math(found[0], found[2], chosen),
        "drawn-formulas": lambda *found: evaluate_drawn_only(found[0], found[2], chosen),
        "pages": lambda *found: evaluate_pages(found[0], found[2]),
    }
    parser.add_argument("task", choices=tasks)
    parser.add_argument("--model", help="a checkpoint as load_recognizer takes it; text or math unless given")
    parser.add_argument("--beams", type=int, help="unless given, the checkpoint's own number")
    parser.add_argument(
        "--language-model", type=float, metavar="WEIGHT", help="in place of the checkpoint's own; 0 leaves it out"
    )
    parser.add_argument("--limit", type=int, help="lines of each set, chosen by chance")
    parser.add_argument("--alone", action="store_true", help="without the other readers")
    parser.add_argument("--misses", action="store_true", help="ink, math: everything that was not read right")
    parser.add_argument("--steps", action="store_true", help="pages: each step of the preprocessing on and off")
    parser.add_argument("--dev", action="store_true", help="math: the writers kept out of training, not the test set")
    arguments = parser.parse_args()
    arguments.model = arguments.model or ("math" if arguments.task in ("math", "drawn-formulas") else "text")
    recognizer = load_recognizer(arguments.model)
    if arguments.language_model is not None:
        recognizer = recognizer.with_decoding(language_model_weight=arguments.language_model)
    if arguments.task in ("text", "ink"):
        print_size_and_time(recognizer, arguments)
    started = time.perf_counter()
    tasks[arguments.task](
        recognizer, {} if arguments.alone or arguments.task not in ("text", "ink") else peers(), arguments
    )
    print(f"\n{time.perf_counter() - started:.0f} seconds in all")


if __name__ == "__main__":
    main()
