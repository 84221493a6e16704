"""A math run's learning curve: how its moving average reads a fixed sample of 300 formulas that are never trained on.

    python -m training.evaluation.formula_curve runs/math docs/results/math-learning-curve.json
    python -m training.evaluation.formula_curve runs/math docs/results/math-learning-curve.json --every 60
    python -m training.evaluation.formula_curve models/math docs/results/math-learning-curve.json --note start

The first adds one row, the second one row an hour until interrupted, the third one row for a checkpoint's folder.
Reading is greedy and without a language model: compare the rows with one another, not with the model card.
Each checkpoint of a run that was read is kept in `kept/`, for `training.fit.average`.
"""

from collections.abc import Sequence

from hwr_core import read_ink
from hwr_core.metrics import edit_distance
from hwr_core.recognizer import Recognizer
from training.data.crohme import crohme
from training.data.detexify import detexify
from training.data.formula_symbols import EXTRA, SECOND
from training.evaluation.drawn.formulas import formulas
from training.evaluation.drawn.matrices import large_numbers, matrices
from training.evaluation.formulas import Sign, tokens_of
from training.evaluation.learning_curve import Curve, counts_of, follow, sample_of

SAMPLE = {"dev": 150, "drawn": 50, "matrices": 30, "large numbers": 20, "signs": 50}  # formulas of each set
NEARLY = "dev, up to two wrong"


def sample() -> dict[str, Sequence]:
    """The formulas of each set, always the same."""
    rare = {*EXTRA, *SECOND}  # tokens of which CROHME has few or none
    signs = [
        Sign([token], strokes) for token, flourished, strokes in detexify("val") if token in rare and not flourished
    ]
    sets: dict[str, Sequence] = {
        "dev": crohme("dev"),
        "drawn": formulas(),
        "matrices": matrices(),
        "large numbers": large_numbers(),
        "signs": signs,
    }
    return {name: sample_of(sets[name], count) for name, count in SAMPLE.items()}


def rates(recognizer: Recognizer) -> dict[str, float]:
    """The share of each set's formulas whose tokens are all right; of `dev` also the share with at most two wrong."""
    recognizer = recognizer.with_decoding(language_model_weight=0.0)
    found = {}
    for name, given in sample().items():
        read = [tokens_of(read_ink(formula.strokes, recognizer, beams=1).text) for formula in given]
        distances = [edit_distance(formula.tokens, tokens) for formula, tokens in zip(given, read, strict=True)]
        found[name] = round(distances.count(0) / len(distances), 4)
        if name == "dev":
            found[NEARLY] = round(sum(distance <= 2 for distance in distances) / len(distances), 4)
    return found


MATH = Curve(
    "python -m training.evaluation.formula_curve RUN RESULTS",
    {name: f"{name} right %" for name in ("dev", NEARLY, *list(SAMPLE)[1:])}
    | {NEARLY: "dev, up to two tokens wrong %"},
    "A fixed sample of formulas that are never trained on, read by the moving average, greedily and without a language "
    f"model. Formulas of each set: {counts_of(SAMPLE)}. dev: CROHME, writers kept for choices; drawn, matrices, large "
    "numbers: drawn by script; signs: Detexify, samples kept for validation.",
    rates,
)


if __name__ == "__main__":
    follow(MATH, __doc__)
