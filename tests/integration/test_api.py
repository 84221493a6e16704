"""The HTTP API: what it reads, what it refuses and how it says so, and that many at once lose nothing."""

import asyncio
import io
import json
import re
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from fastapi.testclient import TestClient
from PIL import Image

from hwr_core import load_recognizer
from hwr_core.ink.handprint import write, write_formula
from hwr_core.ink.strokes import render_line
from hwr_core.reading import Page
from hwr_core.runtime import limits, settings
from hwr_core.server import api
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


def test_a_drawing_is_read(client):
    answer = client.post("/ink", json={"strokes": strokes_of("hello world")})
    assert answer.status_code == 200 and answer.json()["text"] == "hello world"
    assert client.post("/ink", json={"strokes": []}).json()["lines"] == []


def test_one_bad_file_is_told_beside_the_others(client):
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
        ("", b"no picture", 422, "no picture"),
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
def test_what_cannot_be_read_is_said_in_one_sentence(client, query, content, code, said):
    answer = client.post(f"/recognize{query}", files=sent(("x.png", content)))
    assert answer.status_code == code, answer.text
    detail = answer.json()["detail"]
    assert said in detail and detail.endswith(".") and "\n" not in detail and "Traceback" not in detail


def test_an_empty_checkpoint_is_as_if_none_were_named(client):
    assert (
        client.post("/recognize?mode=line&checkpoint=", files=sent(("a.png", line()))).json()["pages"][0]["text"]
        == "hello world"
    )


def test_settings_count_for_lines_too(client):
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


def test_a_checkpoint_that_reads_something_else_is_not_loaded_for_nothing(client, monkeypatch):
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


def test_too_many_files_pages_strokes_and_bytes_are_too_much(client):
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
    assert "more writing" in client.post("/ink", json={"strokes": wide}).json()["detail"]


def test_what_is_misspelt_is_said(client):
    assert "thershold" in client.post("/recognize?thershold=otsu", files=sent(("a.png", line()))).json()["detail"]
    assert client.post("/ink", json={"strokes": [], "beam": 1}).status_code == 422


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"null", b"[]", b'{"strokes": null}', b'{"strokes": [[["a", 1]]]}', b'{"strokes": [[[NaN, 1]]]}', b'{"strokes": [[[1e400, 1]]]}',
     b'{"strokes": [[[1]]]}', b"\xff\xfe", b'{"strokes": [], "beams": -1}', b'{"strokes": [], "mode": "poem"}', b"[" * 100_000],
)  # fmt: skip
def test_an_odd_drawing_is_refused_and_never_breaks_the_server(client, body):
    answer = client.post("/ink", content=body, headers={"content-type": "application/json"})
    assert answer.status_code in (400, 422) and isinstance(answer.json()["detail"], str)


def test_a_token_is_asked_for_where_the_operator_set_one(client, monkeypatch):
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
def test_a_request_without_a_token_or_room_is_refused_before_its_body_is_read(full, monkeypatch):
    monkeypatch.setenv("HWR_QUEUE", "1") if full else monkeypatch.setenv("HWR_API_TOKEN", "secret")
    app, sent_back = api.create_api(), []
    app.state.room.inside["pages"] = 1

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


def test_a_body_that_does_not_come_is_given_up_and_takes_no_ones_place(monkeypatch):
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
    assert app.state.room.inside == {"lines": 0, "pages": 0} and not app.state.room.held


def test_of_two_uploads_that_are_too_much_together_the_first_goes_on(monkeypatch):
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
def test_uploads_that_together_are_too_much_wait_and_drawings_have_room_beside_pages(client, monkeypatch, short, most):
    monkeypatch.setenv("HWR_LOW_MEMORY", short)
    room = client.app.state.room
    room.inside["pages"], room.held["another"] = settings.settings().queue, most
    assert client.post("/recognize", files=sent(("a.png", line()))).status_code == 503
    assert client.post("/ink", json={"strokes": []}).status_code == 503
    room.held.clear()
    assert client.post("/ink", json={"strokes": []}).status_code == 200


def test_checkpoints_and_health_tell_what_is_loaded(client):
    load_recognizer("text")
    assert {"text", "math"} <= {checkpoint["name"] for checkpoint in client.get("/checkpoints").json()}
    assert next(checkpoint for checkpoint in client.get("/checkpoints").json() if checkpoint["name"] == "text")[
        "loaded"
    ]
    health = client.get("/health").json()
    assert health["status"] == "ok" and health["waiting"] == 0 and "text" in health["loaded"]


def test_a_full_queue_says_when_to_come_again_and_empties(monkeypatch):
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


def test_what_nobody_waits_for_any_more_is_not_done(monkeypatch):
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
    assert read == [60]  # neither its second file, nor any of those who still waited
    assert app.state.room.inside == {"lines": 0, "pages": 0} and not app.state.room.held


def test_sixteen_users_at_once_each_get_their_own_text():
    texts = ["hello world", "see you at 7:30", "bring the map", "good morning"] * 4
    with TestClient(api.create_api()) as client, ThreadPoolExecutor(16) as users:
        answers = list(
            users.map(lambda text: client.post("/ink", json={"strokes": strokes_of(text), "beams": 1}), texts)
        )
    assert [answer.json()["text"] for answer in answers] == texts


def test_nothing_that_is_sent_is_written_to_disk(client, monkeypatch):
    import tempfile

    def spooled(self, *_):
        raise AssertionError("what was sent went to disk")

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
