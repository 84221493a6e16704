"""A shipped checkpoint as the network that is decoded, on onnxruntime: an eighth of the memory that torch and transformers take.

`training/export_onnx.py` writes the graphs, which name their weights' places in the checkpoint's `model.safetensors`.
"""

from pathlib import Path

import numpy as np
import onnxruntime

ENCODED_AT_ONCE = 2  # images: their features still fit the cache, and bound the memory


class OnnxNetwork:
    """As `decoding.Network`. `threads` bounds those that the encoder uses."""

    def __init__(self, folder: Path, start: int, end: int, pad: int, vocabulary: int, positions: int, threads: int):
        self.start, self.end, self.pad, self.vocabulary, self.positions = start, end, pad, vocabulary, positions
        self.encoder = _session(folder, "encoder_model.onnx", threads)
        self.decoder = _session(folder, "decoder_with_past_model.onnx", 1)  # a step is too short to be shared out
        self.outputs = [output.name for output in self.encoder.get_outputs()]
        self.past = {value.name: value.shape for value in self.decoder.get_inputs() if value.name.startswith("past_")}
        self.steps = [output.name for output in self.decoder.get_outputs()]  # the logits, then `past` with a step more, in its order

    def encode(self, pixel_values: np.ndarray, beams: int) -> "_Encoded":
        parts = [self._encode(pixel_values[index : index + ENCODED_AT_ONCE]) for index in range(0, len(pixel_values), ENCODED_AT_ONCE)]
        mask, *crossed = (_joined([part.pop(0) for part in parts], 2 if "crossed" in name else 1) for name in self.outputs)
        ctc_logits = crossed.pop() if "ctc_logits" in self.outputs else None
        return _Encoded(self, mask, crossed, ctc_logits, beams)

    def _encode(self, images: np.ndarray) -> list[np.ndarray]:
        # Without the padding that only other parts of the batch need.
        rows, columns = (np.flatnonzero((images != 0).any(axis)) for axis in ((0, 1, 3), (0, 1, 2)))
        images = np.ascontiguousarray(images[:, :, : rows[-1] + 1, : columns[-1] + 1])
        return self.encoder.run(self.outputs, {"pixel_values": images})


class _Encoded:
    def __init__(self, network: OnnxNetwork, mask: np.ndarray, crossed: list[np.ndarray], ctc_logits: np.ndarray | None, beams: int):
        self.session, self.outputs, self.mask, self.ctc_logits = network.decoder, network.steps, mask, ctc_logits
        names = [name for name in network.outputs if name.startswith("crossed_")]
        self.seen = {"mask": mask, **dict(zip(names, crossed, strict=True))}
        self.past = {name: np.zeros((len(mask) * beams, shape[1], 0, shape[3]), np.float32) for name, shape in network.past.items()}

    def step(self, tokens: np.ndarray, origin: np.ndarray) -> np.ndarray:
        logits, *present = self.session.run(self.outputs, {"tokens": tokens, "origin": origin, **self.seen, **self.past})
        self.past = dict(zip(self.past, present, strict=True))
        return logits

    def keep(self, items: np.ndarray) -> None:
        self.seen = {name: value[items] for name, value in self.seen.items()}


def _joined(parts: list[np.ndarray], columns: int) -> np.ndarray:
    """One batch of several, whose axis of `columns` is filled up with zeros."""
    if len(parts) == 1:
        return parts[0]
    longest = max(part.shape[columns] for part in parts)
    shape = [sum(map(len, parts)), *parts[0].shape[1:]]
    shape[columns] = longest
    whole, start = np.zeros(shape, parts[0].dtype), 0
    for part in parts:
        place = [slice(None)] * part.ndim
        place[0], place[columns] = slice(start, start + len(part)), slice(part.shape[columns])
        whole[tuple(place)] = part
        start += len(part)
    return whole


def _session(folder: Path, file: str, threads: int) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
    options.enable_cpu_mem_arena = False  # which would keep what the largest batch took
    options.enable_mem_pattern = False
    options.log_severity_level = 3
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")  # between its steps the search needs the cores itself
    # The graphs name the weights' file, which lies a folder above them, where onnxruntime looks only when told.
    options.add_session_config_entry("session.model_external_initializers_file_folder_path", str(folder))
    return onnxruntime.InferenceSession((folder / "onnx" / file).read_bytes(), options, providers=["CPUExecutionProvider"])
