"""Encrypts a submission as ODK Collect does, from the specification: shares nothing with what decrypts.

Collect keeps one cipher state per submission and walks its folder: media files, then the answers.
"""

import hashlib
import os
from base64 import b64decode, b64encode
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from xml.etree import ElementTree as ET
from xml.sax.saxutils import escape, quoteattr

from cryptography.hazmat.decrepit.ciphers import modes
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms


@dataclass(frozen=True)
class KeyPair:
    """A private key as its owner keeps it, and the public key as a form has it (`base64RsaPublicKey`)."""

    private_pem: bytes
    public: str


@cache
def key_pair(number: int = 0) -> KeyPair:  # noqa: ARG001 - the argument tells one pair from another
    """A 2048-bit pair, made once per session and number."""
    private = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    encoding, plain = serialization.Encoding, serialization.NoEncryption()
    pem = private.private_bytes(encoding.PEM, serialization.PrivateFormat.PKCS8, plain)
    spki = private.public_key().public_bytes(encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return KeyPair(pem, b64encode(spki).decode())


@dataclass(frozen=True)
class Encrypted:
    """What Collect sends: the envelope as the submission's XML, the rest as its attachments, answers last."""

    envelope: bytes
    files: dict[str, bytes]


def encrypt(
    public: str,
    xml: bytes,
    media: Mapping[str, bytes] | None = None,
    key: bytes | None = None,
    *,
    signed: bool = True,
) -> Encrypted:
    """Encrypt the answers and their media files with a form's public key. `key` is random unless given."""
    key = key or os.urandom(32)
    root = ET.fromstring(xml)  # noqa: S314 - what a test wrote
    instance_id = root.findtext("{*}meta/{*}instanceID") or ""
    sealed_key = seal(public, key)
    files = {**(media or {}), "submission.xml": xml}
    vectors = _vectors(instance_id, key)
    sealed = {f"{name}.enc": _sealed_file(key, next(vectors), content) for name, content in files.items()}
    identity = [root.attrib["id"], *([root.attrib["version"]] if "version" in root.attrib else [])]
    listed = [f"{name}::{hashlib.md5(content).hexdigest()}" for name, content in files.items()]  # noqa: S324 - ODK's
    source = "\n".join([*identity, sealed_key, instance_id, *listed, ""])
    signature = seal(public, hashlib.md5(source.encode()).digest()) if signed else None  # noqa: S324 - ODK's
    return Encrypted(_envelope(identity, sealed_key, instance_id, list(sealed), signature), sealed)


def seal(public: str, message: bytes) -> str:
    """RSA/NONE/OAEPWithSHA256AndMGF1Padding as Bouncy Castle understands it, in base64."""
    key = serialization.load_der_public_key(b64decode(public))
    assert isinstance(key, rsa.RSAPublicKey)
    oaep = padding.OAEP(padding.MGF1(hashes.SHA256()), hashes.SHA256(), None)
    return b64encode(key.encrypt(message, oaep)).decode()


def _vectors(instance_id: str, key: bytes) -> Iterator[bytes]:
    seed = bytearray(hashlib.md5(instance_id.encode() + key).digest())  # noqa: S324 - ODK's
    counter = 0
    while True:
        seed[counter % 16] = (seed[counter % 16] + 1) & 0xFF
        counter += 1
        yield bytes(seed)


def _sealed_file(key: bytes, vector: bytes, content: bytes) -> bytes:
    missing = 16 - len(content) % 16
    encryptor = Cipher(algorithms.AES(key), modes.CFB(vector)).encryptor()
    return encryptor.update(content + bytes([missing]) * missing) + encryptor.finalize()


def _envelope(identity: list[str], key: str, instance_id: str, names: list[str], signature: str | None) -> bytes:
    version = f" version={quoteattr(identity[1])}" if len(identity) > 1 else ""
    media = "".join(f"<media><file>{escape(name)}</file></media>\n" for name in names[:-1])
    signed = f"<base64EncryptedElementSignature>{signature}</base64EncryptedElementSignature>" if signature else ""
    return (
        f'<data id={quoteattr(identity[0])}{version} encrypted="yes" '
        'xmlns="http://www.opendatakit.org/xforms/encrypted">'
        f"<base64EncryptedKey>{key}</base64EncryptedKey>"
        '<orx:meta xmlns:orx="http://openrosa.org/xforms">'
        f"<orx:instanceID>{escape(instance_id)}</orx:instanceID></orx:meta>\n{media}"
        f"<encryptedXmlFile>{names[-1]}</encryptedXmlFile>{signed}</data>"
    ).encode()
