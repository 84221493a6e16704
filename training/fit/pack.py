"""Packs the training data, the code and a start for a lent machine without a network: text 74 MB, math 41.

    python -m training.fit.pack runs/pack-text --task text --start models/text
    python -m training.fit.pack runs/pack-math --task math --start models/math
    cd runs/pack-math && HWR_DATA=data python -m training.fit.train math --device cuda --start start --echo 25 --pixels 2000000 \
        --minutes 9 --workers 15 --threads 1 --rate 6e-4 --run state

Training lines only, under the names and in the formats of `../shared/data`: strokes as whole numbers, scans at the height
that training uses, in WebP. Beside PyTorch, NumPy and transformers 5.x it takes OpenCV, scikit-image, Pillow and tqdm there.
"""

import argparse
import gzip
import io
import json
import shutil
import tarfile
from pathlib import Path

import cv2
import numpy as np
from safetensors.torch import save_file

from training.data import datasets as data
from training.data import printed_faces, word_frequencies
from training.data.pictures import decoded
from training.fit.warm_start import PACKED, PREFIX, fetch

HEIGHT = 48  # pixels of a scanned line, as the encoder takes it
QUALITY = {"copiste": 28}
LIMIT = {"hooker": 900, "peraire": 1000, "cremma19": 700}  # lines: of these few hands little of the stream is drawn
FACES = 12  # one printed face in so many
CODE = ("hwr_core", "training")
NOT_CODE = shutil.ignore_patterns("__pycache__", "*.png", "*.jpg")
OF_BOTH = ("pendigits.jsonl.gz",)
OF_TEXT = ("english.txt.gz", "sentences_eu.jsonl.gz", "form_lines.jsonl.gz")
OF_MATH = ("formulas.txt.gz", "formulas_more.txt.gz", "formulas_templates.txt.gz", "detexify.jsonl.gz")
ROOT = Path(__file__).resolve().parents[2]


def pack_ink(folder: Path, source: Path) -> None:
    with (
        gzip.open(source / "iam_ondb.jsonl.gz", "rt", encoding="utf-8") as lines,
        zipped(folder / "iam_ondb.jsonl.gz") as out,
    ):
        for record in map(json.loads, lines):
            if record["split"] == "train":
                strokes = [np.cumsum(np.array(stroke).reshape(-1, 2), 0) for stroke in record["strokes"]]
                tolerance = np.ptp(np.concatenate(strokes)[:, 1]) / 250
                record["strokes"] = [
                    np.diff(thinned(stroke, tolerance), axis=0, prepend=0).flatten().tolist() for stroke in strokes
                ]
                out.write(json.dumps(record, ensure_ascii=False, separators=(",", ":")) + "\n")


def pack_formulas(folder: Path, source: Path) -> None:
    """CROHME's training formulas, in whole numbers up to 2,000, without points that a straight line replaces."""
    with (
        gzip.open(source / "crohme.jsonl.gz", "rt", encoding="utf-8") as lines,
        zipped(folder / "crohme.jsonl.gz") as out,
    ):
        for record in map(json.loads, lines):
            if record["split"] != "train":
                continue
            strokes = [np.array(stroke, float).reshape(-1, 2) for stroke in record["strokes"]]
            points = np.concatenate(strokes)
            scale = 2000 / max(np.ptp(points, 0).max(), 1e-6)
            whole = [np.round((stroke - points.min(0)) * scale).astype(np.int32) for stroke in strokes]
            kept = {**record, "strokes": [thinned(s, 2.5).flatten().tolist() for s in whole]}
            out.write(json.dumps(kept, ensure_ascii=False, separators=(",", ":")) + "\n")


def thinned(stroke: np.ndarray, tolerance: float) -> np.ndarray:
    """The stroke's points less those that a straight line replaces to within `tolerance` (Douglas and Peucker 1973)."""
    return cv2.approxPolyDP(stroke.astype(np.int32)[:, None], tolerance, False)[:, 0]


def pack_scans(folder: Path, name: str, source: Path) -> None:
    """The training lines of one source; `split` in each record tells `data.scans` that the writers are parted already."""
    lines = data.scans(name, "train", source)
    count = min(len(lines), LIMIT.get(name, len(lines)))
    lines = [lines[index] for index in np.linspace(0, len(lines) - 1, count).astype(int)]
    records = []
    with tarfile.open(folder / f"{name}.tar", "w") as tar:
        for index, line in enumerate(lines):
            grey = decoded(line.jpeg)
            if grey.shape[0] > HEIGHT:
                width = round(grey.shape[1] * HEIGHT / grey.shape[0])
                grey = np.asarray(cv2.resize(grey, (width, HEIGHT), interpolation=cv2.INTER_AREA))
            add(
                tar,
                f"{index}.webp",
                cv2.imencode(".webp", grey, [cv2.IMWRITE_WEBP_QUALITY, QUALITY.get(name, 20)])[1].tobytes(),
            )
            records.append({"image": f"{index}.webp", "text": line.text, "page": line.writer, "split": "train"})
        add(tar, "lines.jsonl", "".join(json.dumps(record, ensure_ascii=False) + "\n" for record in records).encode())


def pack_fonts(folder: Path, source: Path) -> None:
    shutil.copy(source / "fonts.json", folder)
    with tarfile.open(folder / "fonts.tar", "w:xz") as tar:
        for name, font in data.fonts(source).items():
            add(tar, f"{name}.ttf", font)


def pack_backbone(folder: Path, downloads: Path) -> None:
    """Of PP-OCRv6-small's weights what the warm start takes, in fp16."""
    folder.mkdir(parents=True, exist_ok=True)
    save_file(
        {name: tensor.half() for name, tensor in fetch(downloads).items() if name.startswith(PREFIX)}, folder / PACKED
    )


def pack_words(folder: Path, downloads: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    word_frequencies.fetch(downloads)
    shutil.copy(downloads / word_frequencies.PACKED, folder)


def pack_faces(folder: Path, downloads: Path) -> None:
    """Some of the printed faces, of all families."""
    target = folder / printed_faces.FOLDER
    target.mkdir(parents=True, exist_ok=True)
    for name, face in list(printed_faces.fetch(downloads).items())[::FACES]:
        (target / f"{name}.ttf").write_bytes(face)


def zipped(path: Path) -> io.TextIOWrapper:
    return gzip.open(path, "wt", encoding="utf-8")


def add(tar: tarfile.TarFile, name: str, content: bytes) -> None:
    member = tarfile.TarInfo(name)
    member.size = len(content)
    tar.addfile(member, io.BytesIO(content))


def pack(folder: Path, source: Path = data.DATA, task: str | None = None) -> None:
    """Writes the data and the code of one task, text or math, or of both."""
    target = folder / "data"
    (target / "pages").mkdir(parents=True, exist_ok=True)
    pack_ink(target, source)
    pack_formulas(target, source)
    pack_fonts(target, source)
    for name in data.SCANS if task != "math" else ():
        pack_scans(target, name, source)
    for name in (*OF_BOTH, *(OF_TEXT if task != "math" else ()), *(OF_MATH if task != "text" else ())):
        shutil.copy(source / name, target)
    with open(source / "pages" / "pages.jsonl", encoding="utf-8") as pages:
        images = [json.dumps({"image": json.loads(line)["image"]}) for line in pages]
    (target / "pages" / "pages.jsonl").write_text("\n".join(images) + "\n", encoding="utf-8")
    for name in CODE:
        shutil.copytree(ROOT / name, folder / name, ignore=NOT_CODE, dirs_exist_ok=True)


def pack_start(folder: Path, checkpoint: Path) -> None:
    """The checkpoint that the run goes on from, without its language model and graphs."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("config.json", "tokenizer.json", "model.safetensors"):
        shutil.copy(checkpoint / name, folder)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--task", choices=["text", "math"], help="pack only what this task needs")
    parser.add_argument("--start", type=Path, help="a checkpoint to take along, in place of PP-OCRv6-small's backbone")
    arguments = parser.parse_args()
    pack(arguments.folder, task=arguments.task)
    parts = {"text": [pack_words, pack_faces], "math": []}.get(arguments.task, [pack_words, pack_faces])
    for part in parts if arguments.start else [*parts, pack_backbone]:
        part(arguments.folder / "downloads", arguments.folder.parent / "downloads")
    if arguments.start:
        pack_start(arguments.folder / "start", arguments.start)
    sizes = {path: path.stat().st_size for path in sorted(arguments.folder.rglob("*")) if path.is_file()}
    for path, size in sizes.items():
        if size > 1e5:
            print(f"{size / 1e6:7.1f} MB  {path.relative_to(arguments.folder)}")
    print(f"{sum(sizes.values()) / 1e6:7.1f} MB  in all")


if __name__ == "__main__":
    main()
