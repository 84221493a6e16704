"""A shipped checkpoint as the network that is decoded, on onnxruntime: an eighth of the memory that torch and transformers take.

`training/fit/export_onnx.py` writes the graphs, which name their weights' places in the checkpoint's `model.safetensors`.
"""

from pathlib import Path

import numpy as np
import onnxruntime

ROOM = 32  # steps of the decoder


class OnnxNetwork:
    """As `network.Network`. `threads` bounds those that the encoder uses."""

    fills_the_cores = False

    def __init__(self, folder: Path, start: int, end: int, pad: int, vocabulary: int, threads: int):
        self.start, self.end, self.pad, self.vocabulary = start, end, pad, vocabulary
        self.encoder = _session(folder, "encoder_model.onnx", threads)
        self.decoder = _session(folder, "decoder_with_past_model.onnx", 1)  # a step is too short to be shared out
        self.features = [output.name for output in self.encoder.get_outputs()]
        self.past = {value.name: value.shape for value in self.decoder.get_inputs() if value.name.startswith("past_")}
        self.steps = [
            output.name for output in self.decoder.get_outputs()
        ]  # the logits, then what each of `past` gets, in its order

    def encode(self, pixel_values: np.ndarray, beams: int) -> "_Encoded":
        # One by one, each without the padding that only others need: together they would be no quicker, and take masks.
        return _Encoded(self, [self._encode(image) for image in pixel_values])

    def _encode(self, image: np.ndarray) -> dict[str, np.ndarray]:
        rows, columns = (np.flatnonzero((image != 0).any(axis)) for axis in ((0, 2), (0, 1)))
        image = np.ascontiguousarray(image[None, :, : rows[-1] + 1, : columns[-1] + 1])
        return dict(zip(self.features, self.encoder.run(self.features, {"pixel_values": image}), strict=True))


class _Encoded:
    """`items` has of each image what the encoder makes of it, (1, …).

    The decoder's past, keys and values (rows, heads, room, size of a head) for each layer, lies in room for `ROOM` steps more at a time, of which
    `length` are taken. A row that goes on from another takes over that one's steps in place, but for those that both have in common: `history`
    (rows, room) tells by which row each step was made.
    """

    def __init__(self, network: OnnxNetwork, items: list[dict[str, np.ndarray]]):
        self.network = network
        self._hold(items)

    def _hold(self, items: list[dict[str, np.ndarray]]) -> None:
        self.items = items
        lengths = [next(iter(item.values())).shape[2] for item in items]  # of its keys and values
        self.mask = np.arange(max(lengths)) < np.array(lengths)[:, None]
        self.ctc_logits = _joined([item["ctc_logits"] for item in items], 1) if "ctc_logits" in items[0] else None
        self.seen: dict[str, np.ndarray] = {}  # what the decoder is given at every step
        self.past: dict[str, np.ndarray] = {}
        self.history, self.length = np.zeros((0, 0), np.int64), 0

    def alone(self, item: int) -> "_Encoded":
        return _Encoded(self.network, [self.items[item]])

    def step(self, tokens: np.ndarray, origin: np.ndarray) -> np.ndarray:
        if self.length:
            self._follow(origin)
        return self._run(tokens[:, None])[:, 0]

    def ahead(self, tokens: np.ndarray) -> np.ndarray:
        return self._run(tokens[None])[0]

    def back(self, steps: int) -> None:
        self.length -= steps

    def keep(self, items: np.ndarray) -> None:
        if self.length:
            self.seen = {name: value[items] for name, value in self.seen.items()}
        else:
            self._hold([self.items[item] for item in items])

    def _follow(self, origin: np.ndarray) -> None:
        if len(origin) < len(self.history):
            self.past, self.history = {name: value[origin] for name, value in self.past.items()}, self.history[origin]
            return
        moved = np.flatnonzero(origin != np.arange(len(origin)))
        if len(moved):
            since = (self.history[moved, : self.length] == self.history[origin[moved], : self.length]).sum(1).min()
            for value in (*self.past.values(), self.history):
                steps = value[:, :, since : self.length] if value.ndim == 4 else value[:, since : self.length]
                steps[moved] = steps[origin[moved]]

    def _run(self, tokens: np.ndarray) -> np.ndarray:
        rows, new = tokens.shape
        if not self.past:
            names = [name for name in self.items[0] if name.startswith("crossed_")]
            self.seen = {"mask": self.mask, **{name: _joined([item[name] for item in self.items], 2) for name in names}}
            self.past = {
                name: np.zeros((rows, shape[1], 0, shape[3]), np.float32) for name, shape in self.network.past.items()
            }
            self.history, self.items = np.zeros((rows, 0), np.int64), []  # which the batch has now
        if (missing := self.length + new - self.history.shape[1]) > 0:
            more = -(-missing // ROOM) * ROOM
            self.past = {name: np.pad(value, ((0, 0), (0, 0), (0, more), (0, 0))) for name, value in self.past.items()}
            self.history = np.pad(self.history, ((0, 0), (0, more)))
        given = {"tokens": tokens, "length": np.array(self.length), **self.seen, **self.past}
        logits, *present = self.network.decoder.run(self.network.steps, given)
        steps = slice(self.length, self.length + new)
        for value, added in zip(self.past.values(), present, strict=True):
            value[:, :, steps] = added
        self.history[:, steps] = np.arange(rows)[:, None]
        self.length += new
        return logits


def _joined(parts: list[np.ndarray], columns: int) -> np.ndarray:
    """One batch of several items, whose axis of `columns` is filled up with zeros."""
    if len(parts) == 1:
        return parts[0]
    shape = [len(parts), *parts[0].shape[1:]]
    shape[columns] = max(part.shape[columns] for part in parts)
    whole = np.zeros(shape, parts[0].dtype)
    for item, part in enumerate(parts):
        place = [slice(None)] * part.ndim
        place[0], place[columns] = slice(item, item + 1), slice(part.shape[columns])
        whole[tuple(place)] = part
    return whole


def _session(folder: Path, file: str, threads: int) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
    options.enable_cpu_mem_arena = False  # which would keep what the largest batch took
    options.enable_mem_pattern = False
    options.log_severity_level = 3
    options.add_session_config_entry(
        "session.intra_op.allow_spinning", "0"
    )  # between its steps the search needs the cores itself
    # The graphs name the weights' file, which lies a folder above them, where onnxruntime looks only when told.
    options.add_session_config_entry("session.model_external_initializers_file_folder_path", str(folder))
    return onnxruntime.InferenceSession(
        (folder / "onnx" / file).read_bytes(), options, providers=["CPUExecutionProvider"]
    )
