"""Times a drawn line and a drawn formula, from strokes to text or LaTeX, beside other readers in the same run.

The others are PP-OCRv6-small (`rapidocr`) and Tesseract on the line's picture, and the usual TrOCR demo: the architecture of
`trocr-base-handwritten` with random weights, which take as long as trained ones, in float32, through the model's default
`generate`, which stops at 20 tokens. All use the same threads. The ratios carry over to other machines.

`python -m benchmarks.latency --results docs/results` also writes the documentation's table.
"""

import argparse
import os
import subprocess
import sys
from collections.abc import Callable
from functools import partial
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
from training.evaluation.results import Cell, markdown, write_results
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
    """Starts a Python process that loads the text checkpoint and reads the line."""
    code = (
        "from hwr_core import load_recognizer, read_ink; from hwr_core.ink.handprint import write;"
        f"assert read_ink(write({TEXT!r}), load_recognizer('text', backend={backend!r}), beams=1).text"
    )
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--models", nargs="+", default=["text", "math", "auto"])
    parser.add_argument("--times", type=int, default=20)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--results", type=Path, metavar="FOLDER", help="also write the result file there")
    arguments = parser.parse_args()
    # For onnxruntime, here and in the new processes (`free_threads`).
    os.environ["OMP_NUM_THREADS"] = str(arguments.threads)
    torch.set_num_threads(arguments.threads)
    keep_heaps_few()  # as the server does
    rows: list[tuple[str, float]] = []

    def time(name: str, call: Callable[[], object], times: int = arguments.times) -> None:
        rows.append((name, median_seconds(call, times)))

    kinds = {False: f"a drawn line of {len(TEXT)} characters", True: "a drawn formula of 24 tokens"}
    for name in arguments.models:
        recognizer = load_recognizer(name)
        for formula in (False, True) if name == "auto" else (recognizer.reads_formulas,):
            label = kinds[formula] if name in ("text", "math") else f"{name}: {kinds[formula]}"
            for beams, how in ((1, "greedy"), (4, "four beams, as the app reads")):
                rows.append((f"{label}, {how}", drawing_seconds(recognizer, beams, arguments.times, formula)))
    picture = render_line(write(TEXT, slant=0.1, unsteadiness=0.006), 96, 5)
    for name, reader in peers().items():
        time(f"{name}, the line's picture", partial(reader, picture))
    time("a new process to its first reading", partial(cold_start, "onnx"), 3)
    time("a new process to its first reading, on torch", partial(cold_start, "torch"), 3)
    time("the usual demo, the line", usual_demo())
    demo = rows[-1][1]
    columns = ["from input to text", "ms", "times the demo's speed"]
    table: list[list[Cell]] = [[name, round(1000 * seconds), round(demo / seconds, 1)] for name, seconds in rows]
    note = (
        f"{arguments.threads} threads, median of {arguments.times} calls. The usual demo is TrOCR-base in float32, one line at a "
        "time, through the default generate. The ratios carry over to other machines, the milliseconds do not."
    )
    print(f"{markdown(columns, table)}\n\n{note}")
    if arguments.results:
        write_results(arguments.results / "benchmark-latency.json", columns, table, note)


if __name__ == "__main__":
    main()
