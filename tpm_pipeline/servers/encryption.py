"""Submissions encrypted on the phone, opened here with the form's private key. Bytes in, bytes out: no server.

The rules are ODK's: getodk.github.io/xforms-spec/encryption. The envelope, which is the submission's XML on the server,
carries a key made for this submission and encrypted with the form's public key; media files and answers are encrypted
with it, one after the other.
"""

import base64
import hashlib
import secrets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from lxml import etree

from tpm_pipeline.errors import ServerError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

# The library is large, and most pulls open nothing: it is imported where it is used.

_BLOCK = 16
_KEY_SIZE = 32


class PrivateKey:
    """A form's private key: opens, and never shows itself."""

    __slots__ = ("_rsa",)

    def __init__(self, rsa: "RSAPrivateKey") -> None:
        self._rsa = rsa

    def __repr__(self) -> str:
        """Show that there is a key, and nothing of it."""
        return "PrivateKey(…)"

    @property
    def public(self) -> str:
        """Its public key, as a form has it: `base64RsaPublicKey`."""
        from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

        der = self._rsa.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        return base64.b64encode(der).decode()

    def opens(self, content: bytes) -> bytes | None:
        """Decrypt a few bytes; None when they were not encrypted for this key."""
        from cryptography.hazmat.primitives.asymmetric.padding import MGF1, OAEP
        from cryptography.hazmat.primitives.hashes import SHA256

        # What Java calls RSA/NONE/OAEPWithSHA256AndMGF1Padding is Bouncy Castle's: SHA-256 in both places.
        oaep = OAEP(mgf=MGF1(SHA256()), algorithm=SHA256(), label=None)
        try:
            return self._rsa.decrypt(content, oaep)
        except ValueError:
            return None


@dataclass(frozen=True)
class Envelope:
    """What a server shows of an encrypted submission. Names are those of encrypted files, `media` in their order.

    `version` is None for a form without one, `signature` for a client that does not sign.
    """

    form_id: str
    version: str | None
    instance_id: str
    encrypted_key: bytes = field(repr=False)
    signature: bytes | None = field(repr=False)
    media: tuple[str, ...]
    submission: str

    @property
    def files(self) -> tuple[str, ...]:
        """Every encrypted file, in the order of their encryption."""
        return (*self.media, self.submission)

    @property
    def where(self) -> str:
        """How an error names the submission."""
        return f"{self.form_id}, submission {self.instance_id}"


class Opener:
    """One encrypted submission and the key that opens it."""

    def __init__(self, envelope: Envelope, private: PrivateKey, key: bytes) -> None:
        self.envelope = envelope
        self._private = private
        self._key = key
        self._seed = _md5(envelope.instance_id.encode() + key)

    def submission(self, content: bytes) -> bytes:
        """Decrypt the answers: the XML the form made. SRV-032 when it is not this submission's."""
        place = len(self.envelope.media)
        xml = self._decrypted(place, self.envelope.submission, content)
        root = _parsed(xml)
        if root is None or _instance_id(root) != self.envelope.instance_id:
            raise self._damaged(self.envelope.submission)
        return xml

    def media(self, name: str, content: bytes) -> bytes:
        """Decrypt a file, named as in the envelope. Only `verify` finds whether it is the one that was sent."""
        return self._decrypted(self.envelope.media.index(name), name, content)

    def verify(self, plaintexts: Mapping[str, bytes | str]) -> None:
        """Check that these are the files the phone encrypted, all of them: SRV-034 otherwise.

        Every name of the envelope has the decrypted content, or the hexadecimal MD5 of it. It finds what was damaged
        or mixed up, not who sent it: whoever has the form can sign.
        """
        signature = self.envelope.signature
        signed = None if signature is None else self._private.opens(signature)
        complete = set(plaintexts) == set(self.envelope.files)
        if not (complete and signed and secrets.compare_digest(signed, self._digest(plaintexts))):
            cause = "The signature is not that of these files."
            remedy = "Do not use them: fetch them again, then ask for the submission to be sent again."
            raise ServerError("SRV-034", self.envelope.where, cause, remedy)

    def _digest(self, plaintexts: Mapping[str, bytes | str]) -> bytes:
        sent = self.envelope
        lines = [
            sent.form_id,
            *([] if sent.version is None else [sent.version]),
            base64.b64encode(sent.encrypted_key).decode(),
            sent.instance_id,
            *(f"{plain_name(name)}::{_fingerprint(plaintexts[name])}" for name in sent.files),
        ]
        return _md5("".join(f"{line}\n" for line in lines).encode())

    def _decrypted(self, place: int, name: str, content: bytes) -> bytes:
        from cryptography.hazmat.decrepit.ciphers.modes import CFB
        from cryptography.hazmat.primitives.ciphers import Cipher, algorithms
        from cryptography.hazmat.primitives.padding import PKCS7

        cipher = Cipher(algorithms.AES(self._key), CFB(self._vector(place))).decryptor()
        padding = PKCS7(_BLOCK * 8).unpadder()
        try:
            return padding.update(cipher.update(content) + cipher.finalize()) + padding.finalize()
        except ValueError:
            raise self._damaged(name) from None

    def _vector(self, place: int) -> bytes:
        # Each file, from the first, adds one to the next byte of the seed, round and round.
        steps = ((place + _BLOCK - index) // _BLOCK for index in range(_BLOCK))
        return bytes((byte + step) % 256 for byte, step in zip(self._seed, steps, strict=True))

    def _damaged(self, name: str) -> ServerError:
        cause = f"«{name}» does not decrypt to what was sent."
        return ServerError("SRV-032", self.envelope.where, cause, "Fetch it again, then ask for it to be sent again.")


def read_key(pem: bytes, passphrase: bytes | None = None, where: str = "private key") -> PrivateKey:
    """Read an RSA private key, PKCS#1 or PKCS#8; a passphrase it does not need is not used."""
    protected = b"ENCRYPTED" in pem
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    try:
        rsa = load_pem_private_key(pem, passphrase if protected else None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        rsa = None
    if not isinstance(rsa, RSAPrivateKey):
        cause = "The passphrase does not open it." if protected else "It is not an RSA private key in PEM format."
        remedy = "Give the key file made for the form, and its passphrase if it has one."
        raise ServerError("SRV-031", where, cause, remedy)
    return PrivateKey(rsa)


def envelope(xml: bytes) -> Envelope | None:
    """Read a submission's XML as an envelope; None when the submission is not encrypted."""
    root = _parsed(xml)
    if root is None:
        raise _malformed("submission", "The XML cannot be read safely.")
    if root.get("encrypted") != "yes":
        return None
    form_id, instance_id = root.get("id", ""), _instance_id(root)
    found = Envelope(
        form_id=form_id,
        version=root.get("version") or None,
        instance_id=instance_id,
        encrypted_key=_decoded(form_id, _text(root, "base64EncryptedKey")),
        signature=_decoded(form_id, _text(root, "base64EncryptedElementSignature")) or None,
        media=tuple(_content(file) for media in _children(root, "media") for file in _children(media, "file")),
        submission=_text(root, "encryptedXmlFile"),
    )
    names = [plain_name(name) for name in found.files]
    if not (form_id and instance_id and found.encrypted_key):
        raise _malformed(form_id or "submission", "Its envelope lacks the form, the instanceID or the key.")
    if len(set(names)) != len(names) or not all(map(_is_file_name, names)):
        raise _malformed(found.where, "Its envelope does not name each file once, by a name a file can have.")
    return found


def open_envelope(envelope: Envelope, key: PrivateKey) -> Opener:
    """Open with the private key of the form's version: SRV-030 when it is another one."""
    opened = key.opens(envelope.encrypted_key)
    if opened is None:
        remedy = "Give the private key that belongs to the public key of the form's version."
        raise ServerError("SRV-030", envelope.where, "The private key does not open it.", remedy)
    if len(opened) != _KEY_SIZE:
        raise _malformed(envelope.where, "Its envelope has a key of another size.")
    return Opener(envelope, key, opened)


def plain_name(name: str) -> str:
    """The name of a file before its encryption, as the answers have it."""
    return name.removesuffix(".enc")


def _parsed(xml: bytes) -> etree._Element | None:
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, huge_tree=False, remove_comments=True, remove_pis=True
    )
    try:
        root = etree.fromstring(xml, parser)
    except etree.XMLSyntaxError:
        return None
    return root if root.getroottree().docinfo.internalDTD is None else None


def _children(node: etree._Element, name: str) -> Iterator[etree._Element]:
    # By local name: Collect and the specification give the same envelope two namespaces.
    return (child for child in node if etree.QName(child).localname == name)


def _text(node: etree._Element, name: str) -> str:
    return next((_content(child) for child in _children(node, name)), "")


def _content(node: etree._Element) -> str:
    return (node.text or "").strip()


def _instance_id(root: etree._Element) -> str:
    return next((_text(meta, "instanceID") for meta in _children(root, "meta")), "")


def _decoded(where: str, text: str) -> bytes:
    try:
        return base64.b64decode("".join(text.split()), validate=True)
    except ValueError:
        raise _malformed(where or "submission", "Its envelope has a key or a signature that is not base64.") from None


def _is_file_name(name: str) -> bool:
    return name not in {"", ".", ".."} and not set(name) & set("/\\\0")


def _malformed(where: str, cause: str) -> ServerError:
    return ServerError("SRV-033", where, cause, "Fetch it again, then ask for it to be sent again.")


def _fingerprint(plaintext: bytes | str) -> str:
    return plaintext if isinstance(plaintext, str) else _md5(plaintext).hex()


def _md5(content: bytes) -> bytes:
    return hashlib.md5(content, usedforsecurity=False).digest()
