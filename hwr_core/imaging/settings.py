"""What is done to a photo before its lines are found and read: the settings, presets of them, and both as JSON."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Literal, get_args

Threshold = Literal["none", "otsu", "adaptive", "sauvola", "manual"]
Stroke = Literal["keep", "thin", "thicken", "normalise"]
Invert = Literal["auto", "never", "always"]
Turn = Literal["auto", "0", "90", "180", "270"]
LIMITS = {
    "denoise": (0, 2), "threshold_level": (0, 255), "threshold_window": (3, 301), "adaptive_offset": (-50, 100), "sauvola_k": (0.01, 1.0),
    "stroke_amount": (1, 20), "stroke_target": (0.5, 40.0), "padding": (0, 500),
}  # fmt: skip


@dataclass(frozen=True)
class PreprocessSettings:
    """What is done to a photo before its lines are found and read. The defaults suit a phone photo of a page.

    `perspective` straightens a sheet whose four sides are seen, `turn` (degrees counter-clockwise, or "auto": as its lines
    are found to lie) rights one that lies sideways or upside down, `ruling` takes away ruled and squared lines. `threshold_window` (pixels, odd) belongs to the local methods,
    `adaptive_offset` (grey levels) and `sauvola_k` to one of them each, `threshold_level` (0–255) to manual. `stroke_amount` (pixels) is
    what thin and thicken take or add, `stroke_target` (pixels) what normalise aims at. `padding` (pixels) is round the crop, in the
    paper's grey where the photo ends. Raises ValueError, in a sentence, for a method that there is not and a number beyond `LIMITS`.
    """

    perspective: bool = True
    turn: Turn = "auto"
    flatten: bool = True
    invert: Invert = "auto"
    denoise: int = 0  # 0 off, 1 light, 2 strong
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
                raise ValueError(f"{name} is one of {', '.join(get_args(known))}, not {getattr(self, name)!r:.60}.")
        for name, (low, high) in LIMITS.items():
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
                raise ValueError(f"{name} is a number from {low} to {high}, not {_told(value)}.")

    def to_json(self) -> str:
        return json.dumps(asdict(self), indent=2)

    @classmethod
    def from_json(cls, text: str) -> "PreprocessSettings":
        """Of an object with some or all of the fields. Raises ValueError, in a sentence, for anything else."""
        try:
            found = json.loads(text)
        except (ValueError, RecursionError):
            raise ValueError("The settings are no JSON: choose a file that was saved here.") from None
        if not isinstance(found, dict):
            raise ValueError("The settings are no JSON object: choose a file that was saved here.")
        return cls.from_values(found)

    @classmethod
    def from_values(cls, values: Mapping[str, object]) -> "PreprocessSettings":
        """Each of its field's type, whole numbers also where fractions may be; ValueError otherwise."""
        kinds = {field.name: type(field.default) for field in fields(cls)}
        taken: dict = {}
        for name, value in values.items():
            if name not in kinds:
                raise ValueError(f"There is no setting {name!r:.60}.")
            kind = kinds[name]
            if kind is float and type(value) is int and abs(value) < 1e9:
                value = float(value)
            if type(value) is not kind:
                raise ValueError(f"{name} is {_KINDS[kind]}, not {_told(value)}.")
            taken[name] = value
        return cls(**taken)

    def changed(self) -> dict[str, bool | int | float | str]:
        """The fields that are not as by default."""
        return {
            field.name: getattr(self, field.name)
            for field in fields(self)
            if getattr(self, field.name) != field.default
        }


def _told(value: object) -> str:
    """Python refuses to write out whole numbers of thousands of digits."""
    return "a number of very many digits" if isinstance(value, int) and abs(value) > 10**60 else f"{value!r:.60}"


_KINDS = {bool: "true or false", int: "a whole number", float: "a number", str: "a word"}
PRESETS = {
    "Phone photo": PreprocessSettings(),
    "Scan": PreprocessSettings(perspective=False, invert="never"),
    "Whiteboard": PreprocessSettings(denoise=1, stroke="normalise", stroke_target=5.0),
    "Pencil": PreprocessSettings(stroke="thicken", stroke_amount=1),
}
