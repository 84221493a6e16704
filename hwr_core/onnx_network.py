"""A shipped checkpoint as the network that is decoded, on onnxruntime: an eighth of the memory that torch and transformers take.

`training/export_onnx.py` writes the graphs, which name their weights' places in the checkpoint's `model.safetensors`.
"""

from pathlib import Path

import numpy as np
import onnxruntime

ENCODED_AT_ONCE = 4  # images: their features still fit the cache, and bound the memory


class OnnxNetwork:
    """As `decoding.Network`. `threads` bounds those that the encoder uses."""

    def __init__(self, folder: Path, start: int, end: int, pad: int, vocabulary: int, positions: int, threads: int):
        self.start, self.end, self.pad, self.vocabulary, self.positions = start, end, pad, vocabulary, positions
        self.encoder = _session(folder, "encoder_model.onnx", threads)
        self.decoder = _session(folder, "decoder_with_past_model.onnx", 1)  # a step is too short to be shared out
        self.outputs = [output.name for output in self.encoder.get_outputs()]
        layers, _, heads, _, size = next(value.shape for value in self.decoder.get_inputs() if value.name == "past")
        self.past_shape = (layers, heads, size)

    def encode(self, pixel_values: np.ndarray, beams: int) -> "_Encoded":
        parts = [self._encode(pixel_values[index : index + ENCODED_AT_ONCE]) for index in range(0, len(pixel_values), ENCODED_AT_ONCE)]
        crossed = _joined([part["crossed"] for part in parts], 1, 3)
        mask = _joined([part["mask"] for part in parts], 0, 1)
        ctc_logits = _joined([part["ctc_logits"] for part in parts], 0, 1) if "ctc_logits" in self.outputs else None
        return _Encoded(self, crossed, mask, ctc_logits, beams)

    def _encode(self, images: np.ndarray) -> dict[str, np.ndarray]:
        # Without the padding that only other parts of the batch need.
        rows, columns = (np.flatnonzero((images != 0).any(axis)) for axis in ((0, 1, 3), (0, 1, 2)))
        images = np.ascontiguousarray(images[:, :, : rows[-1] + 1, : columns[-1] + 1])
        return dict(zip(self.outputs, self.encoder.run(self.outputs, {"pixel_values": images}), strict=True))


class _Encoded:
    def __init__(self, network: OnnxNetwork, crossed: np.ndarray, mask: np.ndarray, ctc_logits: np.ndarray | None, beams: int):
        self.session, self.crossed, self.mask, self.ctc_logits = network.decoder, crossed, mask, ctc_logits
        self.row_mask = mask
        layers, heads, size = network.past_shape
        self.past = np.zeros((layers, len(mask) * beams, heads, 0, size), np.float32)

    def step(self, tokens: np.ndarray, origin: np.ndarray) -> np.ndarray:
        inputs = {"tokens": tokens, "origin": origin, "past": self.past, "crossed": self.crossed, "mask": self.row_mask}
        logits, self.past = self.session.run(["logits", "present"], inputs)
        return logits

    def keep(self, items: np.ndarray) -> None:
        self.crossed, self.row_mask = self.crossed[:, items], self.row_mask[items]


def _joined(parts: list[np.ndarray], batch: int, columns: int) -> np.ndarray:
    """One batch of several, whose columns are filled up with zeros."""
    if len(parts) == 1:
        return parts[0]
    shape = list(parts[0].shape)
    shape[batch], shape[columns] = sum(part.shape[batch] for part in parts), max(part.shape[columns] for part in parts)
    whole, start = np.zeros(shape, parts[0].dtype), 0
    for part in parts:
        place = [slice(None)] * part.ndim
        place[batch], place[columns] = slice(start, start + part.shape[batch]), slice(part.shape[columns])
        whole[tuple(place)] = part
        start += part.shape[batch]
    return whole


def _session(folder: Path, file: str, threads: int) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
    options.enable_cpu_mem_arena = False  # which would keep what the largest batch took
    options.log_severity_level = 3
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")  # between its steps the search needs the cores itself
    # The graphs name the weights' file, which lies a folder above them, where onnxruntime looks only when told.
    options.add_session_config_entry("session.model_external_initializers_file_folder_path", str(folder))
    return onnxruntime.InferenceSession((folder / "onnx" / file).read_bytes(), options, providers=["CPUExecutionProvider"])
