"""Sending filled forms as a phone does, over the OpenRosa protocol."""

import html
import re
from collections.abc import Sequence

from tpm_pipeline.errors import ServerError
from tpm_pipeline.records import MediaFile
from tpm_pipeline.servers.http import Http, Reply

# KoboToolbox gives some of its reasons in words of its own.
_MESSAGE = re.compile(rb"<(message|detail)\b[^>]*>(.*?)</\1>", re.DOTALL)
_ACCEPTED = (201, 202)


class OpenRosaClient:
    """A phone's connection, kept alive. `base_url` is the address set in Collect; it may hold a token.

    Where it does not, `authorization` is what the phone says of its account.
    """

    def __init__(self, base_url: str, timeout_s: float, authorization: str = "") -> None:
        self._http = Http(base_url, timeout_s)
        self._headers = {"X-OpenRosa-Version": "1.0"} | ({"Authorization": authorization} if authorization else {})

    def submit(self, xml: bytes, attachments: Sequence[MediaFile] = ()) -> None:
        """Send a submission; sending the same again is harmless."""
        parts = [("xml_submission_file", ("submission.xml", xml, "text/xml"))]
        parts += [(file.name, (file.name, file.content, "application/octet-stream")) for file in attachments]
        reply = self._http.send("POST", "/submission", headers=self._headers, files=parts)
        if reply.status not in _ACCEPTED:
            raise _refused(reply)


def _refused(reply: Reply) -> ServerError:
    said = _MESSAGE.search(reply.body)
    text = html.unescape(said[2].decode(errors="replace"))[:300] if said else "It gave no reason."
    cause = f"The submission was not accepted (HTTP {reply.status}). {text}"
    return ServerError("SRV-020", reply.where, cause, "Correct the submission or the form's address.")
