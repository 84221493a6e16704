"""`rapidocr`'s text detector, on a session of our own that spares time and memory."""

import logging
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np
import onnxruntime

from hwr_core.runtime.threads import free_threads

MODEL = "PP-OCRv6_det_small.onnx"
STRIP = 8.0  # width by height from which the detector sees a strip with black above and below, as `rapidocr` does it
LEAST_HEIGHT = 30  # pixels, below which it does so too
MEAN, STD = 0.5, 0.5  # of the greys 0–1, by which the network's input is scaled


class TextDetector:
    """Finds pieces of writing: PP-OCRv6's detector with `rapidocr`'s own steps after the network."""

    def __init__(self) -> None:
        import rapidocr
        from rapidocr.ch_ppocr_det import TextDetector as RapidDetector
        from rapidocr.utils.process_img import apply_vertical_padding
        from rapidocr.utils.typings import EngineType

        logging.getLogger("RapidOCR").setLevel(logging.WARNING)
        self.session = _session(Path(rapidocr.__file__).parent / "models" / MODEL)
        # As in its config.yaml.
        settings = _Settings(session=self.session, thresh=0.3, box_thresh=0.5, unclip_ratio=1.6)
        settings.engine_type = EngineType.ONNXRUNTIME
        self._steps = RapidDetector(settings)
        # rapidocr's own step works in double precision, on three planes.
        self._steps.get_preprocess = lambda: _planes  # type: ignore[method-assign, assignment, return-value]
        self._steps.session = self._run
        self._padded = apply_vertical_padding
        self._options = onnxruntime.RunOptions()
        self._options.add_run_config_entry("memory.enable_memory_arena_shrinkage", "cpu:0")

    def __call__(self, grey: np.ndarray) -> list[np.ndarray]:
        """The corners (4, 2) of pieces of writing, clockwise from the top left, in pixels.

        Args:
            grey: The page as it is to be seen, dark on light, (height, width) uint8.
        """
        seen, record = self._padded(grey, {}, STRIP, LEAST_HEIGHT)
        boxes = self._steps(seen).boxes
        if boxes is None:
            return []
        moved = np.asarray(boxes, float) - (0, record["padding_1"]["top"])
        return list(moved.clip(0, grey.shape[::-1]))

    def _run(self, pixels: np.ndarray) -> np.ndarray:
        return self.session.run(None, {self.session.get_inputs()[0].name: pixels}, self._options)[0]


@lru_cache(maxsize=1)
def detector() -> TextDetector:
    """The detector, which is loaded once."""
    return TextDetector()


class _Settings(dict):
    """What `rapidocr`'s detector asks for: a mapping with the engine as an attribute."""

    engine_type: object


def _session(model: Path) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.log_severity_level = free_threads(), 4
    # The arena spares the system half of the detector's time: without it each layer's output takes fresh pages. What it took
    # is given back after each run.
    options.enable_cpu_mem_arena = True
    options.enable_mem_pattern = False  # for a size seen before it would take a third more memory, and no less time
    # Threads that wait for one another would keep the cores busy, which other requests need.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return onnxruntime.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])


def _planes(grey: np.ndarray) -> np.ndarray | None:
    """The network's input, (1, 3, height, width) float32: three times the greys, both sides multiples of 32 pixels."""
    height, width = (round(side / 32) * 32 for side in grey.shape)
    if not height or not width:
        return None
    plane = cv2.resize(grey, (width, height)) * np.float32(1 / 255.0 / STD)
    plane -= np.float32(MEAN / STD)
    return np.repeat(plane[None, None], 3, 1)
