"""A Web Push message, encrypted for one browser: RFC 8291, in the one record of RFC 8188's aes128gcm."""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

CURVE = ec.SECP256R1()
RECORD = 4096  # bytes; push services take no larger message
LAST = b"\x02"  # after the text of the last record


@dataclass(frozen=True, slots=True)
class Subscription:
    """As a browser has made it."""

    endpoint: str
    public_key: str
    """A point of P-256, uncompressed, in base64url; `p256dh`."""
    auth: str
    """16 bytes, likewise."""

    @property
    def is_usable(self) -> bool:
        try:
            _point(decoded(self.public_key))
            return len(decoded(self.auth)) == 16
        except ValueError:
            return False


def encrypted(text: bytes, to: Subscription, own: ec.EllipticCurvePrivateKey, salt: bytes) -> bytes:
    """`own` and `salt`, 16 bytes, are made for this message alone."""
    theirs, mine = decoded(to.public_key), raw(own.public_key())
    shared = own.exchange(ec.ECDH(), _point(theirs))
    secret = _derived(shared, decoded(to.auth), b"WebPush: info\0" + theirs + mine, 32)
    key = _derived(secret, salt, b"Content-Encoding: aes128gcm\0", 16)
    nonce = _derived(secret, salt, b"Content-Encoding: nonce\0", 12)
    head = salt + RECORD.to_bytes(4, "big") + bytes([len(mine)]) + mine
    return head + AESGCM(key).encrypt(nonce, text + LAST, b"")


def raw(key: ec.EllipticCurvePublicKey) -> bytes:
    return key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


def encoded(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode()


def decoded(text: str) -> bytes:
    """Raises ValueError."""
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))


def _point(data: bytes) -> ec.EllipticCurvePublicKey:
    """Raises ValueError for what is none of the curve."""
    return ec.EllipticCurvePublicKey.from_encoded_point(CURVE, data)


def _derived(key: bytes, salt: bytes, info: bytes, length: int) -> bytes:
    return HKDF(SHA256(), length, salt, info).derive(key)
