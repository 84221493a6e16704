"""The HTTP API: readings, errors, limits, and many clients at once."""

import asyncio
import gc
import io
import json
import logging
import os
import re
import signal
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from types import SimpleNamespace

import pytest
from fastapi import APIRouter
from fastapi.testclient import TestClient
from PIL import Image
from starlette.applications import Starlette
from starlette.routing import Mount

from benchmarks.process_tree import descendants
from hwr_core import load_recognizer
from hwr_core.ink.handprint import write, write_formula
from hwr_core.ink.strokes import render_line
from hwr_core.reading import Line, Page, Reading
from hwr_core.recognizer import Recognizer
from hwr_core.runtime import limits
from hwr_core.runtime.settings import settings
from hwr_core.server import api
from hwr_core.server.admission import open_to_all
from hwr_core.server.workers import ClientDisconnected, Workers
from tests.support.paths import SAMPLES
from tests.support.pictures import encoded

LETTER = (SAMPLES / "letter.jpg").read_bytes()


@pytest.fixture
def client():
    return TestClient(api.create_api(), raise_server_exceptions=False)


def png(image: Image.Image) -> bytes:
    packed = io.BytesIO()
    image.save(packed, "PNG")
    return packed.getvalue()


def line(text: str = "hello world") -> bytes:
    return png(render_line(write(text, slant=0.1), 96, 5))


def sent(*files: tuple[str, bytes]) -> list:
    return [("files", file) for file in files]


def strokes_of(text: str) -> list:
    return [stroke.tolist() for stroke in write(text, slant=0.1)]


def test_a_page_is_read_as_the_library_reads_it(client):
    answer = client.post("/recognize", files=sent(("letter.jpg", LETTER)))
    assert answer.status_code == 200 and answer.json()["errors"] == []
    (page,) = answer.json()["pages"]
    assert page["file"] == "letter.jpg" and page["page"] == 1 and len(page["lines"]) == 5
    assert "Martha" in page["text"] and page["text"] == "\n".join(found["text"] for found in page["lines"])
    assert all(len(found["box"]) == 4 and 0 <= found["confidence"] <= 1 for found in page["lines"])


def test_lines_and_formulas_are_read_as_what_they_are(client):
    answer = client.post("/recognize?mode=line&beams=2", files=sent(("a.png", line()), ("b.png", line("good morning"))))
    assert [page["text"] for page in answer.json()["pages"]] == ["hello world", "good morning"]
    drawn = [stroke.tolist() for stroke in write_formula()]
    answer = client.post("/ink", json={"strokes": drawn, "mode": "formula"})
    assert "sqrt" in answer.json()["text"] and answer.json()["lines"][0]["kind"] == "formula"


def test_every_page_of_a_pdf_and_the_settings(client):
    pages = [render_line(write(text), 96, 5).convert("RGB") for text in ("hello world", "bring the map")]
    packed = encoded(pages[0], "PDF", save_all=True, append_images=pages[1:])
    answer = client.post(
        "/recognize?mode=page&perspective=false&flatten=false&threshold=otsu", files=sent(("two.pdf", packed))
    )
    assert [(page["page"], page["text"]) for page in answer.json()["pages"]] == [
        (1, "hello world"),
        (2, "bring the map"),
    ]


@contextmanager
def killing(task: str, most: int):
    """Kills the first `most` processes that do `task` for a PDF. Gives the list of those that it has killed."""
    over, killed = threading.Event(), []

    def watch() -> None:
        while not over.wait(0.002):
            for pid in descendants(os.getpid())[1:]:
                with suppress(OSError):
                    command = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
                    if len(killed) < most and pid not in killed and task.encode() in command:
                        os.kill(pid, signal.SIGKILL)
                        killed.append(pid)

    watching = threading.Thread(target=watch)
    watching.start()
    try:
        yield killed
    finally:
        over.set()
        watching.join()


@pytest.mark.parametrize("task", ["count", "page"])
def test_a_killed_pdf_process_loses_no_page(client, task):
    pdf = encoded(Image.open(io.BytesIO(line())).convert("RGB"), "PDF")
    with killing(task, most=1) as killed:
        answer = client.post("/recognize", files=sent(("a.pdf", pdf)))
    assert [page["text"] for page in answer.json()["pages"]] == ["hello world"] and len(killed) == 1


def test_a_pdf_whose_processes_are_always_killed_is_reported_and_the_next_one_read(client):
    pdf = encoded(Image.open(io.BytesIO(line())).convert("RGB"), "PDF")
    with killing("page", most=9) as killed:
        answer = client.post("/recognize", files=sent(("a.pdf", pdf)))
    assert answer.status_code == 413 and "too much memory or time" in answer.json()["detail"] and len(killed) == 2
    assert client.post("/recognize", files=sent(("a.pdf", pdf))).json()["pages"][0]["text"] == "hello world"


def test_a_drawing_is_read(client):
    answer = client.post("/ink", json={"strokes": strokes_of("hello world")})
    assert answer.status_code == 200 and answer.json()["text"] == "hello world"
    assert client.post("/ink", json={"strokes": []}).json()["lines"] == []


def test_words_are_favoured_and_bounded(client, monkeypatch):
    given = []
    monkeypatch.setattr(
        Recognizer, "with_words", lambda self, words: given.append(tuple(words)) or self
    )  # what they change is tested in tests/unit/decoding/test_word_list.py
    answer = client.post("/recognize?mode=line", files=sent(("a.png", line())), data={"words": "Anna, Łódź\nAnna"})
    assert answer.json()["pages"][0]["text"] == "hello world"
    client.post("/ink", json={"strokes": strokes_of("a"), "words": ["Anna", "Ben"]})
    assert given == [("Anna", "Łódź"), ("Anna", "Ben")]
    many = " ".join(f"w{number}" for number in range(6000))
    answer = client.post("/recognize", files=sent(("a.png", line())), data={"words": many})
    assert answer.status_code == 413 and answer.json()["detail"] == "The list has 6,000 words: give 5,000 at most."
    answer = client.post("/ink", json={"strokes": [], "words": ["a"] * 6000})
    assert answer.status_code == 422 and answer.json()["detail"].startswith("words: List should have at most 5000")


def test_a_language_can_be_set(client, monkeypatch):
    given = []
    real = Recognizer.with_language
    monkeypatch.setattr(Recognizer, "with_language", lambda self, code: given.append(code) or real(self, code))
    answer = client.post("/recognize?mode=line&language=en", files=sent(("a.png", line())))
    assert answer.json()["pages"][0]["text"] == "hello world"
    assert client.post("/ink", json={"strokes": strokes_of("a"), "language": "fr"}).status_code == 200
    answer = client.post("/ink", json={"strokes": strokes_of("a"), "language": "xx"})
    assert answer.status_code == 422
    assert answer.json()["detail"].startswith("The checkpoint text has no language 'xx': choose one of en, fr, de")
    assert given == ["en", "fr", "xx"]
    answer = client.post("/ink", json={"strokes": strokes_of("a"), "mode": "formula", "language": "en"})
    assert answer.json()["detail"].endswith("math has no language 'en': leave it out.")


def test_one_bad_file_is_reported_beside_the_others(client):
    answer = client.post(
        "/recognize?mode=line", files=sent(("a.png", line()), ("b.png", b"no picture"), ("empty.png", b""))
    )
    assert answer.status_code == 200
    assert [page["file"] for page in answer.json()["pages"]] == ["a.png"]
    assert {error["file"]: error["detail"].split()[0] for error in answer.json()["errors"]} == {
        "b.png": "b.png",
        "empty.png": "empty.png",
    }


@pytest.mark.parametrize(
    "query, content, code, said",
    [
        ("", b"no picture", 422, "not a picture"),
        ("", b"", 422, "empty"),
        ("", b"%PDF-1.7 broken", 422, "damaged"),
        ("", b"0" * (limits.MAX_BYTES + 1), 413, "larger than"),
        ("?beams=0", b"x", 422, "beams"),
        ("?beams=10000", b"x", 422, "beams"),
        ("?mode=poem", b"x", 422, "mode"),
        ("?threshold=magic", b"x", 422, "threshold"),
        ("?sauvola_k=nan", b"x", 422, "sauvola_k"),
        ("?stroke_target=inf", b"x", 422, "stroke_target"),
        ("?threshold_window=99999999999999999999", b"x", 422, "threshold_window"),
        ("?checkpoint=/etc", b"x", 422, "no checkpoint of this server"),
        ("?checkpoint=../../etc", b"x", 422, "no checkpoint of this server"),
        ("?checkpoint=hwr_core/export", b"x", 422, "not on this server"),
        ("?checkpoint=someone/unknown", b"x", 422, "not on this server"),
        ("?checkpoint=math", b"x", 422, "reads formulas"),
        ("?mode=line&checkpoint=%20math", b"x", 422, "reads formulas"),
        ("?checkpoint=text/onnx", b"x", 422, "text/onnx is no checkpoint"),
    ],
)
def test_an_input_that_cannot_be_read_is_reported_in_one_sentence(client, query, content, code, said):
    answer = client.post(f"/recognize{query}", files=sent(("x.png", content)))
    assert answer.status_code == code, answer.text
    detail = answer.json()["detail"]
    assert said in detail and detail.endswith(".") and "\n" not in detail and "Traceback" not in detail


def test_an_empty_checkpoint_name_means_the_default(client):
    assert (
        client.post("/recognize?mode=line&checkpoint=", files=sent(("a.png", line()))).json()["pages"][0]["text"]
        == "hello world"
    )


def test_settings_apply_to_lines_too(client):
    grey = png(Image.open(io.BytesIO(line())).convert("L").point(lambda value: 100 + value // 3))
    texts = []
    for query in (
        "",
        "&threshold=otsu",
        "&flatten=false&threshold=manual&threshold_level=250",
    ):  # in the last, all of it is ink
        answer = client.post(f"/recognize?mode=line{query}", files=sent(("a.png", grey)))
        texts.append(answer.json()["pages"][0]["text"])
    assert texts[:2] == ["hello world"] * 2 and texts[2] != "hello world"


def test_a_checkpoint_of_the_other_mode_is_not_loaded(client, monkeypatch):
    asked = []
    monkeypatch.setattr(api, "load_recognizer", lambda name, **_: asked.append(name) or load_recognizer(name))
    assert (
        client.post("/recognize?mode=line&checkpoint=math", files=sent(("a.png", line()))).status_code == 422
        and not asked
    )
    assert (
        client.post("/ink", json={"strokes": strokes_of("hi"), "mode": "formula", "checkpoint": "text"}).status_code
        == 422
        and not asked
    )
    assert client.post(
        "/recognize?mode=line&checkpoint=text", files=sent(("a.png", line()))
    ).status_code == 200 and asked == ["text"]


def test_a_picture_of_too_many_pixels_is_too_large(client):
    huge = png(Image.new("1", (10_000, 10_000), 1))
    assert client.post("/recognize", files=sent(("huge.png", huge))).status_code == 413


def test_too_many_files_pages_strokes_and_bytes_are_rejected(client):
    many = client.post("/recognize?mode=line", files=sent(*[("a.png", line())] * (limits.FILES + 1)))
    assert many.status_code == 422 and many.json()["detail"].startswith("files")
    many = [Image.new("L", (40, 40), 255) for _ in range(limits.PAGES + 1)]
    assert (
        client.post(
            "/recognize", files=sent(("m.tif", encoded(many[0], "TIFF", save_all=True, append_images=many[1:])))
        ).status_code
        == 413
    )
    assert client.post("/ink", json={"strokes": [[[0, 0]] * (limits.POINTS + 1)]}).status_code == 422
    assert client.post("/ink", json={"strokes": [[[0, 0]] * (limits.POINTS - 1)] * 2}).status_code == 413
    assert client.post("/ink", json={"strokes": [[]] * (limits.STROKES + 1)}).status_code == 422
    assert client.post("/ink", content=b"[" * (limits.INK_BYTES + 1)).status_code == 413
    rows = [[[0, 100 * row], [2000, 100 * row + 8]] for row in range(limits.DRAWN_LINES + 50)]
    assert client.post("/ink", json={"strokes": rows}).status_code == 413
    wide = [
        [[i * 4000, 60 * row], [i * 4000 + 10, 60 * row + 30], [i * 4000 + 20, 60 * row]]
        for row in range(100)
        for i in range(30)
    ]
    assert "too much writing" in client.post("/ink", json={"strokes": wide}).json()["detail"]


def test_a_misspelt_parameter_is_reported(client):
    assert "thershold" in client.post("/recognize?thershold=otsu", files=sent(("a.png", line()))).json()["detail"]
    assert client.post("/ink", json={"strokes": [], "beam": 1}).status_code == 422


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"null", b"[]", b'{"strokes": null}', b'{"strokes": [[["a", 1]]]}', b'{"strokes": [[[NaN, 1]]]}', b'{"strokes": [[[1e400, 1]]]}',
     b'{"strokes": [[[1]]]}', b"\xff\xfe", b'{"strokes": [], "beams": -1}', b'{"strokes": [], "mode": "poem"}', b"[" * 100_000],
)  # fmt: skip
def test_an_invalid_drawing_is_rejected_and_never_breaks_the_server(client, body):
    answer = client.post("/ink", content=body, headers={"content-type": "application/json"})
    assert answer.status_code in (400, 422) and isinstance(answer.json()["detail"], str)


def test_the_token_is_required_if_the_operator_set_one(client, monkeypatch):
    monkeypatch.setenv("HWR_API_TOKEN", "secret")
    assert client.get("/health").status_code == 200
    for headers in (
        {},
        {"Authorization": "Bearer wrong"},
        {"Authorization": "secret"},
        {"Authorization": "Bearer sécret".encode()},
    ):
        answer = client.get("/checkpoints", headers=headers)
        assert answer.status_code == 401 and answer.headers["www-authenticate"] == "Bearer"
        assert client.post("/ink", json={"strokes": []}, headers=headers).status_code == 401
    assert client.get("/checkpoints", headers={"Authorization": "Bearer secret"}).status_code == 200
    monkeypatch.setenv("HWR_API_TOKEN", "sécret")
    assert client.get("/checkpoints", headers={"Authorization": "bearer sécret".encode()}).status_code == 200


@pytest.mark.parametrize("full", [True, False])
def test_a_request_without_token_or_beyond_the_queue_is_rejected_before_its_body_is_read(full, monkeypatch):
    monkeypatch.setenv("HWR_QUEUE", "1") if full else monkeypatch.setenv("HWR_API_TOKEN", "secret")
    app, sent_back = api.create_api(), []
    app.state.queue.counts["pages"] = 1

    async def receive():
        raise AssertionError("the body was read")

    async def send(message):
        sent_back.append(message)

    scope = {
        "type": "http",
        "method": "POST",
        "path": "/recognize",
        "query_string": b"",
        "headers": [(b"content-length", b"80000000")],
    }
    asyncio.run(app({**scope, "app": app, "root_path": "", "http_version": "1.1", "scheme": "http"}, receive, send))
    assert sent_back[0]["status"] == (503 if full else 401)


def test_a_stalled_upload_is_rejected_and_takes_no_place_in_the_queue(monkeypatch):
    monkeypatch.setattr(limits, "BODY_SECONDS", 0.5)
    monkeypatch.setenv("HWR_LOW_MEMORY", "1")
    monkeypatch.setenv("HWR_QUEUE", "2")
    app = api.create_api()

    async def answer(body: bytes, more: bool, length: int, path: str = "/ink") -> int:
        messages, status = [{"type": "http.request", "body": body, "more_body": more}], []

        async def receive():
            if messages:
                return messages.pop()
            await asyncio.sleep(0.3 if more == "by drops" else 30)
            return {"type": "http.request", "body": b"x", "more_body": True}

        async def send(message):
            status.append(message.get("status"))

        headers = [(b"content-type", b"application/json"), (b"content-length", str(length).encode())]
        scope = {
            "type": "http",
            "method": "POST",
            "path": path,
            "query_string": b"mode=line",
            "headers": headers,
            "http_version": "1.1",
        }
        await app(scope, receive, send)
        return status[0]

    async def all_at_once():
        slow = [asyncio.create_task(answer(b"{", True, 30_000_000, "/recognize")) for _ in range(6)]
        # However much came at once: it gives no right to keep waiting.
        slow += [
            asyncio.create_task(answer(b"{" * 1_000_000, more, 30_000_000, "/recognize")) for more in (True, "by drops")
        ]
        await asyncio.sleep(0.1)
        whole = b'{"strokes": []}'
        assert await asyncio.wait_for(answer(whole, False, len(whole)), 10) == 200
        return await asyncio.wait_for(asyncio.gather(*slow), 10)

    assert asyncio.run(all_at_once()) == [408] * 8
    assert app.state.queue.counts == {"lines": 0, "pages": 0} and not app.state.queue.bodies


def test_of_two_uploads_that_exceed_the_memory_together_the_first_goes_on(monkeypatch):
    monkeypatch.setenv("HWR_LOW_MEMORY", "1")
    app = api.create_api()
    part = {"type": "http.request", "body": b"x" * 10_000_000, "more_body": True}

    async def upload(parts: int, wait: float) -> int:
        left, status = [{**part, "more_body": False}] + [part] * (parts - 1), []

        async def receive():
            await asyncio.sleep(wait)
            return left.pop()

        async def send(message):
            status.append(message.get("status"))

        scope = {
            "type": "http",
            "method": "POST",
            "path": "/recognize",
            "query_string": b"",
            "headers": [],
            "http_version": "1.1",
        }
        await app(scope, receive, send)
        return status[0]

    async def both():
        return await asyncio.gather(upload(3, 0.1), upload(3, 0.12))

    first, second = asyncio.run(both())
    assert (first, second) == (422, 503)  # nothing that can be read, but it was let in


@pytest.mark.parametrize(("short", "most"), [("0", 160_000_000), ("1", 32_000_000)])
def test_uploads_beyond_the_memory_are_rejected_and_drawings_are_read_beside_a_full_page_queue(
    client, monkeypatch, short, most
):
    monkeypatch.setenv("HWR_LOW_MEMORY", short)
    queue = client.app.state.queue
    queue.counts["pages"], queue.bodies["another"] = settings().queue, most
    assert client.post("/recognize", files=sent(("a.png", line()))).status_code == 503
    assert client.post("/ink", json={"strokes": []}).status_code == 503
    queue.bodies.clear()
    assert client.post("/ink", json={"strokes": []}).status_code == 200


def test_checkpoints_and_health_list_the_loaded_checkpoints(client):
    load_recognizer("text")
    assert {"text", "math"} <= {checkpoint["name"] for checkpoint in client.get("/checkpoints").json()}
    assert next(checkpoint for checkpoint in client.get("/checkpoints").json() if checkpoint["name"] == "text")[
        "loaded"
    ]
    health = client.get("/health").json()
    assert health["status"] == "ok" and health["waiting"] == 0 and "text" in health["loaded"]


def test_a_full_queue_answers_retry_after_and_empties(monkeypatch):
    monkeypatch.setenv("HWR_QUEUE", "3")
    go_on, real = threading.Event(), api.read_ink
    monkeypatch.setattr(api, "read_ink", lambda *arguments, **options: go_on.wait(30) and real(*arguments, **options))
    with TestClient(api.create_api()) as client, ThreadPoolExecutor(8) as users:
        drawing = {"strokes": strokes_of("a")}
        waiting = [users.submit(client.post, "/ink", json=drawing) for _ in range(3)]
        for _ in range(200):
            if client.get("/health").json()["waiting"] == 3:
                break
            time.sleep(0.02)
        refused = client.post("/ink", json=drawing)
        assert refused.status_code == 503 and int(refused.headers["retry-after"]) > 0
        go_on.set()
        assert [answer.result().status_code for answer in waiting] == [200] * 3
        assert client.post("/ink", json=drawing).status_code == 200 and client.get("/health").json()["waiting"] == 0


def test_struck_out_words_are_told_or_left_out(client, monkeypatch):
    reading = Reading("one two", 0.9, (0.9,) * 7, struck=((0, 3),))
    page = Page((Line((0, 0, 9, 9), Image.new("L", (1, 1)), reading),), (9, 9))
    monkeypatch.setattr(api, "read_picture", lambda *_: page)
    (told,) = client.post("/recognize", files=sent(("a.png", line()))).json()["pages"]
    assert told["text"] == "one two" and told["lines"][0]["struck"] == [[0, 3]]
    (left,) = client.post("/recognize?struck=false", files=sent(("a.png", line()))).json()["pages"]
    assert left["text"] == "two" and left["lines"][0]["struck"] == []


def test_requests_of_disconnected_clients_are_dropped(monkeypatch):
    monkeypatch.setattr(limits, "DISCONNECT_POLL", 0.05)
    app, read, held = api.create_api(), [], threading.Event()

    def slow(image, *arguments):
        read.append(image().width)
        held.wait(10)
        return Page((), (1, 1))

    monkeypatch.setattr(api, "read_picture", slow)
    body = b"".join(
        b'--x\r\nContent-Disposition: form-data; name="files"; filename="a.png"\r\n\r\n'
        + png(Image.new("L", (width, 50), 255))
        + b"\r\n"
        for width in (60, 61)
    )

    async def leave(after: float) -> int:
        """Asks for two files to be read, and goes away."""
        messages = [{"type": "http.request", "body": body + b"--x--\r\n", "more_body": False}]
        left, status = asyncio.get_running_loop().time() + after, []

        async def receive():
            if messages:
                return messages.pop()
            if (still := left - asyncio.get_running_loop().time()) > 0:
                await asyncio.sleep(still)
            return {"type": "http.disconnect"}

        async def send(message):
            status.append(message.get("status"))

        headers = [(b"content-type", b"multipart/form-data; boundary=x")]
        scope = {
            "type": "http",
            "method": "POST",
            "path": "/recognize",
            "query_string": b"",
            "headers": headers,
            "http_version": "1.1",
        }
        await app(scope, receive, send)
        return status[0]

    async def both():
        first = asyncio.create_task(leave(0.3))  # is being read when its client leaves
        await asyncio.sleep(0.1)
        second = asyncio.create_task(leave(0.3))  # still waits
        assert await asyncio.wait_for(second, 10) == 499
        held.set()
        return await asyncio.wait_for(first, 10)

    assert asyncio.run(both()) == 200
    assert read == [60]  # neither its second file nor the waiting request
    assert app.state.queue.counts == {"lines": 0, "pages": 0} and not app.state.queue.bodies


def test_sixteen_users_at_once_each_get_their_own_text():
    texts = ["hello world", "see you at 7:30", "bring the map", "good morning"] * 4
    with TestClient(api.create_api()) as client, ThreadPoolExecutor(16) as users:
        answers = list(
            users.map(lambda text: client.post("/ink", json={"strokes": strokes_of(text), "beams": 1}), texts)
        )
    assert [answer.json()["text"] for answer in answers] == texts


def test_uploads_are_not_written_to_disk(client, monkeypatch):
    import tempfile

    def spooled(self, *_):
        raise AssertionError("the upload was written to disk")

    monkeypatch.setattr(tempfile.SpooledTemporaryFile, "rollover", spooled)
    noise = Image.effect_noise((1500, 1500), 80)
    assert len(png(noise)) > 1_500_000
    assert client.post("/recognize?mode=line&beams=1", files=sent(("noise.png", png(noise)))).status_code == 200


def test_the_document_describes_the_answers(client):
    document = client.get("/openapi.json").json()
    assert {"/recognize", "/ink", "/checkpoints", "/health"} <= set(document["paths"])
    assert {"LineRecord", "ReadPage", "PageRecord", "AlternativeRecord"} <= set(document["components"]["schemas"])
    assert "threshold" in json.dumps(document["paths"]["/recognize"]["post"]["parameters"])


def test_the_documentation_needs_no_network(client):
    page = client.get("/docs").text
    sources = re.findall(r'(?:src|href)="([^"]+)"', page)
    assert len(sources) >= 3 and all(client.get(source).status_code == 200 for source in sources), sources


def test_a_new_route_needs_the_token_unless_it_is_open_to_all(monkeypatch):
    monkeypatch.setenv("HWR_API_TOKEN", "secret")
    app = api.create_api()
    router = APIRouter()

    @router.get("/included")
    @app.get("/new")
    @app.post("/new")
    def new() -> str:
        return "done"

    @app.get("/open")
    @open_to_all
    def public() -> str:
        return "done"

    app.include_router(router)
    with TestClient(app) as client:
        assert client.get("/new").status_code == client.get("/included").status_code == 401
        assert client.post("/new").status_code == client.get("/metrics").status_code == 401
        assert client.get("/open").json() == "done"
        token = {"Authorization": "Bearer secret"}
        assert client.get("/new", headers=token).json() == client.post("/new", headers=token).json() == "done"


def test_head_is_answered_as_get_without_a_body(client):
    for path in ("/health", "/checkpoints", "/docs", "/openapi.json", "/metrics"):
        answer = client.head(path)
        assert answer.status_code == 200 and answer.content == b"" and int(answer.headers["content-length"]) > 0
    assert client.head("/recognize").status_code == 405
    assert client.head("/nowhere").status_code == 404


def test_other_sites_may_call_the_api_only_if_the_operator_lists_them(client, monkeypatch):
    asked = {"Origin": "https://notes.example", "Access-Control-Request-Method": "POST"}
    assert "access-control-allow-origin" not in client.options("/ink", headers=asked).headers
    assert "access-control-allow-origin" not in client.get("/health", headers=asked).headers
    monkeypatch.setenv("HWR_CORS_ORIGINS", "https://notes.example, https://other.example/")
    monkeypatch.setenv("HWR_API_TOKEN", "secret")
    listed = TestClient(api.create_api())
    asked["Access-Control-Request-Headers"] = "authorization,content-type"
    allowed = listed.options("/ink", headers=asked)
    assert allowed.status_code == 200 and allowed.headers["access-control-allow-origin"] == "https://notes.example"
    rejected = listed.post("/ink", json={"strokes": []}, headers=asked)  # readable by the site's script, too
    assert rejected.status_code == 401 and rejected.headers["access-control-allow-origin"] == "https://notes.example"
    assert listed.options("/ink", headers={**asked, "Origin": "https://evil.example"}).status_code == 400


@pytest.mark.parametrize(("prefix", "kept"), [("/tools/hwr", "/tools/hwr"), ("/hwr/", "/hwr"), ("//evil.example", ""),
                                              ('/"><script>', ""), ("/" + "a" * 300, "")])  # fmt: skip
def test_links_have_the_prefix_that_a_proxy_stripped(prefix, kept):
    outer = Starlette(routes=[Mount("/api", api.create_api())])
    client = TestClient(outer)
    headers = {"X-Forwarded-Prefix": prefix}
    page = client.get("/api/docs", headers=headers).text
    links = re.findall(r'(?:src|href)="([^"]+)"', page) + re.findall(r"url: '([^']+)'", page)
    assert len(links) >= 4 and all(link.startswith(f"{kept}/api/") for link in links)
    for link in links:
        assert client.get(link.removeprefix(kept), headers=headers).status_code == 200
    document = client.get("/api/openapi.json", headers=headers).json()
    assert document["servers"] == [{"url": f"{kept}/api"}]
    assert client.post("/api/ink", json={"strokes": []}, headers=headers).status_code == 200


def test_metrics_count_requests_seconds_the_queue_and_lines(client):
    client.post("/ink", json={"strokes": strokes_of("hello world")})
    client.post("/ink", json={"strokes": None})
    client.get("/nowhere-" + "x" * 30)
    client.app.state.queue.counts["pages"] = 2
    answer = client.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain; version=")
    lines = answer.text.splitlines()
    assert 'hwr_requests_total{method="POST",route="/ink",status="200"} 1.0' in lines
    assert 'hwr_requests_total{method="POST",route="/ink",status="422"} 1.0' in lines
    assert 'hwr_requests_total{method="GET",route="other",status="404"} 1.0' in lines
    assert 'hwr_request_seconds_count{route="/ink"} 2.0' in lines
    assert 'hwr_queue{kind="pages"} 2.0' in lines and 'hwr_queue{kind="lines"} 0.0' in lines
    assert "hwr_lines_read_total 1.0" in lines


def test_a_bug_is_answered_by_500_and_logged_without_what_was_uploaded(client, monkeypatch, caplog):
    quoted = "the letter says: dear Martha"

    def broken(*_, **__):
        raise RuntimeError(quoted)

    monkeypatch.setattr(api, "read_ink", broken)
    answer = client.post("/ink", json={"strokes": strokes_of("a")})
    assert answer.status_code == 500
    assert answer.json() == {"detail": "Internal error: the server's log says where."}
    (record,) = [record for record in caplog.records if record.levelno >= logging.ERROR]
    assert "POST /ink failed" in record.getMessage() and "in broken" in record.getMessage()
    assert "RuntimeError" in caplog.text and "Martha" not in caplog.text
    caplog.clear()
    with caplog.at_level(logging.DEBUG, "hwr_core"):
        client.post("/ink", json={"strokes": strokes_of("a")})
    assert "dear Martha" in caplog.text  # the operator asked for everything


def test_pages_of_a_document_are_chosen(client):
    texts = ["one two", "three four", "five six", "seven eight"]
    pages = [render_line(write(text), 96, 5).convert("RGB") for text in texts]
    packed = encoded(pages[0], "PDF", save_all=True, append_images=pages[1:])
    answer = client.post("/recognize?mode=line&pages=2,4-", files=sent(("four.pdf", packed)))
    assert [page["page"] for page in answer.json()["pages"]] == [2, 4]
    assert client.post("/recognize?pages=5-9", files=sent(("four.pdf", packed))).json()["detail"] == (
        "four.pdf has 4 pages, but none of the pages 5-9: choose others."
    )
    assert "'7-3'" in client.post("/recognize?pages=7-3", files=sent(("four.pdf", packed))).json()["detail"]


def test_a_document_with_many_pages_is_read_a_part_at_a_time(client):
    blank = [Image.new("L", (40, 40), 255) for _ in range(limits.PAGES + 5)]
    packed = encoded(blank[0], "TIFF", save_all=True, append_images=blank[1:])
    refused = client.post("/recognize?mode=line", files=sent(("m.tif", packed)))
    assert refused.status_code == 413 and f"pages=1-{limits.PAGES}" in refused.json()["detail"]
    rest = client.post(f"/recognize?mode=line&pages={limits.PAGES + 1}-", files=sent(("m.tif", packed)))
    assert [page["page"] for page in rest.json()["pages"]] == list(range(limits.PAGES + 1, limits.PAGES + 6))


def test_work_of_a_cancelled_request_ends_without_a_trace_in_the_log():
    logged, started, workers = [], threading.Event(), Workers()

    def work(gone: threading.Event) -> None:
        started.set()
        gone.wait(20)
        raise ClientDisconnected

    async def connected() -> bool:
        return False

    async def serve() -> None:
        asyncio.get_running_loop().set_exception_handler(lambda _, context: logged.append(context["message"]))
        request = SimpleNamespace(is_disconnected=connected)
        running = asyncio.create_task(workers.run(request, workers.lines, work))
        while not started.is_set():
            await asyncio.sleep(0.01)
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
        workers.close()
        await asyncio.sleep(0.05)
        del running
        gc.collect()  # asyncio logs exceptions that nobody took once their futures go

    asyncio.run(serve())
    assert not logged


def test_the_threads_end_with_the_api():
    app = api.create_api()
    with TestClient(app) as client:
        client.post("/ink", json={"strokes": strokes_of("a")})
        pools = app.state.workers.lines, app.state.workers.pages
        started = [thread for pool in pools for thread in pool._threads]
        assert started and all(thread.is_alive() for thread in started)
    assert not any(thread.is_alive() for thread in started)
    for pool in pools:
        with pytest.raises(RuntimeError, match="shutdown"):
            pool.submit(print)


def test_an_api_that_is_started_again_answers():
    """A lifespan ends the threads of the API; the next one has threads of its own."""
    api_ = api.create_api()
    for _ in range(2):
        with TestClient(api_) as client:
            assert client.post("/ink", json={"strokes": [[[0, 0], [0, 40]]]}).status_code == 200
    assert TestClient(api_).post("/ink", json={"strokes": [[[0, 0], [0, 40]]]}).status_code == 200
