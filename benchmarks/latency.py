"""Times one drawn line of 30 characters and one drawn formula from strokes to text or LaTeX, beside what the usual TrOCR demo does, in the same
run, and beside PP-OCRv6-small (`rapidocr`) and Tesseract on the drawn picture; and a first reading after a cold start.

`python -m benchmarks.latency` prints medians and their ratio; the ratio is what carries over to another machine. The
demo is `trocr-base-handwritten`'s architecture with random weights (they take as long as trained ones), in float32,
through the model's default `generate`, which stops at 20 tokens. Both use the same threads.
"""

import argparse
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import torch
from transformers import (
    TrOCRConfig,
    VisionEncoderDecoderConfig,
    VisionEncoderDecoderModel,
    ViTConfig,
    ViTImageProcessorPil,
)

from hwr_core import load_recognizer
from hwr_core.ink.handprint import write
from hwr_core.ink.strokes import render_line
from hwr_core.runtime.memory import keep_heaps_few
from training.evaluation.peers import peers
from training.evaluation.timing import TEXT, drawing_seconds, median_seconds

ROOT = Path(__file__).resolve().parents[1]


def usual_base(positions: int = 512) -> VisionEncoderDecoderModel:
    """TrOCR-base with random weights, which go on for as many tokens as it has positions."""
    encoder = ViTConfig(image_size=384, qkv_bias=False)
    decoder = TrOCRConfig(
        max_position_embeddings=positions, cross_attention_hidden_size=768, is_decoder=True, add_cross_attention=True
    )
    config = VisionEncoderDecoderConfig.from_encoder_decoder_configs(encoder, decoder)
    config.decoder_start_token_id, config.pad_token_id, config.eos_token_id = 2, 1, 2
    return VisionEncoderDecoderModel(config)


def usual_demo() -> Callable[[], object]:
    """A 384×384 picture through TrOCR-base: ViT-B/16 and a 12-layer decoder of width 1024 (Li et al. 2021)."""
    model = usual_base().eval()
    processor = ViTImageProcessorPil(size={"height": 384, "width": 384})
    strokes = write(TEXT)

    def read() -> object:
        image = render_line(strokes, 96, 5).convert("RGB")
        with torch.inference_mode():
            return model.generate(
                processor(image, return_tensors="pt").pixel_values,
                decoder_start_token_id=2,
                pad_token_id=1,
                eos_token_id=None,
            )

    return read


def cold_start(backend: str) -> None:
    """A Python process that imports what it needs, loads the text checkpoint, and reads the line."""
    code = (
        "from hwr_core import load_recognizer, read_ink; from hwr_core.ink.handprint import write;"
        f"assert read_ink(write({TEXT!r}), load_recognizer('text', backend={backend!r}), beams=1).text"
    )
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--models", nargs="+", default=["text", "math"])
    parser.add_argument("--times", type=int, default=20)
    parser.add_argument("--threads", type=int, default=2)
    arguments = parser.parse_args()
    os.environ["OMP_NUM_THREADS"] = str(
        arguments.threads
    )  # for onnxruntime, here and in the new processes (`free_threads`)
    torch.set_num_threads(arguments.threads)
    keep_heaps_few()  # as the server does
    recognizers = [load_recognizer(name) for name in arguments.models]
    rows = []
    for recognizer in recognizers:
        for name, beams in (("greedy", 1), ("4 beams", 4)):
            what = "a formula" if recognizer.reads_formulas else "a line"
            rows.append((f"{recognizer.name}, {what}, {name}", drawing_seconds(recognizer, beams, arguments.times)))
    picture = render_line(write(TEXT, slant=0.1, unsteadiness=0.006), 96, 5)
    for name, reader in peers().items():
        rows.append(
            (f"{name}, the line's picture", median_seconds(lambda reader=reader: reader(picture), arguments.times))
        )
    for backend in ("onnx", "torch"):
        rows.append(
            (
                f"a new process to its first reading, on {backend}",
                median_seconds(lambda backend=backend: cold_start(backend), 3),
            )
        )
    rows.append(("the usual demo, a line (TrOCR-base, fp32, 20 tokens)", median_seconds(usual_demo(), arguments.times)))
    print(
        f"A line of {len(TEXT)} characters, a formula of 24 tokens, {arguments.threads} threads, median of {arguments.times}\n"
    )
    print("| reader | ms | times the demo's speed |\n|---|---|---|")
    for name, seconds in rows:
        print(f"| {name} | {1000 * seconds:.0f} | {rows[-1][1] / seconds:.1f} |")


if __name__ == "__main__":
    main()
