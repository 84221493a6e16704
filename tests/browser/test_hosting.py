"""The pages where people put them: below a path, behind a proxy, and in another site's frame."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest
from playwright.sync_api import Page, Response

from tests.support.paths import SAMPLES
from tests.support.proxy import prefix_proxy
from tests.support.server import serving

LETTER = SAMPLES / "letter.jpg"


@contextmanager
def framing(address: str) -> Iterator[str]:
    """A site whose page shows `address` in a frame. To browsers `localhost` is another site than `127.0.0.1`."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            content = f"<iframe src='{address}' width=1200 height=900></iframe>".encode()
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            """Says nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://localhost:{server.server_port}/"
    server.shutdown()


@pytest.fixture
def page(chromium):
    context = chromium.new_context()
    yield context.new_page()
    context.close()


def uploads(page: Page) -> Callable[[Response], bool]:
    return lambda response: "/_stcore/upload_file/" in response.url and response.request.method == "PUT"


def test_below_a_base_path_a_photo_is_uploaded_and_read(page, tmp_path):
    with serving(tmp_path, "--server.baseUrlPath=tools/hwr", health="/tools/hwr/api/health") as (address, _):
        photo_is_read(page, f"{address}/tools/hwr")


def test_behind_a_proxy_that_strips_a_prefix_a_photo_is_uploaded_and_read(page, tmp_path):
    with serving(tmp_path) as (address, _), prefix_proxy(address, "/tools/hwr") as outside:
        photo_is_read(page, f"{outside}/tools/hwr")


def photo_is_read(page: Page, base: str) -> None:
    """From the first page to the Photo page by its link, and directly by its address."""
    page.goto(f"{base}/")
    page.locator("canvas").first.wait_for(timeout=60_000)
    page.get_by_role("link", name="Photo").click()
    page.wait_for_url(f"{base}/photo")
    page.goto(f"{base}/photo")
    with page.expect_response(uploads(page), timeout=60_000) as uploaded:
        page.locator("[data-testid=stFileUploader] input[type=file]").first.set_input_files(LETTER, timeout=60_000)
    assert uploaded.value.status < 300
    page.get_by_text("Martha").first.wait_for(timeout=120_000)
    picture = page.locator(".viewer img")
    picture.wait_for(timeout=60_000)
    picture.evaluate("picture => picture.decode()")  # raises if it could not be loaded


@pytest.mark.parametrize(
    ("environment", "status"), [({}, 403), ({"STREAMLIT_SERVER_ENABLE_XSRF_PROTECTION": "false"}, 204)]
)
def test_in_another_sites_frame_uploads_work_with_the_settings_of_the_space_image_only(
    page, tmp_path, environment, status
):
    with serving(tmp_path, **environment) as (address, _), framing(f"{address}/photo") as outside:
        page.goto(outside)
        chooser = page.frame_locator("iframe").locator("[data-testid=stFileUploader] input[type=file]").first
        with page.expect_response(uploads(page), timeout=60_000) as uploaded:
            chooser.set_input_files(LETTER, timeout=60_000)
        assert uploaded.value.status == status
