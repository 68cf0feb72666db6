"""A proxy that cuts answers short, so that nothing in their framing says so, or breaks off in the middle."""

import re
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPMessage
from typing import Literal
from urllib.parse import urlsplit

End = Literal["length", "chunks", "close", "broken length", "broken chunks"]
"""How the answer ends: normally (with its length, its last chunk, or a closed connection), or broken off."""
ENDS: tuple[End, ...] = ("length", "chunks", "close", "broken length", "broken chunks")
NORMAL = ENDS[:3]

Cut = Callable[[str, bytes], bytes | None]
"""Given what was asked (`GET /v1/projects`) and the whole body, the body to send instead; None to leave it."""


@dataclass
class Proxy:
    """What the proxy does now, and the targets it was asked for."""

    url: str
    upstream: str
    end: End = "length"
    cut: Cut = lambda _asked, _body: None
    before: Callable[[str], None] = lambda _asked: None
    asked: list[str] = field(default_factory=list)

    def serve(self, connection: socket.socket) -> None:
        with connection, suppress(OSError):
            head, body = _request(connection)
            asked = head.partition("\r\n")[0].rpartition(" ")[0]
            self.asked.append(asked)
            self.before(asked)
            status, headers, whole = self._forwarded(asked, head, body)
            kept = self.cut(asked, whole)
            end, sent = (NORMAL[0], whole) if kept is None else (self.end, kept)
            connection.sendall(_head(status, headers, end, len(whole), len(sent)) + _framed(end, sent))

    def _forwarded(self, asked: str, head: str, body: bytes) -> tuple[int, HTTPMessage, bytes]:
        host = urlsplit(self.upstream)
        upstream = HTTPConnection(str(host.hostname), host.port, timeout=60)
        sent = dict(line.split(": ", 1) for line in head.split("\r\n")[1:] if line)
        # Compressed, a cut would show.
        method, target = asked.split(" ")
        upstream.request(method, target, body, {**sent, "Accept-Encoding": "identity", "Connection": "close"})
        answer = upstream.getresponse()
        whole = answer.read()
        upstream.close()
        return answer.status, answer.headers, whole


@contextmanager
def cutting(upstream: str) -> Iterator[Proxy]:
    """Stand before a server."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        proxy = Proxy(f"http://127.0.0.1:{listening.getsockname()[1]}", upstream)
        thread = threading.Thread(target=_accept, args=(listening, proxy))
        thread.start()
        yield proxy
        listening.shutdown(socket.SHUT_RDWR)
    thread.join()


def _accept(listening: socket.socket, proxy: Proxy) -> None:
    with suppress(OSError):
        while True:
            proxy.serve(listening.accept()[0])


def _request(connection: socket.socket) -> tuple[str, bytes]:
    held = b""
    while b"\r\n\r\n" not in held:
        held += connection.recv(65536) or b"\r\n\r\n"
    head, _, body = held.partition(b"\r\n\r\n")
    length = re.search(rb"(?i)content-length: (\d+)", head)
    while length and len(body) < int(length[1]):
        body += connection.recv(65536)
    return head.decode("latin-1"), body


def _head(status: int, headers: HTTPMessage, end: End, whole: int, sent: int) -> bytes:
    passed = {name: headers[name] for name in ("Content-Type", "ETag", "WWW-Authenticate") if headers[name]}
    if "length" in end:
        passed["Content-Length"] = str(whole if end == "broken length" else sent)
    if "chunks" in end:
        passed["Transfer-Encoding"] = "chunked"
    lines = [f"HTTP/1.1 {status} Said", *(f"{name}: {text}" for name, text in passed.items()), "Connection: close"]
    return "\r\n".join([*lines, "", ""]).encode("latin-1")


def _framed(end: End, kept: bytes) -> bytes:
    if "chunks" not in end:
        return kept
    chunk = b"%x\r\n%b\r\n" % (len(kept), kept) if kept else b""
    return chunk if end == "broken chunks" else chunk + b"0\r\n\r\n"
