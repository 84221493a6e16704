"""What came of a fine-tuning: whether it helped, in numbers and in words."""

from dataclasses import dataclass
from pathlib import Path

from training.fit.recipes import Recipe

# Share by which the loss on the lines aside must fall. Chosen on docs/results/evaluation-fine-tuning-earlier.json
# with 30 lines: below it the lines left out were read worse as often as better.
LEAST_GAIN = 0.05
UNCLEAR_GAIN = 0.02  # share from which fewer errors alone are worth a second look


@dataclass(frozen=True)
class Outcome:
    """What came of it.

    Attributes:
        start: The checkpoint it started from.
        lines: Lines to learn from.
        aside: Lines of them that were kept aside until it was known whether learning from the others helps.
        characters: Of the transcripts of the lines aside.
        errors_before: Wrong characters in the lines aside, by the checkpoint it started from.
        errors_after: The same by checkpoints that had not learned from these lines.
        seconds: Time of training, of all calls.
        helped: Whether the adapted checkpoint is clearly better (`is_gain`). Only then it was written.
        formulas: Whether the lines are formulas. Their errors and characters are tokens.
    """

    start: str
    lines: int
    aside: int
    characters: int
    errors_before: int
    errors_after: int
    seconds: float
    helped: bool
    formulas: bool = False

    @property
    def sentence(self) -> str:
        """The result in plain words."""
        what = "formulas" if self.formulas else "lines"
        rates = [100 * errors / max(1, self.characters) for errors in (self.errors_before, self.errors_after)]
        measured = (
            f"On {self.aside} {what} that were kept aside, {rates[0]:.1f} % was wrong before, {rates[1]:.1f} % after."
        )
        if self.helped:
            return f"It helped. {measured} Then it learned from these {what} too."
        return f"It did not help enough to be sure: the checkpoint {self.start} stays. {measured} More {what} may help."


def is_gain(before: int, after: int, gain: float) -> bool:
    """Whether an adapted checkpoint replaces its start.

    Args:
        before: Errors on the lines kept aside, by the start.
        after: The same by the adapted checkpoint.
        gain: Share by which the loss on these lines fell. Few lines' errors alone differ by chance.
    """
    return after < before and gain >= LEAST_GAIN


def is_unclear(before: int, after: int, gain: float) -> bool:
    """Whether errors and loss disagree, so that other lines should be kept aside too. Arguments as for `is_gain`."""
    return gain >= UNCLEAR_GAIN and (after < before) != (gain >= LEAST_GAIN)


def card(outcome: Outcome, start: Path, recipe: Recipe, calibrated: bool) -> str:
    """The model card: what it was made from, and what was measured.

    Args:
        outcome: What came of it.
        start: The folder of the checkpoint it started from.
        recipe: How it was adapted.
        calibrated: Whether the confidence was fitted to the lines kept aside.
    """
    model_card = start / "README.md"
    old = model_card.read_text(encoding="utf-8") if model_card.is_file() else ""
    licence = next((line for line in old.splitlines() if line.startswith("license:")), "license: other")
    confidence = "fitted to the lines kept aside" if calibrated else "that of the start"
    return f"""---
{licence}
library_name: transformers
pipeline_tag: image-to-text
tags: [trocr, handwriting, vision-encoder-decoder]
---

# A handwriting reader adapted to one's own lines

Made with `hwr train fine-tune` from the checkpoint `{outcome.start}`, whose licence holds for this one too.

| | |
|---|---|
| lines learned from | {outcome.lines} |
| of them kept aside at first | {outcome.aside}, {outcome.characters:,} characters |
| wrong characters before | {outcome.errors_before} |
| wrong characters after | {outcome.errors_after} |
| training | {outcome.seconds:.0f} seconds, {recipe.steps} steps at {recipe.rate:g}, part "{recipe.part}" |
| confidence | {confidence} |

{outcome.sentence} Other hands were not measured; they may be read worse than by the start.
"""
