"""The memory of the whole server at its peak: `python -m benchmarks.memory`.

Starts the server as a person does, and drives it with a real browser: a word written with the mouse, a formula, and a photo of 12 megapixels.
After each step it prints the server's resident memory and its peak (VmRSS and VmHWM of Linux, in MB). `--load` instead has 24 clients send photos of 12
megapixels, drawings and drawn formulas at once, to a server that knows that memory is short. `--base` has the server read a line,
asked by its API, with a checkpoint of the architecture and the size of `microsoft/trocr-base-handwritten`, of random weights, kept in half the memory.
"""

import argparse
import io
import shutil
import tempfile
import urllib.parse
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import numpy as np
from PIL import Image
from playwright.sync_api import Page, sync_playwright

from benchmarks.driving import write_with_mouse
from benchmarks.serving import server
from hwr_core.ink.handprint import write, write_formula
from hwr_core.ink.strokes import draw, render_line

TARGET = 512  # MB
LINES = (
    "we arrived on Thursday evening after a long journey",
    "the house is small but the garden is full of roses",
    "come and see us",
)


def memory_of(pid: int) -> tuple[int, int]:
    """Resident now and at its peak, in MB of 1,024 kB."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    values = {line.split(":")[0]: int(line.split()[1]) // 1024 for line in lines if line.startswith(("VmRSS", "VmHWM"))}
    return values["VmRSS"], values["VmHWM"]


def photo() -> bytes:
    """Twelve megapixels: a page of 24 lines under a lamp, as JPEG."""
    strokes = [
        stroke * (1.0, 1.0) + (260, 240 + 148 * row)
        for row in range(24)
        for stroke in write(LINES[row % len(LINES)], 70, 0.1, 0.008, seed=row)
    ]
    ink = draw(strokes, (4000, 3000), 6.0) / 255
    light = 225 - 70 * np.linspace(0, 1, 3000)[None, :]
    colours = (ink * light)[..., None] * (1.0, 0.97, 0.9) + np.random.default_rng(0).integers(-3, 4, (4000, 3000, 1))
    packed = io.BytesIO()
    Image.fromarray(colours.clip(0, 255).astype(np.uint8)).save(packed, "JPEG", quality=90)
    return packed.getvalue()


def drive(page: Page, address: str, say) -> None:
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
    page.get_by_role("button", name="Show me").click()
    page.get_by_test_id("latex").wait_for()
    page.wait_for_timeout(1000)
    say("a formula drawn and read")
    page.get_by_role("link", name="Photo").click()
    page.get_by_text("Drop pictures or PDFs").wait_for()
    page.wait_for_timeout(1500)  # until the uploader stays the same one
    page.locator("input[type=file]").first.set_input_files(
        {"name": "photo.jpg", "mimeType": "image/jpeg", "buffer": photo()}
    )
    page.get_by_test_id("lines").wait_for()
    page.wait_for_timeout(2000)
    say("a photo of 12 megapixels read")
    page.get_by_text("Correct", exact=True).first.click()
    page.get_by_label("Line 1", exact=True).wait_for()
    with page.expect_download():
        page.get_by_role("button", name="Searchable PDF").click()
    say("its lines shown, and its PDF downloaded")


def load_peak() -> tuple[int, int, int]:
    """The server's peak after 6 photos, 110 drawings and 50 formulas sent by 24 clients; how many of these were read; and of how many."""
    page, line, formula = (
        photo(),
        [stroke.tolist() for stroke in write("meet me at the station", slant=0.1)],
        write_formula(),
    )
    drawings = [{"strokes": line}] * 11 + [{"strokes": [stroke.tolist() for stroke in formula], "mode": "formula"}] * 5
    with server(HWR_LOW_MEMORY="1") as (address, pid), ThreadPoolExecutor(24) as clients:
        sent = [
            clients.submit(httpx.post, f"{address}/api/recognize", files={"files": ("a.jpg", page)}, timeout=600)
            for _ in range(6)
        ]
        sent += [
            clients.submit(httpx.post, f"{address}/api/ink", json=drawing, timeout=600) for drawing in drawings * 10
        ]
        read = sum(answer.result().status_code == 200 for answer in sent)
        return memory_of(pid)[1], read, len(sent)


def base_peak() -> int:
    """The server's peak after it has read two lines with a checkpoint as large as Microsoft's base."""
    from benchmarks.latency import usual_base  # these import torch
    from tests.support.checkpoint_layouts import base

    packed = io.BytesIO()
    render_line(write("see you at 7:30", seed=1), 96, 5.0).save(packed, "PNG")
    with tempfile.TemporaryDirectory() as folder:
        base(Path(folder))  # the tokenizer and the scaling
        usual_base(positions=64).save_pretrained(folder)
        with server(HWR_LOCAL_CHECKPOINTS="1", HWR_LOW_MEMORY="1") as (address, pid):
            query = urllib.parse.urlencode({"mode": "line", "beams": 1, "checkpoint": folder})
            for _ in range(2):
                answer = httpx.post(
                    f"{address}/api/recognize?{query}", files={"files": ("a.png", packed.getvalue())}, timeout=300
                )
                answer.raise_for_status()
            return memory_of(pid)[1]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--base", action="store_true")
    parser.add_argument("--load", action="store_true")
    arguments = parser.parse_args()
    if arguments.base:
        print(f"Peak {base_peak()} MB with TrOCR-base")
        return
    if arguments.load:
        print("Peak {} MB, {} of {} requests answered, 24 at once".format(*load_peak()))
        return
    with sync_playwright() as playwright, server() as (address, pid):
        quiet = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=quiet)
        page = browser.new_page(viewport={"width": 1280, "height": 950}, accept_downloads=True)
        page.set_default_timeout(120_000)
        print("| | resident MB | peak MB |\n|---|---|---|")

        def say(what: str) -> None:
            now, peak = memory_of(pid)
            print(f"| {what} | {now} | {peak} |", flush=True)

        say("the server has started")
        drive(page, address, say)
        browser.close()
        peak = memory_of(pid)[1]
    print(f"\nPeak {peak} MB of {TARGET}: {'kept' if peak <= TARGET else 'missed'}")


if __name__ == "__main__":
    main()
