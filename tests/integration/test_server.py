"""The whole server, started by `hwr serve`: behind proxies, in the image, and when it is told to stop."""

import io
import json
import os
import re
import shlex
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from PIL import Image

from benchmarks import process_tree
from hwr_core.ink.handprint import write
from tests.support.paths import ROOT, SAMPLES
from tests.support.proxy import prefix_proxy
from tests.support.server import free_port, serving, started

LETTER = SAMPLES / "letter.jpg"


def links_of(page: str) -> list[str]:
    return re.findall(r'(?:src|href)="([^"]+)"', page) + re.findall(r"url: '([^']+)'", page)


def test_under_a_base_path_the_pages_the_api_and_its_documentation_answer(tmp_path):
    with serving(tmp_path, "--server.baseUrlPath=tools/hwr", health="/tools/hwr/api/health") as (address, _):
        base = f"{address}/tools/hwr"
        assert httpx.get(f"{base}/api/health").json()["status"] == "ok"
        links = links_of(httpx.get(f"{base}/api/docs").text)
        assert len(links) >= 4 and all(httpx.get(address + link).status_code == 200 for link in links)
        assert httpx.post(f"{base}/api/ink", json={"strokes": []}).json()["lines"] == []
        for path in ("/", "/photo", "/_stcore/health", "/api/health", "/api/docs"):
            assert httpx.get(base + path).status_code == httpx.head(base + path).status_code == 200
        assert httpx.get(f"{address}/api/health").status_code == 404


def test_behind_a_proxy_that_strips_a_prefix_the_api_and_its_documentation_answer(tmp_path):
    with serving(tmp_path) as (address, _), prefix_proxy(address, "/tools/hwr") as outside:
        base = f"{outside}/tools/hwr"
        assert httpx.get(f"{base}/api/health").json()["status"] == "ok"
        links = links_of(httpx.get(f"{base}/api/docs").text)
        assert len(links) >= 4
        assert all(
            link.startswith("/tools/hwr/api/") and httpx.get(outside + link).status_code == 200 for link in links
        )
        assert httpx.get(f"{base}/api/openapi.json").json()["servers"] == [{"url": "/tools/hwr/api"}]
        page = httpx.get(f"{base}/").text
        scripts = [link for link in links_of(page) if "static/" in link]
        assert scripts and all(httpx.get(httpx.URL(f"{base}/").join(link)).status_code == 200 for link in scripts)


def test_told_to_stop_it_finishes_what_is_being_read(tmp_path):
    with serving(tmp_path, HWR_LOG_FORMAT="json") as (address, process), ThreadPoolExecutor(2) as clients:
        with socket.create_connection(("127.0.0.1", int(address.rpartition(":")[2]))) as odd:
            odd.sendall(b"nonsense\r\n\r\n")
            odd.recv(100)
        picture = LETTER.read_bytes()
        files = [("files", ("letter.jpg", picture))] * 3
        waiting = [clients.submit(httpx.post, f"{address}/api/recognize", files=files, timeout=120) for _ in range(2)]
        for _ in range(400):
            if httpx.get(f"{address}/api/health").json()["waiting"] == 2:
                break
            time.sleep(0.02)
        process.send_signal(signal.SIGTERM)
        answers = [answer.result() for answer in waiting]
        assert [len(answer.json()["pages"]) for answer in answers] == [3, 3]
        process.wait(30)
    written = (tmp_path / "log").read_text()
    entries = [json.loads(line) for line in written.splitlines() if line.startswith("{")]
    messages = [entry["message"] for entry in entries]
    assert messages.index("The server has started") < messages.index("The server has stopped")
    assert "Invalid HTTP request received." in messages  # the web server's own messages are JSON, too
    assert [(entry["route"], entry["status"]) for entry in entries if "route" in entry] == [("/recognize", 200)] * 2
    assert "Traceback" not in written


def test_after_it_is_killed_the_same_requests_get_the_same_answers_and_no_file_or_process_is_left(tmp_path):
    files = tmp_path / "files"
    files.mkdir()
    requests, port = batch(), free_port()
    environment = {"TMPDIR": str(files)}
    with ThreadPoolExecutor(len(requests)) as clients:
        with serving(tmp_path, port=port, **environment) as (address, process):
            expected = [text_of(httpx.post(f"{address}{path}", timeout=300, **body)) for path, body in requests]
            answered, repeated = [], []
            sending = [clients.submit(sent, address, *request, answered, repeated) for request in requests]
            for _ in range(6000):
                if len(answered) >= 2:
                    break
                time.sleep(0.05)
            children = process_tree.descendants(process.pid)[1:]
            process.kill()
        with serving(tmp_path, port=port, **environment):
            assert [job.result() for job in sending] == expected
    assert len(answered) == len(requests) and repeated
    assert not list(files.iterdir())
    for _ in range(600):
        if not any(process_tree.command(child) for child in children):
            break
        time.sleep(0.1)
    assert not any(process_tree.command(child) for child in children)


def batch() -> list[tuple[str, dict]]:
    """The paths and bodies of requests with photos, PDFs and drawings."""
    packed = io.BytesIO()
    with Image.open(LETTER) as letter:
        letter.save(packed, "PDF", save_all=True, append_images=[letter])
    photos = [("/api/recognize", {"files": {"files": ("a.jpg", LETTER.read_bytes())}})] * 3
    pdfs = [("/api/recognize", {"files": {"files": ("a.pdf", packed.getvalue())}})] * 3
    texts = ("see you", "at seven", "call Ann")
    strokes = [[stroke.round(2).tolist() for stroke in write(text)] for text in texts]
    return [*photos, *pdfs, *(("/api/ink", {"json": {"strokes": drawn}}) for drawn in strokes)]


def sent(address: str, path: str, body: dict, answered: list, repeated: list) -> list[str]:
    """Sends a request again until it is answered, as a client does that knows that requests change nothing."""
    while True:
        try:
            answer = httpx.post(f"{address}{path}", timeout=300, **body)
        except httpx.TransportError:
            repeated.append(path)
            time.sleep(0.25)
            continue
        answered.append(path)
        return text_of(answer)


def text_of(answer: httpx.Response) -> list[str]:
    content = answer.raise_for_status().json()
    return [page["text"] for page in content.get("pages", [content])]


def test_a_setting_that_cannot_be_used_stops_the_start(tmp_path):
    command = [sys.executable, "-m", "streamlit", "run", str(ROOT / "server.py"), "--server.port", str(free_port())]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "HWR_QUEUE": "1k"}
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, timeout=120, text=True)
    assert done.returncode != 0 and "Traceback" not in done.stderr
    assert done.stderr.splitlines()[-1].startswith("The environment variable HWR_QUEUE cannot be used: ")


def image(target: str) -> tuple[list[str], list[str], dict[str, str]]:
    """The command, the health check and the environment that the Dockerfile gives an image."""
    text = (ROOT / "Dockerfile").read_text()
    stages = {match[1]: match[0] for match in re.finditer(r"(?ms)^FROM \S+ AS (\w+)$.*?(?=^FROM )", text)}
    used = stages["server"] + (stages["space"] if target == "space" else "")
    pairs = [pair for line in re.findall(r"(?m)^ENV (.*)$", used) for pair in shlex.split(line)]
    command = json.loads(re.search(r"(?m)^CMD (.*)$", used)[1])
    check = json.loads(re.search(r"(?m)^HEALTHCHECK .*? CMD (.*)$", used)[1])
    return command, check, dict(pair.split("=", 1) for pair in pairs)


@pytest.mark.parametrize(("target", "rejected"), [("server", True), ("space", False)])
def test_the_image_starts_and_only_in_a_space_uploads_need_no_cookie(tmp_path, target, rejected):
    """Its command, health check and environment, run here; `test_the_image_is_built_and_runs` needs an engine."""
    command, check, environment = image(target)
    assert command[:2] == ["hwr", "serve"] and check[0] == "python"
    port = str(free_port())
    command = [sys.executable, "-m", "hwr_core", *(port if word == "7860" else word for word in command[1:])]
    check = [sys.executable, *(word.replace("7860", port) for word in check[1:])]
    address = f"http://127.0.0.1:{port}"
    with started(command, tmp_path, environment, f"{address}/api/health"):
        assert subprocess.run(check, timeout=30).returncode == 0
        upload = httpx.put(f"{address}/_stcore/upload_file/{'0' * 8}/x", files={"file": b"x"})
        assert (upload.status_code == 403) is rejected, upload.text
        assert httpx.get(f"{address}/api/health").json()["status"] == "ok"


def engine() -> str | None:
    try:
        return "docker" if subprocess.run(["docker", "info"], capture_output=True, timeout=20).returncode == 0 else None
    except (OSError, subprocess.TimeoutExpired):
        return None


@pytest.mark.parametrize("target", ["server", "space"])
def test_the_image_is_built_and_runs(target):
    if engine() is None:
        pytest.skip("no Docker engine here: the image's command and environment are tested without one")
    tag, port = f"hwr-test-{target}", free_port()
    build = ["docker", "build", "--quiet", "--tag", tag, "--build-arg", f"TARGET={target}", str(ROOT)]
    subprocess.run(build, check=True, timeout=1200)
    run = ["docker", "run", "--rm", "--detach", "--memory", "512m", "--publish", f"127.0.0.1:{port}:7860", tag]
    name = subprocess.run(run, check=True, capture_output=True, text=True).stdout.strip()
    try:
        for _ in range(120):
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{port}/api/health", timeout=2)
                break
            except OSError:
                time.sleep(0.5)
        files = {"files": ("letter.jpg", LETTER.read_bytes())}
        answer = httpx.post(f"http://127.0.0.1:{port}/api/recognize", files=files, timeout=120)
        assert "Martha" in answer.json()["pages"][0]["text"]
    finally:
        subprocess.run(["docker", "stop", name], check=True, timeout=60)


def test_the_server_never_lists_the_folder_of_pages_also_before_the_first_visit():
    code = "import server; from streamlit.runtime.pages_manager import PagesManager as P; P('streamlit_app.py'); print(P.uses_pages_directory)"
    found = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert found.stdout.split()[-1] == "False"
