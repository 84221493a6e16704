"""Adapts a checkpoint to one's own lines or formulas: `hwr train fine-tune --data corrections/ --out my-hand/`.

A part of the lines is kept aside. If it is unclear whether the adapted checkpoint reads these better than the checkpoint it
started from, another part is kept aside in a second training. Only what helped learns once more, from all lines, and is
written. `recipes.py` has what is trained, `docs/contributing/own-data.md` how to use it.
"""

import io
import json
import logging
import random
import shutil
import time
import warnings
from collections.abc import Callable, Sequence
from contextlib import redirect_stdout
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch

from hwr_core.checkpoints.checkpoint_config import LANGUAGE_MODEL
from hwr_core.checkpoints.registry import find, load_recognizer
from hwr_core.decoding.language_model import LanguageModel, NgramTables
from hwr_core.errors import HandwritingError
from hwr_core.metrics import edit_distance
from hwr_core.recognizer import Recognizer
from training.data.own_lines import OwnLine, as_image, check_characters, own_lines
from training.data.replay import Sample, general_lines
from training.evaluation.formulas import tokens_of as tokens_of_formula
from training.evaluation.tables import comparable
from training.fit import export_onnx
from training.fit.adapt_ngrams import adapted, is_better
from training.fit.calibrate import fitted
from training.fit.count_ngrams import tokens_of
from training.fit.model import save_checkpoint
from training.fit.ngrams import save
from training.fit.outcome import Outcome, card, is_gain, is_unclear
from training.fit.own_batches import (
    FormulaInput,
    Input,
    LineInput,
    OwnBatches,
    batch_count,
    check_formulas,
    plain_batches,
)
from training.fit.recipes import Recipe, adapt, blended, losses_by_share, seen_by
from training.fit.train import quicker_in_bf16

FEWEST = 10  # lines
ASIDE = 0.25  # share of the lines that is kept aside,
FEWEST_ASIDE = 5  # lines, and at least so many
CALIBRATED = 20  # lines aside from which the confidence is fitted to them
BEST = Recipe("upper", rate=3e-4, steps=80, language_model=3.0)
STATE, TRAINING, CANDIDATE, REPORT, PROGRESS = (
    "state.json",
    "training.pt",
    "candidate",
    "fine-tuning.json",
    "progress.json",
)
LOOKS = "", " again"  # end of the names of the stages, by look: a training without a part of the lines
ALL_LINES = " with all lines"  # the same of the last training

Say = Callable[[str], None]


class FineTuning:
    """One fine-tuning, which can be stopped and started again with the same folder."""

    def __init__(self, data: Path, out: Path, start: str = "text", recipe: Recipe = BEST, say: Say = print):
        """Loads the lines and the checkpoint.

        Args:
            data: One's own lines, as `own_lines` loads them.
            out: The folder for the result. An unfinished run in it goes on.
            start: The checkpoint to start from, as `load_recognizer` takes it.
            recipe: How the weights are adapted.
            say: Reports each step to the user.

        Raises:
            HandwritingError: The lines cannot be used, or the checkpoint cannot be adapted.
        """
        self.out, self.start, self.recipe, self.say = out, start, recipe, say
        if (out / "config.json").exists():
            raise HandwritingError(f"{out} already holds a checkpoint: name another folder.")
        folder = find(start)
        if folder is None:
            raise HandwritingError(f"{start} is not on this machine: name a folder.")
        self.folder = folder
        self.recognizer = load_recognizer(start, backend="torch")
        self.model: Any = self.recognizer.network.model  # type: ignore[attr-defined]  # of the torch backend
        if not hasattr(getattr(self.model, "encoder", None), "backbone"):
            raise HandwritingError(f"{start} cannot be adapted: it is no checkpoint of this project.")
        self.formulas = self.recognizer.reads_formulas
        self.tokens = tokens_of(folder)
        self.parts = self._parts(data)
        self.lines = [line for part in self.parts[0] for line in part]
        self.work = out / "run"
        self.work.mkdir(parents=True, exist_ok=True)
        path = self.work / STATE
        self.state: dict[str, Any] = {"seconds": 0.0, "looks": []}
        if path.exists():
            self.state |= json.loads(path.read_text())

    def _parts(self, data: Path) -> list[tuple[list[OwnLine], list[OwnLine]]]:
        """For each look the lines to learn from, and those kept aside."""
        lines = [line for line in own_lines(data) if line.formula == self.formulas]
        if self.formulas:
            check_formulas(lines, self.tokens)
        else:
            check_characters(lines, {token for token in self.tokens if len(token) == 1})
        if len(lines) < FEWEST:
            kind = "formulas" if self.formulas else "lines of text"
            raise HandwritingError(f"{data} has {len(lines)} {kind}: at least {FEWEST} are needed.")
        mixed = random.Random(1).sample(lines, len(lines))
        count = max(FEWEST_ASIDE, round(ASIDE * len(mixed)))
        what = "formulas" if self.formulas else "lines"
        self.say(f"{len(mixed) - count} {what} to learn from, {count} {what} kept aside.")
        starts = [number * count for number in range(len(LOOKS))]
        return [([*mixed[:start], *mixed[start + count :]], mixed[start : start + count]) for start in starts]

    def run(self) -> Outcome:
        """Trains, evaluates, and writes the result.

        Returns:
            The outcome. If it helped, `out` is a checkpoint; else it has only the report.
        """
        for number in range(len(LOOKS)):
            self._look(number)
            if not is_unclear(*self._measured):
                break
        before, after, gain = self._measured
        if helped := is_gain(before, after, gain):
            share = sum(look["share"] for look in self.looks) / len(self.looks)
            new = self._trained(self.lines, ALL_LINES)
            candidate = self._written(blended(self.model.state_dict(), new, share))
        aside = self._aside
        characters = sum(len(_units(line.text, line.formula)) for line in aside)
        seconds = round(self.state["seconds"])
        outcome = Outcome(
            self.start, len(self.lines), len(aside), characters, before, after, seconds, helped, self.formulas
        )
        if helped:
            (candidate / "README.md").write_text(
                card(outcome, self.folder, self.recipe, self.looks[0]["temperature"] is not None), encoding="utf-8"
            )
            for path in candidate.iterdir():
                path.rename(self.out / path.name)
        record = asdict(outcome) | {"recipe": asdict(self.recipe), "sentence": outcome.sentence}
        (self.out / REPORT).write_text(json.dumps(record, indent=1), encoding="utf-8")
        shutil.rmtree(self.work)
        self.say(outcome.sentence)
        return outcome

    @property
    def looks(self) -> list[dict[str, Any]]:
        """What was measured so far, by look."""
        return self.state["looks"]

    @property
    def _measured(self) -> tuple[int, int, float]:
        """The errors before and after in all looks, and the mean gain, as `is_gain` takes them."""
        before, after, gain = (sum(look[key] for look in self.looks) for key in ("before", "after", "gain"))
        return before, after, gain / len(self.looks)

    @property
    def _aside(self) -> list[OwnLine]:
        """The lines that were kept aside in any look."""
        return [line for _, aside in self.parts[: len(self.looks)] for line in aside]

    @property
    def input(self) -> Input:
        """What the checkpoint takes."""
        tokenizer = self.recognizer.tokenizer
        return (
            FormulaInput(tokenizer) if self.formulas else LineInput(tokenizer, self.model.config.encoder.image_height)
        )

    def _general(self) -> Callable[[random.Random], Sample] | None:
        """Makes general lines; formulas have none."""
        return None if self.formulas else general_lines(self.recognizer.decoding.language_model, self.tokens)

    def _look(self, number: int) -> None:
        """Trains without a part of the lines, and reads these. Notes what came of it, unless it is known."""
        own, aside = self.parts[number]
        if number == len(self.looks):
            self._tell(f"reading the lines kept aside{LOOKS[number]}", 0, 1)
            self._keep(looks=[*self.looks, {"before": errors(self.recognizer, aside)}])
        if "after" in self.looks[number]:
            return
        new = self._trained(own, LOOKS[number])
        plain, bf16 = plain_batches(aside, self.input), quicker_in_bf16()
        by_share = losses_by_share(self.model, new, seen_by(self.model, iter(plain), len(plain), bf16), bf16)
        share = min(by_share, key=by_share.__getitem__)
        self.say(f"{share:.0%} of the change is kept.")
        self._tell(f"comparing{LOOKS[number]}", 0, 1)
        old = {name: tensor.clone() for name, tensor in self.model.state_dict().items()}
        try:
            self.model.load_state_dict(blended(old, new, share))
            recognizer = self.recognizer
            if (ngrams := self._ngrams(own)) is not None:
                recognizer = recognizer.with_decoding(language_model=LanguageModel(ngrams))
            after, temperature = errors(recognizer, aside), _temperature(recognizer, aside)
        finally:
            self.model.load_state_dict(old)
        self.looks[number] |= {
            "gain": 1 - by_share[share] / by_share[0.0],
            "share": share,
            "after": after,
            "temperature": temperature,
        }
        self._keep()
        (self.work / TRAINING).unlink(missing_ok=True)

    def _trained(self, lines: Sequence[OwnLine], which: str = "") -> dict[str, torch.Tensor]:
        """The weights after learning from these lines.

        Args:
            lines: To learn from.
            which: Is added to the names of the stages.
        """
        bf16 = quicker_in_bf16()
        batches = OwnBatches(lines, self.input, self._general(), self.recipe.replay)
        tell = self._progress(f"preparing{which}")
        seen = seen_by(self.model, iter(batches), batch_count(len(lines)), bf16, tell)
        started, before = time.monotonic(), self.state["seconds"]
        tell = self._progress(f"training{which}")

        def step(done: int, total: int) -> None:
            self.state["seconds"] = before + time.monotonic() - started
            self._keep()
            tell(done, total)

        return adapt(self.model, seen, self.recipe, bf16, step, self.work / TRAINING)

    def _ngrams(self, lines: Sequence[OwnLine]) -> NgramTables | None:
        """The language model with the lines' texts, if these make it better; None: it stays, or there is none."""
        weight = 0.0 if self.formulas else self.recipe.language_model
        if not weight or not (self.folder / LANGUAGE_MODEL).is_file():
            return None
        ngrams = NgramTables.read(self.folder / LANGUAGE_MODEL, self.tokens, self.recognizer.network.end)
        texts = [line.text for line in lines]
        return adapted(ngrams, texts, self.tokens, weight) if is_better(ngrams, texts, self.tokens, weight) else None

    def _written(self, weights: dict[str, torch.Tensor]) -> Path:
        """The adapted checkpoint as a folder, with its language model and its graphs."""
        self._tell("writing", 0, 1)
        folder = self.work / CANDIDATE
        shutil.rmtree(folder, ignore_errors=True)
        save_checkpoint(self.model, self.recognizer.tokenizer, weights, folder)
        shutil.copy(self.folder / "generation_config.json", folder)
        if (ngrams := self._ngrams(self.lines)) is not None:
            self.say("Your texts are added to the language model.")
            save(ngrams, self.tokens, folder / LANGUAGE_MODEL)
        elif (self.folder / LANGUAGE_MODEL).is_file():
            shutil.copy(self.folder / LANGUAGE_MODEL, folder)
        logging.getLogger("torch.onnx").setLevel(logging.ERROR)
        with warnings.catch_warnings(action="ignore", category=FutureWarning), redirect_stdout(io.StringIO()):
            export_onnx.export(folder)
        if (temperature := self.looks[0]["temperature"]) is not None:
            path = folder / "config.json"
            config = json.loads(path.read_text(encoding="utf-8")) | {"confidence_temperature": temperature}
            path.write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")
        return folder

    def _keep(self, **values: Any) -> None:
        self.state |= values
        new = self.work / f"{STATE}.new"
        new.write_text(json.dumps(self.state), encoding="utf-8")
        new.replace(self.work / STATE)

    def _progress(self, stage: str) -> Callable[[int, int], None]:
        return lambda done, total: self._tell(stage, done, total)

    def _tell(self, stage: str, done: int, total: int) -> None:
        """Writes the progress for a program that watches the run, and reports some of it."""
        new = self.out / f"{PROGRESS}.new"
        new.write_text(json.dumps({"stage": stage, "done": done, "total": total}), encoding="utf-8")
        new.replace(self.out / PROGRESS)
        if done in (0, total) or done % 10 == 0:
            self.say(f"{stage}: {done} of {total}" if total > 1 else f"{stage} …")


def _temperature(recognizer: Recognizer, aside: Sequence[OwnLine]) -> float | None:
    """Fits the confidence to lines kept aside; None if they are too few."""
    if len(aside) < CALIBRATED:
        return None
    images = [as_image(line) for line in aside]
    truths = [comparable(line.text) for line in aside]
    with redirect_stdout(io.StringIO()):
        return fitted(recognizer, images, lambda reading, index: comparable(reading.text) == truths[index])


def errors(recognizer: Recognizer, lines: Sequence[OwnLine]) -> int:
    """Edits between the readings and the transcripts."""
    readings = recognizer.read([as_image(line) for line in lines])
    return sum(
        edit_distance(_units(line.text, line.formula), _units(reading.text, line.formula))
        for line, reading in zip(lines, readings, strict=True)
    )


def _units(text: str, formula: bool) -> Sequence[str]:
    """What errors are counted in: characters, of formulas tokens."""
    return tokens_of_formula(text) if formula else comparable(text)
