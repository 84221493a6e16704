"""Takes the README's pictures from the running app: `python -m tests.support.screenshots http://localhost:8501`."""

import shutil
import sys

from playwright.sync_api import sync_playwright

from benchmarks.driving import write_with_mouse
from tests.support.paths import ROOT

OUT = ROOT / "docs" / "images"


def main() -> None:
    address = sys.argv[1] if len(sys.argv) > 1 else "http://localhost:8501"
    OUT.mkdir(exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-gpu"]
        )
        page = browser.new_page(viewport={"width": 1280, "height": 860})
        page.set_default_timeout(60_000)
        page.goto(address)
        page.locator("canvas").last.wait_for()
        write_with_mouse(page, "see you at 7:30")
        page.get_by_test_id("reading").filter(has_text="7:30").wait_for()
        page.mouse.move(700, 780)
        page.wait_for_timeout(2500)
        page.screenshot(path=OUT / "draw.png")
        page.get_by_role("button", name="Clear").first.click()
        page.get_by_text("Math", exact=True).click()
        page.get_by_role("button", name="Try an example").click()
        page.get_by_test_id("latex").filter(has_text="sqrt").wait_for()
        page.mouse.move(700, 780)
        page.wait_for_timeout(2500)
        page.screenshot(path=OUT / "math.png")
        page.goto(f"{address}/photo")
        page.get_by_role("tab", name="Samples").click()
        page.get_by_role("button", name="Letter").click()
        page.get_by_test_id("lines").wait_for()
        page.locator(".viewer .word").nth(20).wait_for(state="attached")
        page.get_by_test_id("lines").get_by_text("Thursday").click()
        page.mouse.move(700, 10)
        page.wait_for_timeout(2500)
        page.screenshot(path=OUT / "photo.png")
        browser.close()


if __name__ == "__main__":
    main()
