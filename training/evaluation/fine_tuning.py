"""Compares recipes of fine-tuning by hands that no checkpoint was trained on: `python -m training.evaluation.fine_tuning`.

Each hand's lines are split by chance: some to learn from, the others to read. Of those to learn from a quarter is kept
aside, as `training.fit.fine_tune` does: it chooses how much of the change is kept, and whether the result is. If it leaves
that unclear, another quarter is kept aside. Then the checkpoint learns from all of them. A row is a hand and a number of
lines. Its columns are the character error rates on the lines that were left out, before and after.
Finished runs are kept in `--run` and are not repeated.
"""

import argparse
import json
import random
from pathlib import Path

import numpy as np
import torch
from tqdm import tqdm

from hwr_core import load_recognizer
from hwr_core.checkpoints.checkpoint_config import LANGUAGE_MODEL, MODELS
from hwr_core.decoding.language_model import LanguageModel, NgramTables
from hwr_core.metrics import edit_distance
from hwr_core.recognizer import Recognizer
from training.data import datasets as data
from training.data.charset import join_apostrophes
from training.data.own_lines import OwnLine, as_image
from training.data.pictures import decoded
from training.data.replay import general_lines
from training.evaluation import results
from training.evaluation.results import Cell, Table
from training.evaluation.tables import comparable
from training.evaluation.validation import drawn
from training.fit.adapt_ngrams import adapted, is_better
from training.fit.count_ngrams import tokens_of
from training.fit.fine_tune import ASIDE, BEST, FEWEST_ASIDE
from training.fit.outcome import is_gain, is_unclear
from training.fit.own_batches import LineInput, OwnBatches, batch_count, plain_batches
from training.fit.recipes import Recipe, Weights, adapt, blended, losses_by_share, seen_by
from training.fit.train import quicker_in_bf16

NOTE = (
    "Upper: all layers behind the backbone. A quarter of the lines is kept aside; once it has shown that learning helps, "
    "all lines are learned from. As kept: what hwr train fine-tune would keep, which is the start unless the lines aside "
    "are clearly better. No other writer's lines were learned with them but general ones of the training data."
)
COUNTS = 10, 30, 100  # lines to learn from
FEWEST_LEFT = 14  # lines that are left out at least
MOST_LEFT = 40  # lines that are left out at most
# Of IAM-OnDB's validation writers the four that are read worst, and the two with the most lines.
INK_HANDS = "10029", "10030", "10206", "10028", "10221", "10212"
RECIPES = {
    "norms": Recipe("norms", 2e-3, 80, language_model=3.0),
    "adapters": Recipe("adapters", 1e-3, 80, language_model=3.0),
    "upper": BEST,
}


def hands(limit: int) -> dict[str, list[OwnLine]]:
    """Lines by hand. Of Hooker and of Péraire the checkpoint has seen other lines, or these; the others are new to it."""
    found: dict[str, list[OwnLine]] = {}
    for name, least in (("copiste", 33), ("dhsd", 100)):
        for writer, lines in _by_writer(data.scans(name, "val")).items():
            if len(lines) >= least:
                found[f"{name}, {writer}"] = lines
    held = data.page_writers("cremma19"), data.page_writers("peraire")
    for name, writers in zip(("cremma19", "peraire"), held, strict=True):
        scanned = data._tar_lines(data.DATA / f"{name}.tar", name)
        found[f"{name}, pages left out of training"] = [_of_scan(line) for line in scanned if line.writer in writers]
    hooker = random.Random(0).sample(data.scans("hooker", "train"), 160)
    found["hooker, in the training data"] = [_of_scan(line) for line in hooker]
    return dict(list(found.items())[:limit])


def ink_hands(recognizer: Recognizer) -> dict[str, list[OwnLine]]:
    """The writers of IAM-OnDB's validation sets that `INK_HANDS` names."""
    lines: dict[str, list[data.InkLine]] = {writer: [] for writer in INK_HANDS}
    for line in (*data.iam_ondb("val_v"), *data.iam_ondb("val_t")):
        if line.writer in lines:
            lines[line.writer].append(line)
    return {
        f"iam-ondb, {writer}": [
            OwnLine(
                join_apostrophes(line.text),
                np.asarray(drawn(line.strokes, recognizer).convert("L")),
                writer,
                "",
                line.strokes,
            )
            for line in lines[writer]
        ]
        for writer in INK_HANDS
    }


def _of_scan(line: data.ScanLine) -> OwnLine:
    return OwnLine(line.text, decoded(line.jpeg), line.writer, "")


def _by_writer(lines: list[data.ScanLine]) -> dict[str, list[OwnLine]]:
    found: dict[str, list[OwnLine]] = {}
    for line in lines:
        found.setdefault(line.writer, []).append(_of_scan(line))
    return dict(sorted(found.items(), key=lambda item: -len(item[1])))


def split(lines: list[OwnLine], count: int, seed: int = 0) -> tuple[list[OwnLine], list[OwnLine]] | None:
    """Lines to learn from, and lines left out; the same lines are left out for every count. None: too few."""
    mixed = random.Random(seed).sample(lines, len(lines))
    left = mixed[: min(MOST_LEFT, max(FEWEST_LEFT, len(mixed) - 30))]
    own = mixed[len(left) :]
    return (own[:count], left) if len(own) >= count else None


class Tuner:
    """Adapts a checkpoint again and again, and reads with the result."""

    def __init__(self, checkpoint: str, beams: int | None):
        self.recognizer = load_recognizer(checkpoint, backend="torch")
        self.model = self.recognizer.network.model  # type: ignore[attr-defined]  # of the torch backend
        self.old = {name: tensor.clone() for name, tensor in self.model.state_dict().items()}
        built_in = MODELS / checkpoint
        folder = built_in if built_in.is_dir() else Path(checkpoint)
        self.tokens = tokens_of(folder)
        self.beams, self.bf16 = beams, quicker_in_bf16()
        self.ngrams = NgramTables.read(folder / LANGUAGE_MODEL, self.tokens, self.recognizer.network.end)
        self.general = general_lines(self.recognizer.decoding.language_model, self.tokens)
        self.input = LineInput(self.recognizer.tokenizer, self.model.config.encoder.image_height)

    def errors(self, lines: list[OwnLine], recognizer: Recognizer | None = None) -> int:
        """Edits between the readings and the transcripts."""
        readings = (recognizer or self.recognizer).read([as_image(line) for line in lines], self.beams)
        return sum(
            edit_distance(comparable(line.text), comparable(reading.text))
            for line, reading in zip(lines, readings, strict=True)
        )

    def tuned(self, own: list[OwnLine], left: list[OwnLine], recipe: Recipe, look: int = 0) -> dict[str, float]:
        """What `fine_tune` does in one look, with a part of one's own lines kept aside.

        Args:
            own: One's own lines.
            left: Lines that were left out.
            recipe: How to adapt.
            look: Which part of the lines is kept aside.

        Returns:
            The share of the change, by what the loss on the lines aside fell, the errors on these before and after, and
            those on the lines left out after.
        """
        count = max(FEWEST_ASIDE, round(ASIDE * len(own)))
        aside, learned = own[look * count : (look + 1) * count], [*own[: look * count], *own[(look + 1) * count :]]
        plain = plain_batches(aside, self.input)
        plain_seen = seen_by(self.model, iter(plain), len(plain), self.bf16)
        new = self._adapted(learned, recipe)
        by_share = losses_by_share(self.model, new, plain_seen, self.bf16)
        share = min(by_share, key=by_share.__getitem__)
        found = {"share": share, "gain": 1 - by_share[share] / by_share[0.0], "aside_before": self.errors(aside)}
        after = self._errors_after(new, share, learned, recipe, (aside, left))
        return found | dict(zip(("aside_after", "left"), after, strict=True))

    def tuned_with_all(self, own: list[OwnLine], left: list[OwnLine], recipe: Recipe, share: float) -> int:
        """The errors on the lines left out, after learning from all of one's own lines."""
        return self._errors_after(self._adapted(own, recipe), share, own, recipe, (left,))[0]

    def _adapted(self, lines: list[OwnLine], recipe: Recipe) -> Weights:
        batches = OwnBatches(lines, self.input, self.general, recipe.replay)
        seen = seen_by(self.model, iter(batches), batch_count(len(lines)), self.bf16)
        return adapt(self.model, seen, recipe, self.bf16)

    def _errors_after(
        self, new: Weights, share: float, learned: list[OwnLine], recipe: Recipe, parts: tuple[list[OwnLine], ...]
    ) -> list[int]:
        """The errors on each of `parts` with that share of the change."""
        try:
            self.model.load_state_dict(blended(self.old, new, share))
            recognizer = self._favouring([line.text for line in learned], recipe.language_model)
            return [self.errors(part, recognizer) for part in parts]
        finally:
            self.model.load_state_dict(self.old)

    def _favouring(self, texts: list[str], weight: float) -> Recognizer:
        """The recognizer with these texts in its language model, if that is better."""
        if not weight or not is_better(self.ngrams, texts, self.tokens, weight):
            return self.recognizer
        model = LanguageModel(adapted(self.ngrams, texts, self.tokens, weight))
        return self.recognizer.with_decoding(language_model=model)


def is_kept(run: dict) -> bool:
    """Whether `fine_tune` would keep the result of a run."""
    return is_gain(*_measured(run))


def _measured(run: dict) -> tuple[int, int, float]:
    """Errors before and after on the lines aside, and the gain: of the only look, or of both."""
    looks = [run, run["again"]] if "again" in run else [run]
    before, after, gain = (sum(look[key] for look in looks) for key in ("aside_before", "aside_after", "gain"))
    return before, after, gain / len(looks)


def measure(tuner: Tuner, found: dict[str, list[OwnLine]], counts: list[int], names: list[str], kept: Path) -> dict:
    """Errors by hand, number of lines and recipe; those that are in the file `kept` are taken from there."""
    done: dict = json.loads(kept.read_text()) if kept.is_file() else {}
    for hand, lines in tqdm(found.items(), desc="hands"):
        for count in counts:
            if (parts := split(lines, count)) is None:
                continue
            own, left = parts
            row = done.setdefault(f"{hand}|{count}", {})
            row["characters"] = sum(len(comparable(line.text)) for line in left)
            row["left"] = len(left)
            row.setdefault("before", None)
            if row["before"] is None:
                row["before"] = tuner.errors(left)
            for name in names:
                if name not in row:
                    row[name] = tuner.tuned(own, left, RECIPES[name])
                    _keep(kept, done)
                if "all" not in row[name]:
                    _finish(tuner, own, left, RECIPES[name], row[name])
                    _keep(kept, done)
                    print(hand, count, name, row["before"], row[name], flush=True)
    return done


def _finish(tuner: Tuner, own: list[OwnLine], left: list[OwnLine], recipe: Recipe, run: dict) -> None:
    """Adds the second look to a run if it is needed, and what learning from all lines gives."""
    if is_unclear(*_measured(run)):
        run["again"] = tuner.tuned(own, left, recipe, 1)
    share = (run["share"] + run["again"]["share"]) / 2 if "again" in run else run["share"]
    run["all"] = tuner.tuned_with_all(own, left, recipe, share)


def _keep(path: Path, done: dict) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(done))


def table(done: dict, names: list[str]) -> Table:
    """For each hand and number of lines the error rate before, and by recipe after, and what the command would keep."""
    rows: list[list[Cell]] = []
    for key, row in done.items():
        hand, count = key.split("|")
        rows.append([hand, int(count), row["left"], _rate(row, row["before"]), *_results(row, names)])
    columns = ["hand", "lines to learn from", "lines left out", "CER % before"]
    columns += [f"CER % {name}{of}" for name in names for of in (", without those aside", ", all lines", ", as kept")]
    return Table("", columns, rows)


def _results(row: dict, names: list[str]) -> list[Cell]:
    """By recipe the error rate after, and that of the checkpoint that is kept; None if it was not measured."""
    found: list[Cell] = []
    for name in names:
        run = row.get(name, {})
        if "all" not in run:
            found += [None, None, None]
        else:
            found += [
                _rate(row, run["left"]),
                _rate(row, run["all"]),
                _rate(row, run["all"] if is_kept(run) else row["before"]),
            ]
    return found


def _rate(row: dict, errors: float) -> float:
    return round(100 * errors / row["characters"], 1)


def report(done: dict, tuner: Tuner, arguments: argparse.Namespace) -> None:
    """Prints the table, and writes it as a result file."""
    made = table(done, [name for name in arguments.recipes if any(name in row for row in done.values())])
    print(made.markdown())
    if arguments.results:
        note = f"Checkpoint {arguments.model}, {arguments.beams or 'its own number of'} beams. {NOTE}"
        results.save([made], arguments.results, note)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="text")
    parser.add_argument("--recipes", nargs="+", choices=RECIPES, default=list(RECIPES))
    parser.add_argument("--counts", nargs="+", type=int, default=list(COUNTS))
    parser.add_argument("--hands", nargs="+", help="only hands whose name starts so")
    parser.add_argument("--limit", type=int, default=99, help="hands")
    parser.add_argument("--beams", type=int, help="unless given, the checkpoint's own number")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--run", type=Path, default=Path("runs/fine-tuning.json"))
    parser.add_argument("--finished", action="store_true", help="measures nothing: the table of the runs that are done")
    parser.add_argument("--results", type=Path, metavar="PATH")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    tuner = Tuner(arguments.model, arguments.beams)
    if arguments.finished:
        report(json.loads(arguments.run.read_text()), tuner, arguments)
        return
    found = {**hands(arguments.limit), **ink_hands(tuner.recognizer)}
    if arguments.hands:
        found = {name: lines for name, lines in found.items() if name.startswith(tuple(arguments.hands))}
    report(measure(tuner, found, arguments.counts, arguments.recipes, arguments.run), tuner, arguments)


if __name__ == "__main__":
    main()
