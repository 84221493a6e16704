"""Measures the server under load: `python -m benchmarks.load --minutes 5`.

It starts the server in low-memory mode. Sixteen users send drawings, formulas, photos and PDFs, each one after the
other. One of them uploads slowly, one closes its connections early. A rejected request (503) is sent again after the
time that the answer names. At the end the table tells what happened to the requests of each kind, how long the answers
took (with all repetitions), and the peak memory of the server and its child processes together.

The exit status is 1 if a request was lost, or a goal was missed.
"""

import argparse
import asyncio
import io
import statistics
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import numpy as np
from PIL import Image

from benchmarks.memory import TARGET, photo
from benchmarks.process_tree import PeakMemory
from benchmarks.serving import server
from hwr_core.ink.handprint import write, write_formula
from training.evaluation.results import Cell, markdown, write_results

DRAWING_GOAL = 1000  # milliseconds, the 95th percentile of drawings
PATIENCE = 180.0  # seconds until a request without an answer is lost
PIECES = 20  # of a slow upload
TEXTS = ("meet me at the station", "three apples and a pear", "call Ann on Monday", "see you at 7:30")
COLUMNS = ["kind", "users", "sent", "answered", "rejected, sent again", "lost", "5xx", "p50 ms", "p95 ms", "peak MB"]


@dataclass(frozen=True)
class Message:
    """A request and its answer when the server had nothing else to do."""

    path: str
    arguments: dict[str, Any]  # of httpx
    expected: list[str] = field(default_factory=list)


@dataclass
class Kind:
    """What some users send, and what became of it.

    Attributes:
        name: of the row in the table.
        users: how many send it, each one request after the other.
        messages: are sent in turn.
        pause: seconds between an answer and the next request, on average.
        counts: of sent, answered, rejected, lost requests, of other answers from 500 on, and of other texts.
        seconds: from the first attempt to the answer.
    """

    name: str
    users: int
    messages: list[Message]
    pause: float
    counts: Counter[str] = field(default_factory=Counter)
    seconds: list[float] = field(default_factory=list)

    def row(self) -> list[Cell]:
        """Its row of the table."""
        times = sorted(1000 * seconds for seconds in self.seconds)
        middle, late = (round(statistics.median(times)), round(percentile(times, 0.95))) if times else (None, None)
        counts = [self.counts[name] for name in ("sent", "answered", "rejected", "lost", "failed")]
        return [self.name, self.users, *counts, middle, late, None]


def percentile(ordered: Sequence[float], share: float) -> float:
    return ordered[int(np.ceil(share * len(ordered))) - 1]


def points(strokes: Sequence[np.ndarray]) -> list[list[list[float]]]:
    return [stroke.round(2).tolist() for stroke in strokes]


def pdf(seed: int) -> bytes:
    """Two scanned pages of A4 with 12 lines each, at 200 dots per inch."""
    page = Image.open(io.BytesIO(photo(seed))).crop((0, 0, 3000, 2000)).resize((1654, 1102))
    sheet = Image.new("RGB", (1654, 2339), (225, 222, 210))
    sheet.paste(page, (0, 100))
    packed = io.BytesIO()
    sheet.save(packed, "PDF", save_all=True, append_images=[sheet], resolution=200)
    return packed.getvalue()


def kinds() -> list[Kind]:
    """What is sent. A person who writes lifts the pen about once a second: so often a drawing comes."""
    drawings = [Message("ink", {"json": {"strokes": points(write(text, slant=0.1))}}) for text in TEXTS]
    formulas = [Message("ink", {"json": {"strokes": points(write_formula()), "mode": "formula"}})]
    photos = [Message("recognize", {"files": {"files": ("a.jpg", photo(seed))}}) for seed in range(2)]
    pdfs = [Message("recognize", {"files": {"files": ("a.pdf", pdf(seed))}}) for seed in range(2)]
    return [
        Kind("drawings", 8, drawings, pause=1.0),
        Kind("formulas", 2, formulas, pause=1.0),
        Kind("photos of 12 megapixels", 2, photos, pause=1.0),
        Kind("PDFs of two pages", 2, pdfs, pause=1.0),
        Kind("slow uploads of drawings and photos", 1, [drawings[0], photos[0]], pause=0.0),
        Kind("closed by the client", 1, [drawings[1], photos[1], pdfs[1], formulas[0]], pause=0.2),
    ]


def texts(answer: httpx.Response) -> list[str]:
    """The text of each page of an answer."""
    content = answer.json()
    return [page["text"] for page in content.get("pages", [content])]


async def send(client: httpx.AsyncClient, kind: Kind, message: Message, slowly: bool = False) -> None:
    """Sends a request until it is not rejected, and counts what happens."""
    kind.counts["sent"] += 1
    started = time.perf_counter()
    while True:
        try:
            answer = await client.send(request_of(client, message, slowly))
        except httpx.HTTPError as error:
            kind.counts["lost"] += 1
            print(f"{kind.name}: {error!r}", file=sys.stderr)
            return
        if answer.status_code != 503:
            break
        kind.counts["rejected"] += 1
        await asyncio.sleep(float(answer.headers["retry-after"]))
    if answer.status_code == 200:
        kind.counts["answered"] += 1
        kind.counts["other"] += texts(answer) != message.expected
        kind.seconds.append(time.perf_counter() - started)
    else:
        kind.counts["failed" if answer.status_code >= 500 else "lost"] += 1
        print(f"{kind.name}: {answer.status_code} {answer.text[:200]}", file=sys.stderr)


def request_of(client: httpx.AsyncClient, message: Message, slowly: bool) -> httpx.Request:
    request = client.build_request("POST", message.path, **message.arguments)
    if not slowly:
        return request
    body, kind = request.read(), request.headers["content-type"]
    return client.build_request("POST", message.path, content=in_pieces(body), headers={"content-type": kind})


async def in_pieces(body: bytes) -> AsyncIterator[bytes]:
    """A body in pieces with pauses of a quarter second."""
    length = -(-len(body) // PIECES)
    for start in range(0, len(body), length):
        yield body[start : start + length]
        await asyncio.sleep(0.25)


async def leave(client: httpx.AsyncClient, kind: Kind, message: Message, number: int) -> None:
    """Sends a request and closes the connection: while the body is sent, at once after it, or while it is read."""
    kind.counts["sent"] += 1
    slowly, seconds = [(True, 1.0), (False, 0.03), (False, 0.7)][number % 3]
    try:
        await asyncio.wait_for(client.send(request_of(client, message, slowly)), seconds)
        kind.counts["answered"] += 1
    except TimeoutError:
        kind.counts["closed"] += 1


async def user(client: httpx.AsyncClient, kind: Kind, seed: int, until: float) -> None:
    """Sends the messages of a kind in turn."""
    random = np.random.default_rng(seed)
    number = seed
    while time.perf_counter() < until:
        message = kind.messages[number % len(kind.messages)]
        if kind.name.startswith("closed"):
            await leave(client, kind, message, number)
        else:
            await send(client, kind, message, slowly=kind.name.startswith("slow"))
        number += 1
        await asyncio.sleep(kind.pause * random.uniform(0.5, 1.5))


async def at_rest(client: httpx.AsyncClient, all_kinds: Sequence[Kind]) -> None:
    """Fills in the expected answers."""
    read: dict[int, list[str]] = {}
    for kind in all_kinds:
        for number, message in enumerate(kind.messages):
            if id(message.arguments) not in read:
                answer = await client.send(request_of(client, message, slowly=False))
                read[id(message.arguments)] = texts(answer.raise_for_status())
            kind.messages[number] = Message(message.path, message.arguments, read[id(message.arguments)])


async def empty(client: httpx.AsyncClient) -> bool:
    """Whether the queue is empty within ten seconds after the last user has left."""
    for _ in range(50):
        if (await client.get("health")).json()["waiting"] == 0:
            return True
        await asyncio.sleep(0.2)
    return False


async def drive(address: str, all_kinds: Sequence[Kind], minutes: float) -> None:
    """Lets all users send for `minutes`.

    Raises:
        RuntimeError: requests stay in the queue after all users have left.
    """
    limits = httpx.Limits(max_connections=None)
    async with httpx.AsyncClient(base_url=f"{address}/api/", timeout=PATIENCE, limits=limits) as client:
        await at_rest(client, all_kinds)
        until = time.perf_counter() + 60 * minutes
        seeded = [(kind, seed) for kind in all_kinds for seed in range(kind.users)]
        users: list[Awaitable[None]] = [user(client, kind, seed, until) for kind, seed in seeded]
        await asyncio.gather(*users)
        if not await empty(client):
            raise RuntimeError("Requests stay in the queue after all clients have left.")


def check(all_kinds: Sequence[Kind], peak: int) -> list[str]:
    """The goals that were missed, each in a sentence."""
    drawings = sorted(all_kinds[0].seconds)
    late = 1000 * percentile(drawings, 0.95) if drawings else float("inf")
    goals: list[tuple[bool, str]] = [
        (not any(kind.counts["lost"] for kind in all_kinds), "Requests were lost."),
        (not any(kind.counts["failed"] for kind in all_kinds), "Requests were answered with an internal error."),
        (not any(kind.counts["other"] for kind in all_kinds), "Answers differ from those at rest."),
        (late <= DRAWING_GOAL, f"The 95th percentile of drawings is above {DRAWING_GOAL} ms."),
        (peak <= TARGET, f"The peak memory is above {TARGET} MB."),
    ]
    return [sentence for reached, sentence in goals if not reached]


def main() -> int:
    """Measures, prints the table, and writes it where `--results` names a folder."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=5)
    parser.add_argument("--results", type=Path, metavar="FOLDER")
    arguments = parser.parse_args()
    all_kinds = kinds()
    with server(HWR_LOW_MEMORY="1") as (address, pid), PeakMemory(pid) as memory:
        asyncio.run(drive(address, all_kinds, arguments.minutes))
    rows = [kind.row() for kind in all_kinds]
    total = [sum(int(row[column] or 0) for row in rows) for column in range(1, 7)]
    rows.append(["all", *total, None, None, memory.megabytes])
    missed = check(all_kinds, memory.megabytes)
    note = " ".join(missed or ["All goals were reached."])
    print(
        f"{markdown(COLUMNS, rows)}\n\n{note}\n{[(kind.name, dict(kind.counts)) for kind in all_kinds]}\nchildren: {memory.children >> 20} MB"
    )
    if arguments.results:
        write_results(arguments.results / "benchmark-load.json", COLUMNS, rows, note)
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
