"""What a phone encrypted is read back with the form's private key, and nothing else is believed."""

import hashlib
import re
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from itertools import count
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.servers.encryptor import Encrypted, encrypt, key_pair
from tpm_pipeline.errors import ServerError
from tpm_pipeline.servers.encryption import (
    Envelope,
    Opener,
    PrivateKey,
    envelope,
    open_envelope,
    plain_name,
    read_key,
)

INSTANCE = "uuid:6e0d3b0c-5a57-4f0e-9d0e-000000000001"
ANSWER = "une réponse que personne ne doit lire"
META = f"<meta><instanceID>{INSTANCE}</instanceID></meta>"
XML = f'<data id="visite" version="3"><nom>{ANSWER}</nom>{META}</data>'.encode()
PHOTOS = {"1.jpg": b"\xff\xd8 un", "2.jpg": b"deux" * 40, "audit.csv": b""}


def sent(media: dict[str, bytes] | None = None, xml: bytes = XML, key: bytes | None = None) -> Encrypted:
    return encrypt(key_pair().public, xml, PHOTOS if media is None else media, key)


def written() -> str:
    """An envelope as Collect writes it."""
    return sent(key=bytes(32)).envelope.decode()


def read(message: Encrypted) -> Envelope:
    found = envelope(message.envelope)
    assert found
    return found


@cache
def private() -> PrivateKey:
    return read_key(key_pair().private_pem)


def opener(message: Encrypted) -> Opener:
    return open_envelope(read(message), private())


def opened(message: Encrypted) -> dict[str, bytes]:
    """Every file of a submission decrypted, by its name in the envelope."""
    it = opener(message)
    media = {name: it.media(name, message.files[name]) for name in it.envelope.media}
    return {**media, it.envelope.submission: it.submission(message.files[it.envelope.submission])}


def plain(media: dict[str, bytes], xml: bytes = XML) -> dict[str, bytes]:
    return {f"{name}.enc": content for name, content in {**media, "submission.xml": xml}.items()}


def pem(passphrase: bytes | None = None, *, pkcs1: bool = False) -> bytes:
    key = serialization.load_pem_private_key(key_pair().private_pem, None)
    form = serialization.PrivateFormat.TraditionalOpenSSL if pkcs1 else serialization.PrivateFormat.PKCS8
    lock = serialization.BestAvailableEncryption(passphrase) if passphrase else serialization.NoEncryption()
    return key.private_bytes(serialization.Encoding.PEM, form, lock)


# --- what was encrypted comes back


@pytest.mark.parametrize("number", [0, 1, 3])
@settings(deadline=None)
@given(data=st.data())
def test_what_was_encrypted_comes_back_and_is_verified(number: int, data: st.DataObject) -> None:
    blocks = st.integers(0, 4).map(lambda size: b"x" * 16 * size)
    media = {f"{place}.jpg": data.draw(st.binary() | blocks) for place in range(number)}
    answers = data.draw(st.text("abcdéع ", max_size=40))
    xml = f'<v id="visite"><a>{answers}</a>{META}</v>'.encode()
    message = sent(media, xml)
    assert opened(message) == plain(media, xml)
    opener(message).verify(opened(message))


def test_a_file_has_its_own_vector_whatever_their_number() -> None:
    key = bytes(32)
    # A seed that starts with the highest byte: the first file already makes it turn over.
    turning = (f"uuid:{number}" for number in count())
    instance = next(one for one in turning if hashlib.md5(one.encode() + key).digest()[0] == 255)  # noqa: S324 - ODK's
    xml = XML.replace(INSTANCE.encode(), instance.encode())
    media = {f"{place}.jpg": f"photo {place}".encode() for place in range(40)}
    message = sent(media, xml, key)
    assert opened(message) == plain(media, xml)
    opener(message).verify(opened(message))


def test_the_vector_is_the_one_of_the_specification() -> None:
    # Worked out by hand: the seed is md5("uuid:a" + 32 zero bytes); file 0 adds one to byte 0, file 17 is the second
    # round's second.
    seed = hashlib.md5(b"uuid:a" + bytes(32)).digest()  # noqa: S324 - ODK's
    it = opener(sent({}, b'<v id="v"><meta><instanceID>uuid:a</instanceID></meta></v>', bytes(32)))
    difference = [[(new - old) % 256 for new, old in zip(it._vector(n), seed, strict=True)] for n in (0, 17)]
    assert difference == [[1] + [0] * 15, [2, 2] + [1] * 14]


def test_answers_are_read_before_the_media_arrive() -> None:
    message = sent()
    assert opener(message).submission(message.files["submission.xml.enc"]) == XML


def test_files_are_verified_by_their_md5_when_their_content_is_elsewhere() -> None:
    message = sent()
    digests = {name: hashlib.md5(content).hexdigest() for name, content in opened(message).items()}  # noqa: S324 - ODK's
    opener(message).verify(digests)


def test_a_file_has_back_the_name_the_answers_give_it() -> None:
    assert [plain_name(name) for name in ("1.jpg.enc", "encore.enc.enc", "nu")] == ["1.jpg", "encore.enc", "nu"]


# --- the envelope


def test_an_envelope_says_what_a_server_may_know() -> None:
    found = read(sent())
    assert (found.form_id, found.version, found.instance_id) == ("visite", "3", INSTANCE)
    assert found.media == ("1.jpg.enc", "2.jpg.enc", "audit.csv.enc")
    assert found.submission == "submission.xml.enc"
    assert found.files == (*found.media, found.submission)


@pytest.mark.parametrize("namespace", ["http://opendatakit.org/submissions", "http://www.w3.org/2002/xforms"])
def test_other_clients_write_another_namespace_and_layout(namespace: str) -> None:
    ours = written()
    other = ours.replace("http://www.opendatakit.org/xforms/encrypted", namespace)
    other = re.sub(r">([^<>\s]+)<", r">\n    \1\n  <", other)
    assert envelope(f'<?xml version="1.0" encoding="UTF-8"?>\n{other}'.encode()) == envelope(ours.encode())


def test_a_form_without_version_has_none() -> None:
    message = sent({}, XML.replace(b' version="3"', b""))
    assert opener(message).envelope.version is None
    opener(message).verify(opened(message))


def test_a_submission_that_is_not_encrypted_has_no_envelope() -> None:
    assert envelope(XML) is None


BROKEN = {
    "not XML": ("<data", ""),
    "doctype": ("<data ", '<!DOCTYPE data [<!ENTITY e "x">]><data '),
    "no form": ('id="visite"', ""),
    "no instanceID": (INSTANCE, " "),
    "no key": ("base64EncryptedKey", "cle"),
    "key not base64": ("<base64EncryptedKey>", "<base64EncryptedKey>é"),
    "signature not base64": ("<base64EncryptedElementSignature>", "<base64EncryptedElementSignature>*"),
    "no answers": ("submission.xml.enc", ""),
    "nameless file": ("<file>1.jpg.enc</file>", "<file/>"),
    "file named twice": ("2.jpg.enc", "1.jpg.enc"),
    "media as answers": ("2.jpg.enc", "submission.xml.enc"),
    "name with a folder": ("1.jpg.enc", "../1.jpg.enc"),
    "name of a folder": ("1.jpg.enc", "...enc"),
}


@pytest.mark.parametrize(("old", "new"), BROKEN.values(), ids=BROKEN)
def test_an_envelope_that_is_not_one_is_refused(old: str, new: str) -> None:
    broken = written().replace(old, new)
    assert broken != written()
    with pytest.raises(ServerError, match="SRV-033"):
        envelope(broken.encode())


def test_a_key_of_another_size_is_refused() -> None:
    with pytest.raises(ServerError, match="SRV-033"):
        opener(sent(key=bytes(16)))


# --- the private key


@pytest.mark.parametrize("pkcs1", [False, True], ids=["PKCS#8", "PKCS#1"])
@pytest.mark.parametrize("passphrase", [None, "clé".encode()], ids=["bare", "protected"])
def test_a_key_file_is_read(passphrase: bytes | None, pkcs1: bool) -> None:
    open_envelope(read(sent()), read_key(pem(passphrase, pkcs1=pkcs1), passphrase))


def test_a_passphrase_that_is_not_needed_is_not_used() -> None:
    read_key(pem(), b"superflue")


def elliptic() -> bytes:
    key = ec.generate_private_key(ec.SECP256R1())
    encoding, form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    return key.private_bytes(encoding, form, serialization.NoEncryption())


def public() -> bytes:
    return f"-----BEGIN PUBLIC KEY-----\n{key_pair().public}\n-----END PUBLIC KEY-----\n".encode()


UNREADABLE: dict[str, tuple[Callable[[], bytes], bytes | None]] = {
    "empty": (lambda: b"", None),
    "text": (lambda: b"not a key", None),
    "public": (public, None),
    "cut": (lambda: pem()[:600], None),
    "elliptic": (elliptic, None),
    "no passphrase": (lambda: pem(b"secret"), None),
    "wrong passphrase": (lambda: pem(b"secret"), b"autre"),
    "wrong passphrase, PKCS#1": (lambda: pem(b"secret", pkcs1=True), b"autre"),
}


@pytest.mark.parametrize(("content", "passphrase"), UNREADABLE.values(), ids=UNREADABLE)
def test_a_key_file_that_cannot_be_read_is_refused(content: Callable[[], bytes], passphrase: bytes | None) -> None:
    with pytest.raises(ServerError, match="SRV-031"):
        read_key(content(), passphrase)


def test_a_private_key_tells_the_public_key_of_its_form() -> None:
    assert private().public == key_pair().public


def test_another_forms_key_does_not_open() -> None:
    found = read(sent())
    with pytest.raises(ServerError, match="SRV-030"):
        open_envelope(found, read_key(key_pair(1).private_pem))
    with pytest.raises(ServerError, match="SRV-030"):
        open_envelope(replace(found, encrypted_key=found.encrypted_key[:-1]), private())


# --- what was changed on the way


Damage = Callable[[bytes], bytes]


@pytest.mark.parametrize("name", ["1.jpg.enc", "submission.xml.enc"])
@pytest.mark.parametrize(
    "damage",
    [lambda _: b"", lambda content: content[:-1], lambda content: content[:-16], lambda content: content + bytes(16)],
    ids=["emptied", "one byte cut", "a block cut", "a block more"],
)
def test_a_file_whose_end_was_changed_does_not_decrypt(name: str, damage: Damage) -> None:
    message = sent({"1.jpg": b"z" * 40}, key=bytes(32))
    it = opener(message)
    content = damage(message.files[name])
    with pytest.raises(ServerError, match="SRV-032"):
        it.submission(content) if name == it.envelope.submission else it.media(name, content)


def test_answers_of_another_submission_do_not_pass_for_these() -> None:
    key = bytes(range(32))
    other = sent({}, XML.replace(b"0001", b"0002"), key)
    with pytest.raises(ServerError, match="SRV-032"):
        opener(sent({}, XML, key)).submission(other.files["submission.xml.enc"])


def test_a_media_file_is_no_substitute_for_answers() -> None:
    message = sent()
    with pytest.raises(ServerError, match="SRV-032"):
        opener(message).submission(message.files["1.jpg.enc"])


def flipped(content: bytes, place: int = 20) -> bytes:
    return content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :]


def test_a_changed_byte_is_found_by_the_signature() -> None:
    message = sent()
    found = {**opened(message), "2.jpg.enc": opener(message).media("2.jpg.enc", flipped(message.files["2.jpg.enc"]))}
    assert found["2.jpg.enc"] != PHOTOS["2.jpg"]
    with pytest.raises(ServerError, match="SRV-034"):
        opener(message).verify(found)


def test_files_exchanged_are_found_by_the_signature() -> None:
    message = sent()
    it, found = opener(message), opened(message)
    # Their ends still decrypt: only the first block depends on the place.
    found["1.jpg.enc"] = it.media("1.jpg.enc", message.files["2.jpg.enc"])
    with pytest.raises(ServerError, match="SRV-034"):
        it.verify(found)


@pytest.mark.parametrize(
    "change",
    [
        {"form_id": "autre"},
        {"version": "4"},
        {"version": None},
        {"instance_id": "uuid:autre"},
        {"encrypted_key": b"autre"},
        {"media": ("2.jpg.enc", "1.jpg.enc", "audit.csv.enc")},
        {"signature": b"autre"},
        {"signature": None},
    ],
    ids=str,
)
def test_an_envelope_that_was_changed_is_found_by_the_signature(change: dict[str, Any]) -> None:
    message = sent()
    it, found = opener(message), opened(message)
    with pytest.raises(ServerError, match="SRV-034"):
        Opener(replace(it.envelope, **change), private(), bytes(32)).verify(found)


def test_a_signature_made_for_another_submission_is_not_believed() -> None:
    first, second = sent({}), sent({})
    theirs = opener(second).envelope.signature
    with pytest.raises(ServerError, match="SRV-034"):
        Opener(replace(opener(first).envelope, signature=theirs), private(), bytes(32)).verify(opened(first))


@pytest.mark.parametrize("files", [{}, {"submission.xml.enc": XML}, {**plain(PHOTOS), "de trop.enc": b""}])
def test_only_all_the_files_are_verified(files: dict[str, bytes]) -> None:
    with pytest.raises(ServerError, match="SRV-034"):
        opener(sent()).verify(files)


def test_a_client_that_does_not_sign_is_read_but_not_verified() -> None:
    message = encrypt(key_pair().public, XML, signed=False)
    assert opener(message).envelope.signature is None
    with pytest.raises(ServerError, match="SRV-034"):
        opener(message).verify(opened(message))


# --- what is not told


def test_nothing_shows_a_key() -> None:
    it, key = opener(sent()), private()
    assert repr(key) == "PrivateKey(…)"
    assert all(secret not in f"{it!r} {it.envelope!r}" for secret in ("PRIVATE", "encrypted_key", "signature"))


def test_an_error_names_the_submission_and_shows_no_answer() -> None:
    message = sent()
    it = opener(message)
    with pytest.raises(ServerError) as signature:
        it.verify({**opened(message), "1.jpg.enc": ANSWER.encode()})
    with pytest.raises(ServerError) as damaged:
        it.submission(message.files["submission.xml.enc"][:-1])
    for error in (signature.value, damaged.value):
        assert error.where == f"visite, submission {INSTANCE}"
        assert ANSWER not in str(error)
        assert error.__cause__ is None
