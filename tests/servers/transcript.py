"""What our client and a server say to each other in a test, so that a fake one is held to the real one."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from difflib import unified_diff
from itertools import groupby
from typing import Any
from urllib.parse import quote, unquote

import orjson
import pytest

from tpm_pipeline.servers.http import Http, Stream

_OWN = [
    (r"(uuid(:|%3A))?[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "<id>"),
    (r"\b[0-9a-f]{40}\b", "<hash>"),
    (r"\[encrypted:[\w+/]+\]", "[encrypted]"),
    (r"\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", "<time>"),
    (r"/projects/\d+", "/projects/<n>"),
    (r"/key/[^/]+", "/key/<token>"),
    (r"/sessions/[^/]+", "/sessions/<token>"),
    (r"/(app-users|public-links|users)/\d+", r"/\1/<n>"),
    (r"/assignments/([\w-]+)/\d+", r"/assignments/\1/<n>"),
    (r"https?://127\.0\.0\.1:\d+", "<server>"),
    (r"\b(af|att|[avip])[0-9A-Za-z]{21}\b", r"\1<uid>"),
    (r"\b[0-9a-f]{32}\b", "<hash>"),
    (r'"_id":\d+|(?<=\$gt":)\d+', "<n>"),
    (r"/data/\d+", "/data/<n>"),
    (r'(?<=settings__tpm__project:")[^"]+', "<project>"),
    (r'(?<="timestamp":)\d+', "<time>"),
    (r'(?<=_submission_time":")[^"]+', "<time>"),
    (r'"submitter(Id|Name)":(\d+|"(?:[^"\\]|\\.)*")', r'"submitter\1":"<who>"'),
    (r'"userAgent":"[^"]*"', '"userAgent":"<client>"'),
]

_TOLD: dict[str, dict[str, list[str]]] = {}


def anonymous(text: str) -> str:
    """Leave out what is a server's own: identifiers, times, tokens."""
    for pattern, word in _OWN:
        text = re.sub(pattern, word, text)
    return text


class Transcript:
    """The lines of one test on one server."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def rows(self, rows: list[dict[str, Any]]) -> None:
        """Note the rows of a pull, in no order."""
        told = (orjson.dumps(row, option=orjson.OPT_SORT_KEYS).decode() for row in rows)
        self.lines += sorted(f"row {anonymous(row)}" for row in told)

    def exchange(self, method: str, path: str, query: Any, answer: Stream) -> None:
        """Note a request and how it was answered."""
        asked = "&".join(f"{key}={quote(str(value))}" for key, value in (query or {}).items())
        etag = " eventhash" if "eventhash" in (answer.etag or "") else ""
        # A content that was sent before keeps the type it had then, in whichever project.
        kind = "a file" if "/attachments/" in path else answer.media_type
        self.lines.append(anonymous(unquote(f"{method} {path}?{asked} → {answer.status} {kind}{etag}")))


@contextmanager
def recorded(case: str, kind: str) -> Iterator[Transcript]:
    """Record one test on one kind of server; fail when the other kind was told otherwise."""
    transcript = Transcript()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Http, "stream", _noting(Http.stream, transcript))
        yield transcript
    told = _TOLD.setdefault(case, {})
    # In no order: what is asked for row by row comes in the order of random identifiers.
    told[kind] = sorted(line for line, _ in groupby(transcript.lines))
    if len(told) > 1:
        (one, first), (other, second) = told.items()
        difference = "\n".join(unified_diff(first, second, one, other, lineterm="", n=1))
        assert not difference, f"{case}: the two servers differ\n{difference}"


def _noting(real: Any, transcript: Transcript) -> Any:
    @contextmanager
    def stream(http: Http, method: str, path: str, **sent: Any) -> Iterator[Stream]:
        with real(http, method, path, **sent) as answer:
            transcript.exchange(method, path, sent.get("query"), answer)
            yield answer

    return stream
