"""The shipped checkpoints' image processor: a line, `height` pixels high, as wide as it is."""

import numpy as np
import torch
from PIL import Image
from transformers import AutoImageProcessor, BatchFeature
from transformers.image_processing_utils import BaseImageProcessor

from hwr_core.encoder import WIDTH_STRIDE, LineEncoderConfig
from hwr_core.line_image import scale_to_height, spread_contrast, to_grey


class LineImageProcessor(BaseImageProcessor):
    """Lines of one height in, `pixel_values` (batch, 1, height, width) float32 out.

    Grey levels 0..255 become odd multiples of 1/255 between −1 and 1, so that no pixel is 0: 0 marks the padding on
    the right of the narrower lines of a batch. `max_width` in pixels bounds the memory that one line can take.
    """

    model_input_names = ["pixel_values"]

    def __init__(self, height: int = 48, max_width: int = 3072, **kwargs):
        super().__init__(**kwargs)
        self.height = height
        self.max_width = max_width

    def line(self, image: Image.Image | np.ndarray) -> np.ndarray:
        """One line as the encoder sees it: uint8, its width a multiple of the encoder's stride."""
        grey = spread_contrast(scale_to_height(to_grey(image), self.height, self.max_width))
        return np.pad(grey, ((0, 0), (0, -grey.shape[1] % WIDTH_STRIDE)), constant_values=255)

    def preprocess(self, images, return_tensors: str | None = "pt", **kwargs) -> BatchFeature:
        images = images if isinstance(images, list | tuple) else [images]
        return BatchFeature({"pixel_values": stack_lines([self.line(image) for image in images])})


def stack_lines(lines: list[np.ndarray]) -> torch.Tensor:
    """uint8 lines of one height → (batch, 1, height, width) float32, padded with 0 on the right."""
    batch = np.zeros((len(lines), 1, lines[0].shape[0], max(line.shape[1] for line in lines)), np.float32)
    for row, line in zip(batch, lines, strict=True):
        row[0, :, : line.shape[1]] = line.astype(np.float32) * (2 / 255) - 1
    return torch.from_numpy(batch)


AutoImageProcessor.register(LineEncoderConfig, image_processor_classes={"pil": LineImageProcessor})
