"""Measures how well a checkpoint reads what it was not trained on: `python -m training.evaluate TASK`.

    text            lines by unseen writers, words in no frequency list, marked words, line confidences
    ink             what people write first, drawn by script in unseen hands
    math            CROHME's formulas: the test set of 2013 or, for choices, writers kept out of training (--dev)
    drawn-formulas  only the formulas drawn by script: formulas, matrices, large numbers
    pages           scanned pages, as they are and as a phone takes them, beside rapidocr
    composed        composed pages of ten kinds: how much is read, reported as unread, lost or invented
    cases           small inputs that were read wrong once
    real            real photos and scans, in order and in any order

PP-OCRv6-small reads the pictures of text and ink in the same run. So does Tesseract, where it is installed.
"""

import argparse
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from hwr_core import load_recognizer
from hwr_core.recognizer import Recognizer
from training.evaluation import results
from training.evaluation.cases import evaluate_cases
from training.evaluation.composed import evaluate_composed
from training.evaluation.formulas import evaluate_drawn_only, evaluate_math
from training.evaluation.lines import evaluate_ink, evaluate_text, note_of, print_size_and_time
from training.evaluation.pages import evaluate_pages
from training.evaluation.peers import peers
from training.evaluation.real import evaluate_real
from training.evaluation.results import Table
from training.evaluation.validation import chosen

Task = Callable[[Recognizer, argparse.Namespace], Sequence[Table] | None]


def text(recognizer: Recognizer, arguments: argparse.Namespace) -> Sequence[Table]:
    print_size_and_time(recognizer, arguments)
    return evaluate_text(recognizer, {} if arguments.alone else peers(), arguments)


def ink(recognizer: Recognizer, arguments: argparse.Namespace) -> Sequence[Table]:
    print_size_and_time(recognizer, arguments)
    return evaluate_ink(recognizer, {} if arguments.alone else peers(), arguments)


TASKS: dict[str, Task] = {
    "text": text,
    "ink": ink,
    "math": lambda recognizer, arguments: evaluate_math(recognizer, arguments, chosen),
    "drawn-formulas": lambda recognizer, arguments: evaluate_drawn_only(recognizer, arguments, chosen),
    "pages": evaluate_pages,
    "composed": evaluate_composed,
    "cases": evaluate_cases,
    "real": evaluate_real,
}
OTHERS_NOTE = "rapidocr, with its own models, on the same pages."
OF_FORMULAS = ("math", "drawn-formulas")  # tasks of the math checkpoint


def parse(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """Parses the command line; `model` is the task's own checkpoint unless given."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("task", choices=TASKS)
    parser.add_argument("--model", help="a checkpoint as load_recognizer takes it; text or math unless given")
    parser.add_argument("--beams", type=int, help="unless given, the checkpoint's own number")
    parser.add_argument(
        "--language-model", type=float, metavar="WEIGHT", help="in place of the checkpoint's own; 0 leaves it out"
    )
    parser.add_argument("--limit", type=int, help="lines of each set, chosen at random; pages in all")
    parser.add_argument("--alone", action="store_true", help="text, ink, composed: without the other readers")
    parser.add_argument("--others", action="store_true", help="composed: only the other readers")
    parser.add_argument(
        "--keep",
        type=Path,
        metavar="FOLDER",
        help="composed: keeps each reader's readings in FOLDER/READER and takes those that are there",
    )
    parser.add_argument(
        "--results",
        type=Path,
        metavar="PATH",
        help="writes the tables into PATH and files beside it (not cases)",
    )
    parser.add_argument(
        "--downloads", type=Path, default=Path("runs/downloads"), help="text: where the frequency lists lie"
    )
    parser.add_argument("--misses", action="store_true", help="prints everything that was read wrong (not text, pages)")
    parser.add_argument("--steps", action="store_true", help="pages: each step of the preprocessing on and off")
    parser.add_argument("--dev", action="store_true", help="math: the writers kept out of training, not the test set")
    found = parser.parse_args(arguments)
    found.model = found.model or ("math" if found.task in OF_FORMULAS else "text")
    return found


def main() -> None:
    arguments = parse()
    recognizer = load_recognizer(arguments.model)
    if arguments.language_model is not None:
        recognizer = recognizer.with_decoding(language_model_weight=arguments.language_model)
    started = time.perf_counter()
    tables = TASKS[arguments.task](recognizer, arguments) or []
    for table in tables:
        print(table.markdown(), end="\n\n")
    if arguments.results and tables:
        results.save(tables, arguments.results, OTHERS_NOTE if arguments.others else note_of(recognizer, arguments))
    print(f"{time.perf_counter() - started:.0f} seconds in all")


if __name__ == "__main__":
    main()
