"""Fits how probable it is that a word is right, and writes it into the checkpoint's config.json.

`python -m training.fit.word_confidence models/text`. A logistic regression (`hwr_core.decoding.word_confidence`) on the words
of some validation lines of each set, by half of the writers. Prints, by the lines of the other half, how many of the words
marked for checking are wrong, and of the others. It changes no reading. Fit it anew after every change of the weights or of
the language model: reading takes a few minutes. `--features FILE` keeps what was read, or fits what an earlier run kept.
"""

import argparse
import itertools
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from tqdm import tqdm

from hwr_core import load_recognizer
from hwr_core.checkpoints.registry import find
from hwr_core.decoding.word_confidence import FEATURES, WordConfidence
from hwr_core.recognizer import Recognizer
from training.evaluation import results
from training.evaluation.results import Cell, Table
from training.evaluation.validation import lines_by_writer
from training.evaluation.word_scores import mark_shares, read_words

THRESHOLDS = (0.4, 0.5, 0.6, 0.7, 0.75, 0.78, 0.8, 0.85, 0.9)
RIDGE = 1.0  # weight of the squared weights, of standardised features, in the loss
STEPS = 30  # of Newton's method at most


@dataclass(frozen=True)
class Samples:
    """Words as they were read.

    Attributes:
        features: (words, features) float, as `FEATURES` names them.
        product: (words,) float, the product of the probabilities of a word's characters and of the space after it.
        wrong: (words,) bool, whether the word is misread.
        writers: (words,) str, who wrote it, beginning with the validation set.
        sets: (words,) str, the validation set.
    """

    features: np.ndarray
    product: np.ndarray
    wrong: np.ndarray
    writers: np.ndarray
    sets: np.ndarray

    @property
    def is_first_half(self) -> np.ndarray:
        """(words,) bool, whether a word was written by one of the writers that the regression is fitted on."""
        return np.isin(self.writers, np.unique(self.writers)[::2])

    def part(self, kept: np.ndarray) -> "Samples":
        """The words of a mask (words,) bool."""
        return Samples(*(getattr(self, name)[kept] for name in self.__dataclass_fields__))


@dataclass(frozen=True)
class _Recorder(WordConfidence):
    """Keeps the features that the decoding asks for."""

    taken: list[np.ndarray] = field(default_factory=list, compare=False)

    def of(self, features: np.ndarray) -> np.ndarray:
        self.taken.append(features)
        return np.ones(len(features))


def samples(recognizer: Recognizer, limit: int) -> Samples:
    """Reads `limit` lines of each validation set. Lines that are read in parts, or as unreadable, are left out."""
    recorder = _Recorder((0.0,) * len(FEATURES), 0.0)
    recording = recognizer.with_decoding(word_confidence=recorder)
    kept: list[tuple[np.ndarray, list, str, str]] = []
    for name, lines in lines_by_writer(recognizer, limit).items():
        for image, text, writer in tqdm(lines, name, leave=False):
            recorder.taken.clear()
            words = read_words(text, recording.read([image])[0])
            if words and len(recorder.taken) == 1 and len(recorder.taken[0]) == len(words):
                kept.append((recorder.taken[0], words, name, f"{name}: {writer}"))
    every = [(word, name, writer) for _, words, name, writer in kept for word in words]
    return Samples(
        np.concatenate([features for features, *_ in kept]),
        np.array([word.confidence * word.space for word, *_ in every]),
        np.array([not word.right for word, *_ in every]),
        np.array([writer for *_, writer in every]),
        np.array([name for _, name, _ in every]),
    )


def fitted(features: np.ndarray, right: np.ndarray) -> WordConfidence:
    """The logistic regression that best foretells which words are right, by Newton's method.

    Args:
        features: (words, features) float.
        right: (words,) bool.
    """
    middle, scale = features.mean(0), features.std(0) + 1e-9
    standard = np.column_stack([(features - middle) / scale, np.ones(len(features))])
    ridge = np.diag([RIDGE] * features.shape[1] + [0.0])
    weights = np.zeros(standard.shape[1])
    for _ in range(STEPS):
        probable = 1 / (1 + np.exp(-standard @ weights))
        slope = standard.T @ (probable - right) + ridge @ weights
        curve = (standard * (probable * (1 - probable))[:, None]).T @ standard + ridge
        step = np.linalg.solve(curve, slope)
        weights -= step
        if np.abs(step).max() < 1e-8:
            break
    found = weights[:-1] / scale
    return WordConfidence(tuple(found.tolist()), float(weights[-1] - found @ middle))


def marks_table(words: Samples, fit: WordConfidence) -> Table:
    """For each threshold how many words are marked, and how many of the marked and of the others are wrong."""
    sure = fit.of(words.features)
    rows = [
        [f"estimate < {threshold}", len(sure), *mark_shares(sure < threshold, words.wrong)] for threshold in THRESHOLDS
    ]
    rows += [["product < 0.3", len(sure), *mark_shares(words.product < 0.3, words.wrong)]]
    return Table("", COLUMNS, rows)


def sets_table(words: Samples, fit: WordConfidence, threshold: float) -> Table:
    """The same for each validation set, at one threshold."""
    sure = fit.of(words.features)
    rows = [
        [name, int(own.sum()), *mark_shares(sure[own] < threshold, words.wrong[own])]
        for name in dict.fromkeys(words.sets.tolist())
        if (own := words.sets == name).any()
    ]
    return Table("sets", [f"validation lines, estimate < {threshold}", *COLUMNS[1:]], rows)


def calibration_table(words: Samples, fit: WordConfidence) -> Table:
    """How many words of each estimate are right."""
    sure, edges = fit.of(words.features), np.linspace(0, 1, 11)
    rows: list[Sequence[Cell]] = []
    for low, high in itertools.pairwise(edges.tolist()):
        own = (sure >= low) & (sure <= high if high == 1 else sure < high)
        rows.append(
            [
                f"{low:.1f} to {high:.1f}",
                int(own.sum()),
                results.percent(1 - words.wrong[own].mean()) if own.any() else None,
            ]
        )
    return Table("calibration", ["estimate of the word", "words", "right %"], rows)


COLUMNS = ["marked if the", "words", "marked %", "marked wrong %", "unmarked wrong %", "wrong marked %"]


def write(checkpoint: Path, fit: WordConfidence) -> None:
    """Writes the regression into the checkpoint's config.json."""
    path = checkpoint / "config.json"
    config = json.loads(path.read_text(encoding="utf-8"))
    weights = {name: round(value, 4) for name, value in zip(FEATURES, fit.weights, strict=True)}
    config["word_confidence"] = {"bias": round(fit.bias, 4), "weights": weights}
    path.write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")
    print(f"{path}: word_confidence {config['word_confidence']}")


def read_samples(path: Path) -> Samples:
    """Reads words that an earlier run kept."""
    with np.load(path) as file:
        return Samples(**{name: file[name] for name in file.files})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("--lines", type=int, default=300, help="of each validation set")
    parser.add_argument("--features", type=Path, help="an .npz file: fits its words if it is there, else writes them")
    parser.add_argument("--threshold", type=float, default=0.75, help="of the table by validation set")
    parser.add_argument("--dry-run", action="store_true", help="writes nothing into the checkpoint")
    parser.add_argument("--results", type=Path, metavar="PATH", help="writes the tables into PATH and files beside it")
    arguments = parser.parse_args()
    if arguments.features is not None and arguments.features.is_file():
        words = read_samples(arguments.features)
    else:
        words = samples(load_recognizer(str(find(str(arguments.checkpoint)))), arguments.lines)
        if arguments.features is not None:
            np.savez_compressed(arguments.features, **vars(words))
    first = words.is_first_half
    fit = fitted(words.features[first], ~words.wrong[first])
    others = words.part(~first)
    tables = [marks_table(others, fit), sets_table(others, fit, arguments.threshold), calibration_table(others, fit)]
    for table in tables:
        print(table.markdown(), end="\n\n")
    if arguments.results:
        note = f"Fitted on {first.sum()} words by half of the writers; the table is of the {len(others.wrong)} words by the others."
        results.save(tables, arguments.results, note)
    if not arguments.dry_run:
        write(arguments.checkpoint, fit)


if __name__ == "__main__":
    main()
