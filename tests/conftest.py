"""Shared by the tests: the shipped recognizer, drawn writing, the running app and a headless browser."""

import os
import shutil

import pytest

from benchmarks.driving import PATIENCE
from benchmarks.serving import server
from hwr_core import load_recognizer


@pytest.fixture(scope="session")
def recognizer():
    return load_recognizer("text")


@pytest.fixture(scope="session")
def app_server():
    """The running app's address, on a free port, and its process id."""
    with server() as running:
        yield running


@pytest.fixture(scope="session")
def app_address(app_server):
    return app_server[0]


@pytest.fixture(scope="session")
def chromium():
    """Debian's Chromium. Without it the browser tests are skipped at home, and fail in CI, which installs it."""
    from playwright.sync_api import expect, sync_playwright

    expect.set_options(timeout=PATIENCE)  # as for the actions: a busy machine takes longer than five seconds
    path = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if path is None:
        assert not os.environ.get("CI"), "CI must have Chromium: .ci/run installs it"
        pytest.skip("no Chromium here: install Debian's chromium package")
    arguments = [
        "--no-sandbox",
        "--disable-gpu",
        "--disable-background-networking",
        "--disable-quic",
        "--disable-component-update",
    ]
    expect.set_options(timeout=PATIENCE)  # a busy machine shows a reading late
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=arguments)
        yield browser
        browser.close()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Runs the browser tests last: Playwright keeps an event loop in this thread, in which `asyncio.run` fails."""
    items.sort(
        key=lambda item: (
            item.get_closest_marker("browser") is not None or "chromium" in getattr(item, "fixturenames", ())
        )
    )
