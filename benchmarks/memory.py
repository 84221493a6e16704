"""Measures the memory of the whole server: `python -m benchmarks.memory`.

It starts the server as a person does and drives it with a real browser: a word written with the mouse, a formula, and
a photo of 12 megapixels. After each step it prints the server's resident memory and its peak (VmRSS and VmHWM of
Linux, in MB).

`--sessions N` opens the Photo page in N browser windows that stay open. Each adds photos of 12 megapixels and has them
read. `--low` does so in low-memory mode.
`--results FOLDER` also writes the table into a file of that folder, for the documentation.
`--base` has the server read a line in low-memory mode. The checkpoint has the size of
`microsoft/trocr-base-handwritten`, and random weights.
"""

import argparse
import io
import json
import shutil
import tempfile
import urllib.parse
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import httpx
import numpy as np
from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

from benchmarks.driving import write_with_mouse
from benchmarks.serving import server
from hwr_core.ink.handprint import write
from hwr_core.ink.strokes import draw, render_line
from training.evaluation.results import write_results

TARGET = 512  # MB
SETTLED = 1500  # milliseconds after which a page does not change any more
PATIENCE = 60_000  # milliseconds; eight sessions' photos are read one after the other
PHOTOS = 3  # that each session adds
Row = tuple[str | int, ...]
LINES = (
    "we arrived on Thursday evening after a long journey",
    "the house is small but the garden is full of roses",
    "come and see us",
)


@dataclass(frozen=True)
class Table:
    """What was measured: a table, and the name of its result file."""

    name: str
    columns: tuple[str, ...]
    rows: Sequence[Row]
    note: str


def memory_of(pid: int) -> tuple[int, int]:
    """Resident now and at its peak, in MB of 1,024 kB."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    values = {line.split(":")[0]: int(line.split()[1]) // 1024 for line in lines if line.startswith(("VmRSS", "VmHWM"))}
    return values["VmRSS"], values["VmHWM"]


def photo(seed: int = 0) -> bytes:
    """Twelve megapixels: a page of 24 lines under a lamp, as JPEG."""
    strokes = [
        stroke * (1.0, 1.0) + (260, 240 + 148 * row)
        for row in range(24)
        for stroke in write(LINES[row % len(LINES)], 70, 0.1, 0.008, seed=row + 24 * seed)
    ]
    ink = draw(strokes, (4000, 3000), 6.0) / 255
    light = 225 - 70 * np.linspace(0, 1, 3000)[None, :]
    colours = (ink * light)[..., None] * (1.0, 0.97, 0.9) + np.random.default_rng(seed).integers(-3, 4, (4000, 3000, 1))
    packed = io.BytesIO()
    Image.fromarray(colours.clip(0, 255).astype(np.uint8)).save(packed, "JPEG", quality=90)
    return packed.getvalue()


def drive(page: Page, address: str, say: Callable[[str], None]) -> None:
    """Uses both pages like a person, and calls `say` after each step."""
    page.goto(address)
    page.locator("canvas").last.wait_for()
    say("the Draw page is shown")
    write_with_mouse(page, "see you")
    page.get_by_test_id("reading").wait_for()
    page.wait_for_timeout(3000)
    say("a word drawn and read")
    page.get_by_role("button", name="Clear").first.click()
    page.get_by_text("Write a word or two").wait_for()
    page.get_by_text("Math", exact=True).click()
    page.get_by_text("Write a formula").wait_for()
    page.get_by_role("button", name="Try an example").click()
    page.get_by_test_id("latex").wait_for()
    page.wait_for_timeout(1000)
    say("a formula drawn and read")
    page.get_by_role("link", name="Photo").click()
    page.get_by_text("Drop pictures or PDFs").wait_for()
    page.wait_for_timeout(SETTLED)  # until the uploader stays the same one
    page.locator("[data-testid=stFileUploader] input[type=file]").first.set_input_files(
        {"name": "photo.jpg", "mimeType": "image/jpeg", "buffer": photo()}
    )
    page.get_by_test_id("lines").wait_for()
    page.wait_for_timeout(2000)
    say("a photo of 12 megapixels read")
    page.get_by_text("Correct", exact=True).first.click()
    page.get_by_label("Line 1", exact=True).wait_for()
    page.get_by_role("button", name="Export").click()
    with page.expect_download():
        page.get_by_role("button", name="Searchable PDF").click()
    say("its lines shown, and its PDF downloaded")


def open_photo(page: Page, address: str, number: int) -> None:
    """Opens the Photo page, adds `PHOTOS` photos, which differ from those of other sessions, and has them read."""
    page.goto(f"{address}/photo")
    page.get_by_text("Drop pictures or PDFs").wait_for()
    page.wait_for_timeout(SETTLED)
    uploader = page.get_by_test_id("stFileUploader").first
    for index in range(PHOTOS):
        data = photo(number * PHOTOS + index)
        if not uploader.is_visible():
            page.get_by_role("button", name="Add pages").click()
            uploader.wait_for()
        uploader.locator("input[type=file]").set_input_files(
            {"name": f"photo-{index}.jpg", "mimeType": "image/jpeg", "buffer": data}
        )
        page.get_by_text(f"photo-{index}").first.wait_for()
        if index:
            page.get_by_role("button", name=f"photo-{index} ✓").wait_for()  # read, as the strip tells
        page.get_by_test_id("lines").first.wait_for()
        page.wait_for_timeout(SETTLED)


def person(browser: Browser) -> Table:
    """The server's memory while one person uses both pages."""
    rows: list[Row] = []
    with server() as (address, pid):
        page = browser.new_page(viewport={"width": 1280, "height": 950}, accept_downloads=True)
        page.set_default_timeout(PATIENCE)
        rows.append(("the server has started", *memory_of(pid)))
        drive(page, address, lambda step: rows.append((step, *memory_of(pid))))
        page.close()
    return Table("benchmark-memory", ("after", "resident MB", "peak MB"), rows, f"The target is a peak of {TARGET} MB.")


def sessions(browser: Browser, count: int, low: bool) -> Table:
    """The server's memory after each of several sessions has read its photos, all of them open to the end."""
    rows: list[Row] = []
    with server(HWR_LOW_MEMORY="1" if low else "0") as (address, pid):
        pages = [browser.new_page(viewport={"width": 1280, "height": 950}) for _ in range(count)]
        for number, page in enumerate(pages, 1):
            page.set_default_timeout(PATIENCE)
            open_photo(page, address, number)
            rows.append((f"{number} open", *memory_of(pid)))
            print(rows[-1], flush=True)
        pages[0].get_by_role("button", name="photo-0").click()
        pages[0].wait_for_timeout(2 * SETTLED)
        lines = pages[0].get_by_test_id("lines").locator("> div").count()
        rows.append((f"the first looks at its first page again: {lines} lines", *memory_of(pid)))
    note = f"Each session has {PHOTOS} photos of 12 megapixels." + (" In low-memory mode." if low else "")
    return Table("benchmark-memory-sessions", ("sessions", "resident MB", "peak MB"), rows, note)


def base() -> Table:
    """The server's peak after it has read two lines with a checkpoint as large as TrOCR-base, in low-memory mode."""
    from benchmarks.latency import usual_base  # imports torch

    packed = io.BytesIO()
    render_line(write("see you at 7:30", seed=1), 96, 5.0).save(packed, "PNG")
    with tempfile.TemporaryDirectory() as folder:
        write_processors(Path(folder))
        usual_base(positions=64).save_pretrained(folder)
        with server(HWR_LOCAL_CHECKPOINTS="1", HWR_LOW_MEMORY="1") as (address, pid):
            query = urllib.parse.urlencode({"mode": "line", "beams": 1, "checkpoint": folder})
            for _ in range(2):
                files = {"files": ("a.png", packed.getvalue())}
                httpx.post(f"{address}/api/recognize?{query}", files=files, timeout=300).raise_for_status()
            row = ("a checkpoint as large as microsoft/trocr-base-handwritten, asked for a line", memory_of(pid)[1])
    return Table("benchmark-memory-base", ("server", "peak MB"), [row], "In low-memory mode.")


def write_processors(folder: Path) -> None:
    """The image processor, and a byte-level tokenizer without merges, as a checkpoint of TrOCR's base has them."""
    printable = [*range(ord("!"), ord("~") + 1), *range(ord("¡"), ord("¬") + 1), *range(ord("®"), ord("ÿ") + 1)]
    symbols = [*map(chr, printable), *(chr(256 + number) for number in range(256 - len(printable)))]
    vocabulary = {token: number for number, token in enumerate(["<s>", "<pad>", "</s>", "<unk>", *symbols, "<mask>"])}
    scaling = {"do_resize": True, "size": 384, "resample": 2, "do_normalize": True}
    files = {
        "preprocessor_config.json": {
            "image_processor_type": "ViTImageProcessor",
            **scaling,
            "image_mean": [0.5] * 3,
            "image_std": [0.5] * 3,
        },
        "tokenizer_config.json": {"tokenizer_class": "RobertaTokenizer", "model_max_length": 512},
        "vocab.json": vocabulary,
    }
    for name, content in files.items():
        (folder / name).write_text(json.dumps(content), encoding="utf-8")
    (folder / "merges.txt").write_text("#version: 0.2\n", encoding="utf-8")


def measured(arguments: argparse.Namespace) -> Table:
    """Runs the benchmark that the options name."""
    if arguments.base:
        return base()
    with sync_playwright() as playwright:
        quiet = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-dev-shm-usage"]
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=quiet)
        try:
            return sessions(browser, arguments.sessions, arguments.low) if arguments.sessions else person(browser)
        finally:
            browser.close()


def main() -> None:
    """Measures, prints the table, and writes it where `--results` names a folder."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--base", action="store_true")
    parser.add_argument("--sessions", type=int, metavar="N")
    parser.add_argument("--low", action="store_true")
    parser.add_argument("--results", type=Path, metavar="FOLDER")
    arguments = parser.parse_args()
    table = measured(arguments)
    print("| " + " | ".join(table.columns) + " |\n" + "|---" * len(table.columns) + "|")
    for row in table.rows:
        print("| " + " | ".join(map(str, row)) + " |")
    print(f"\n{table.note}")
    if arguments.results:
        write_results(arguments.results / f"{table.name}.json", table.columns, table.rows, table.note)


if __name__ == "__main__":
    main()
