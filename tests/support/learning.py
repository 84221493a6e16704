"""Stands for `pages/hand/process.py`: learns a tiny checkpoint in two steps, or only pretends to.

`HWR_TEST_LEARNING` says which: "tiny:FOLDER" trains the checkpoint in that folder, "helped:FOLDER" copies it as the
result, "not", "error" and "crash" end without one, "wait" goes on until it is stopped.
"""

import json
import os
import shutil
import sys
import time
from functools import partial
from pathlib import Path

REPORT = {"lines": 23, "aside": 7, "errors_before": 20, "errors_after": 10}


def main() -> int:
    root, _, out, start = sys.argv[1:]
    way, _, folder = os.environ["HWR_TEST_LEARNING"].partition(":")
    if way == "tiny":
        return learn(root, out, folder)
    lines = [json.loads(line) for line in sys.stdin.read().splitlines()]
    Path(out, "progress.json").write_text(json.dumps({"stage": "training", "done": 20, "total": 80}))
    if way == "wait":
        time.sleep(120)
    if way == "crash":
        raise OSError("secret text")
    if way == "error":
        print("The checkpoint cannot write 'Ł'.", file=sys.stderr)
        return 2
    if way == "helped":
        shutil.copytree(folder, out, dirs_exist_ok=True)
    sentence = "It helped." if way == "helped" else f"It did not help enough to be sure: the checkpoint {start} stays."
    report = REPORT | {"helped": way == "helped", "sentence": sentence, "given": len(lines)}
    Path(out, "fine-tuning.json").write_text(json.dumps(report))
    return 0


def learn(root: str, out: str, folder: str) -> int:
    """The real command with a small checkpoint, few steps, and errors that say that it helped."""
    sys.path[:0] = [root]
    from hwr_core.cli import main as hwr
    from training.data import replay
    from training.fit import export_onnx, fine_tune, own_batches
    from training.fit.recipes import Recipe

    fine_tune.FineTuning = partial(fine_tune.FineTuning, recipe=Recipe("upper", 1e-3, steps=2))
    fine_tune.batch_count = lambda lines: 1
    fine_tune.general_lines = lambda *_: lambda rng: replay.drawn("and so on", rng)
    fine_tune.losses_by_share = lambda *_: {0.0: 1.0, 1.0: 0.5}
    export_onnx.to_eight_bits = lambda *_: None  # the small checkpoint has no large matrix
    counted = iter([9, 3])
    fine_tune.errors = lambda recognizer, lines: next(counted)
    own_batches.OWN_IN_BATCH = 2
    return hwr(["train", "fine-tune", "--data", "-", "--out", out, "--start", folder])


if __name__ == "__main__":
    sys.exit(main())
