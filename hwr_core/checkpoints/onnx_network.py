"""Runs a shipped checkpoint on onnxruntime, in an eighth of the memory that torch and transformers need.

`training/fit/export_onnx.py` writes the graphs, which refer to their weights in the checkpoint's `model.safetensors`.
"""

import ctypes
import os
import weakref
from pathlib import Path

import numpy as np
import onnxruntime

from hwr_core.decoding.unread_symbols import seen_symbols
from hwr_core.runtime.settings import low_memory

ENCODER = "encoder_model.onnx"  # in the folder `onnx`
DECODER = "decoder_with_past_model.onnx"  # in the folder `onnx`
ROOM = 32  # steps by which the decoder's past grows
KEPT_PIXELS = 200_000  # of the pictures whose features are kept: three long lines, 5 MB


class OnnxNetwork:
    """A `decoding.network.Network` on onnxruntime.

    Attributes:
        fills_the_cores: False, because a second batch can be encoded while one is decoded.
    """

    fills_the_cores = False

    def __init__(self, folder: Path, start: int, end: int, pad: int, vocabulary: int, threads: int):
        """Loads both graphs.

        Args:
            folder: Holds `model.safetensors`, and the graphs in `onnx`.
            start: The token that starts a line.
            end: The token that ends a line.
            pad: The token that follows the end.
            vocabulary: The number of tokens.
            threads: Threads that the encoder may use.
        """
        self.start, self.end, self.pad, self.vocabulary = start, end, pad, vocabulary
        self.encoder = _session(folder, ENCODER, threads)
        self.decoder = _session(folder, DECODER, 1)  # a step is too short for several threads
        self.features = [output.name for output in self.encoder.get_outputs()]
        self.past = {value.name: value.shape for value in self.decoder.get_inputs() if value.name.startswith("past_")}
        # The logits, then the new keys and values in the order of `past`.
        self.steps = [output.name for output in self.decoder.get_outputs()]
        self._kept: list[dict[str, np.ndarray]] = []
        _networks.add(self)

    def encode(self, pixel_values: np.ndarray, beams: int) -> "_Encoded":
        # One by one, without padding: a common batch would need masks and is not faster.
        return _Encoded(self, [self._encode(image, beams) for image in pixel_values])

    def _encode(self, image: np.ndarray, beams: int) -> dict[str, np.ndarray]:
        rows, columns = (np.flatnonzero((image != 0).any(axis)) for axis in ((0, 2), (0, 1)))
        image = image[None, :, : rows[-1] + 1, : columns[-1] + 1].copy()
        known = self._taken(image[0, 0]) if beams > 1 else None
        if known is not None:
            return known
        features = dict(zip(self.features, self.encoder.run(self.features, {"pixel_values": image}), strict=True))
        found = features | {"picture": image[0, 0]}
        if beams == 1 and not low_memory():
            self._keep(found)
        return found

    def _keep(self, found: dict[str, np.ndarray]) -> None:
        """Keeps the features of a picture that is read greedily: some lines tell a page's direction, and are searched then."""
        kept = [*self._kept, found]
        while kept and sum(item["picture"].size for item in kept) > KEPT_PIXELS:
            kept = kept[1:]
        self._kept = kept

    def _taken(self, picture: np.ndarray) -> dict[str, np.ndarray] | None:
        """The kept features of a picture, which are then no longer kept; None if there are none."""
        found = next((item for item in self._kept if np.array_equal(item["picture"], picture)), None)
        if found is not None:
            self._kept = [item for item in self._kept if item is not found]
        return found


_networks: weakref.WeakSet[OnnxNetwork] = weakref.WeakSet()


def _keep_after_fork() -> None:
    """Keeps inherited sessions for ever in a forked child.

    Their destructor would wait for threads that exist in the parent only.
    """
    for network in _networks:
        for session in (network.encoder, network.decoder):
            ctypes.pythonapi.Py_IncRef(ctypes.py_object(session))


if hasattr(os, "register_at_fork"):  # not on Windows
    os.register_at_fork(after_in_child=_keep_after_fork)


class _Encoded:
    """The encoder's output for a batch, and the state of decoding it.

    Attributes:
        items: The encoder's outputs for each image, (1, …).
        past: The decoder's keys and values of each layer, (rows, heads, room, size of a head). The room grows by `ROOM`
            steps at a time; `length` of them are filled.
        history: The row that computed each step, (rows, room). A row that continues another one copies only the steps
            that both do not share.
    """

    def __init__(self, network: OnnxNetwork, items: list[dict[str, np.ndarray]]):
        self.network = network
        self._hold(items)

    def _hold(self, items: list[dict[str, np.ndarray]]) -> None:
        self.items = items
        lengths = [next(iter(item.values())).shape[2] for item in items]  # of their keys and values
        has_ctc = "ctc_logits" in items[0]
        self.mask: np.ndarray | None = np.arange(max(lengths)) < np.array(lengths)[:, None]
        self.ctc_logits: np.ndarray | None = _joined([item["ctc_logits"] for item in items], 1) if has_ctc else None
        has_symbols = "symbol_logits" in items[0]
        self.symbols = (
            [seen_symbols(item["symbol_logits"][0], item["picture"]) for item in items] if has_symbols else None
        )
        self.seen: dict[str, np.ndarray] = {}  # the decoder's inputs that stay the same at every step
        self.past: dict[str, np.ndarray] = {}
        self.history, self.length = np.zeros((0, 0), np.int64), 0

    def alone(self, item: int) -> "_Encoded":
        return _Encoded(self.network, [self.items[item]])

    def chosen(self, items: np.ndarray, beams: int) -> "_Encoded":
        return _Encoded(self.network, [self.items[item] for item in items])

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
            assert self.mask is not None
            self.seen = {"mask": self.mask, **{name: _joined([item[name] for item in self.items], 2) for name in names}}
            self.past = {
                name: np.zeros((rows, shape[1], 0, shape[3]), np.float32) for name, shape in self.network.past.items()
            }
            self.history, self.items = np.zeros((rows, 0), np.int64), []  # now joined in `seen`
        if (missing := self.length + new - self.history.shape[1]) > 0:
            more = -(-missing // ROOM) * ROOM
            self.past = {name: _longer(value, 2, more) for name, value in self.past.items()}
            self.history = _longer(self.history, 1, more)
        given = {"tokens": tokens, "length": np.array(self.length), **self.seen, **self.past}
        logits, *present = self.network.decoder.run(self.network.steps, given)
        steps = slice(self.length, self.length + new)
        for value, added in zip(self.past.values(), present, strict=True):
            value[:, :, steps] = added
        self.history[:, steps] = np.arange(rows)[:, None]
        self.length += new
        return logits


def _longer(values: np.ndarray, axis: int, more: int) -> np.ndarray:
    """Appends zeros along an axis, in a fifth of `np.pad`'s time."""
    return np.concatenate(
        [values, np.zeros([*values.shape[:axis], more, *values.shape[axis + 1 :]], values.dtype)], axis
    )


def _joined(parts: list[np.ndarray], columns: int) -> np.ndarray:
    """Joins items into one batch. The axis `columns` is padded with zeros."""
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
    options.enable_cpu_mem_arena = False  # it would keep the memory of the largest batch
    options.enable_mem_pattern = False
    options.log_severity_level = 3
    # Between the steps the search needs the cores itself.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    # The weights file lies a folder above the graphs.
    options.add_session_config_entry("session.model_external_initializers_file_folder_path", str(folder))
    return onnxruntime.InferenceSession(
        (folder / "onnx" / file).read_bytes(), options, providers=["CPUExecutionProvider"]
    )
