"""The settings of the preprocessing, as JSON and as presets."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Literal, get_args

Threshold = Literal["none", "otsu", "adaptive", "sauvola", "manual"]
Stroke = Literal["keep", "thin", "thicken", "normalise"]
Invert = Literal["auto", "never", "always"]
Turn = Literal["auto", "0", "90", "180", "270"]

# The smallest and the largest value of each numeric setting.
LIMITS = {
    "denoise": (0, 2), "threshold_level": (0, 255), "threshold_window": (3, 301), "adaptive_offset": (-50, 100), "sauvola_k": (0.01, 1.0),
    "stroke_amount": (1, 20), "stroke_target": (0.5, 40.0), "padding": (0, 500),
}  # fmt: skip


@dataclass(frozen=True)
class PreprocessSettings:
    """How a photo is cleaned before its lines are found and read. The defaults suit a phone photo of a page.

    Attributes:
        perspective: straighten a sheet if its four edges are visible.
        turn: degrees by which to turn the page counter-clockwise; "auto" turns it so that its lines can be read.
        flatten: even out paper and light, and take printed dots off the paper.
        invert: make light writing on a dark ground dark on light; "auto" only if the page has such writing.
        denoise: strength of the median filter: 0 off, 1 light, 2 strong.
        deskew: level the lines.
        ruling: remove ruled and squared lines.
        threshold: method that makes ink black and paper white; "none" keeps the greys.
        threshold_level: grey level for "manual"; darker pixels are ink.
        threshold_window: side of the window for "adaptive" and "sauvola", in pixels, odd.
        adaptive_offset: grey levels below the window's mean, for "adaptive"; darker pixels are ink.
        sauvola_k: weight of the window's deviation, for "sauvola"; a higher one takes less as ink.
        stroke: how to change the width of the strokes.
        stroke_amount: pixels to take off or add, for "thin" and "thicken".
        stroke_target: width of the strokes for "normalise", in pixels.
        crop: cut off the paper around the ink, and a notebook's binding.
        padding: pixels of paper around the cropped ink. Beyond the photo's edge, it has the paper's grey.

    Raises:
        ValueError: unknown option, or a number out of range (`LIMITS`).
    """

    perspective: bool = True
    turn: Turn = "auto"
    flatten: bool = True
    invert: Invert = "auto"
    denoise: int = 0
    deskew: bool = True
    ruling: bool = False
    threshold: Threshold = "none"
    threshold_level: int = 128
    threshold_window: int = 41
    adaptive_offset: int = 12
    sauvola_k: float = 0.2
    stroke: Stroke = "keep"
    stroke_amount: int = 1
    stroke_target: float = 4.0
    crop: bool = True
    padding: int = 16

    def __post_init__(self):
        for name, known in (("threshold", Threshold), ("stroke", Stroke), ("invert", Invert), ("turn", Turn)):
            if getattr(self, name) not in get_args(known):
                raise ValueError(f"{name} is one of {', '.join(get_args(known))}, not {_repr(getattr(self, name))}.")
        for name, (low, high) in LIMITS.items():
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
                raise ValueError(f"{name} is a number from {low} to {high}, not {_repr(value)}.")

    def to_json(self) -> str:
        """All settings as a JSON object."""
        return json.dumps(asdict(self), indent=2)

    @classmethod
    def from_json(cls, text: str) -> "PreprocessSettings":
        """The settings of a JSON object with some or all of the fields. Missing fields have their defaults.

        Raises:
            ValueError: `text` is no such object; the message says why, in a sentence.
        """
        try:
            found = json.loads(text)
        except (ValueError, RecursionError):
            raise ValueError("The settings are not valid JSON: choose a file that was saved here.") from None
        if not isinstance(found, dict):
            raise ValueError("The settings are not a JSON object: choose a file that was saved here.")
        return cls.from_values(found)

    @classmethod
    def from_values(cls, values: Mapping[str, object]) -> "PreprocessSettings":
        """The settings of a mapping with some or all of the fields.

        Raises:
            ValueError: unknown field, or a value of another type. Whole numbers are accepted as fractions.
        """
        kinds = {field.name: type(field.default) for field in fields(cls)}
        taken: dict = {}
        for name, value in values.items():
            if name not in kinds:
                raise ValueError(f"There is no setting {name!r:.60}.")
            kind = kinds[name]
            if kind is float and type(value) is int and abs(value) < 1e9:
                value = float(value)
            if type(value) is not kind:
                raise ValueError(f"{name} is {_KINDS[kind]}, not {_repr(value)}.")
            taken[name] = value
        return cls(**taken)

    def changed(self) -> dict[str, bool | int | float | str]:
        """The fields that differ from their defaults."""
        return {
            field.name: getattr(self, field.name)
            for field in fields(self)
            if getattr(self, field.name) != field.default
        }


def _repr(value: object) -> str:
    """The value, shortened. Python refuses to write out integers of thousands of digits."""
    return "a number of very many digits" if isinstance(value, int) and abs(value) > 10**60 else f"{value!r:.60}"


# Names of the types in messages.
_KINDS = {bool: "true or false", int: "a whole number", float: "a number", str: "a word"}

PRESETS = {
    "Phone photo": PreprocessSettings(),
    "Scan": PreprocessSettings(perspective=False, invert="never"),
    "Whiteboard": PreprocessSettings(denoise=1, stroke="normalise", stroke_target=5.0),
    "Pencil": PreprocessSettings(stroke="thicken", stroke_amount=1),
}
