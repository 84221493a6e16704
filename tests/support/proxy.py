"""A reverse proxy that strips a prefix from paths, for HTTP and WebSocket connections."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from urllib.parse import urlsplit


@contextmanager
def prefix_proxy(target: str, prefix: str) -> Iterator[str]:
    """Passes requests below `prefix` to `target`, with the prefix moved into the header X-Forwarded-Prefix.

    Args:
        target: The address of the server, such as `http://127.0.0.1:8501`.
        prefix: The prefix, such as `/tools/hwr`. Other paths get no answer.

    Yields:
        The address of the proxy.
    """
    server = urlsplit(target)

    async def connection(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError, asyncio.IncompleteReadError):
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
            request, _, headers = head.partition("\r\n")
            method, path, version = request.split(" ")
            if path.startswith(prefix + "/"):
                inner_reader, inner_writer = await asyncio.open_connection(server.hostname, server.port)
                kept = [line for line in headers.split("\r\n") if line]
                if "upgrade: websocket" not in headers.lower():  # one request a connection: no other head is looked for
                    kept = [line for line in kept if not line.lower().startswith("connection:")] + ["Connection: close"]
                kept.append(f"X-Forwarded-Prefix: {prefix}")
                lines = [f"{method} {path.removeprefix(prefix)} {version}", *kept, "", ""]
                inner_writer.write("\r\n".join(lines).encode("latin-1"))
                await asyncio.gather(passed(reader, inner_writer), passed(inner_reader, writer))
        writer.close()

    async def passed(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while data := await reader.read(65536):
                writer.write(data)
                await writer.drain()
        writer.close()

    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    listening = asyncio.run_coroutine_threadsafe(asyncio.start_server(connection, "127.0.0.1", 0), loop).result(10)
    try:
        yield f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}"
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
