"""The shipped checkpoints' scaling as image processors for transformers' `from_pretrained` and `save_pretrained`."""

from transformers import AutoImageProcessor, BatchFeature
from transformers.image_processing_utils import BaseImageProcessor

from hwr_core.checkpoints.formula_encoder import FormulaEncoderConfig
from hwr_core.checkpoints.line_encoder import LineEncoderConfig
from hwr_core.checkpoints.pixels import FormulaPixels, LinePixels


class LineImageProcessor(LinePixels, BaseImageProcessor):
    """Scales text lines to `pixel_values` (batch, 1, height, width) float32: see `LinePixels`."""

    model_input_names = ["pixel_values"]

    def __init__(self, height: int = 48, max_width: int = 3072, **kwargs):
        BaseImageProcessor.__init__(self, **kwargs)
        LinePixels.__init__(self, height, max_width)

    def preprocess(self, images, return_tensors: str | None = "pt", **kwargs) -> BatchFeature:
        images = images if isinstance(images, list | tuple) else [images]
        return BatchFeature({"pixel_values": self.pixel_values(images)}, tensor_type=return_tensors)


class FormulaImageProcessor(FormulaPixels, BaseImageProcessor):
    """Scales formulas to `pixel_values` (batch, 1, height, width) float32: see `FormulaPixels`."""

    model_input_names = ["pixel_values"]

    def __init__(self, symbol: float = 20.0, max_pixels: int = 160_000, **kwargs):
        BaseImageProcessor.__init__(self, **kwargs)
        FormulaPixels.__init__(self, symbol, max_pixels)

    def preprocess(self, images, return_tensors: str | None = "pt", zoom: float = 1.0, **kwargs) -> BatchFeature:
        images = images if isinstance(images, list | tuple) else [images]
        return BatchFeature({"pixel_values": self.pixel_values(images, zoom)}, tensor_type=return_tensors)


AutoImageProcessor.register(LineEncoderConfig, image_processor_classes={"pil": LineImageProcessor})
AutoImageProcessor.register(FormulaEncoderConfig, image_processor_classes={"pil": FormulaImageProcessor})
