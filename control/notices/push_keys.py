"""The key by which push services know this service (VAPID, RFC 8292). Browsers' subscriptions are bound to it: it is
made at the first start and stays. It is in the database, sealed, so that all nodes have the same."""

from __future__ import annotations

from hashlib import sha256

import orjson
import sqlalchemy as sa
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256

from control.access.vault import Vault
from control.clock import Clock
from control.entropy import Entropy
from control.notices.push_encryption import CURVE, encoded, raw
from control.storage.database import Store, insert
from control.storage.tables import push_keys

COLUMN = "push_key"
NOBODY = 0  # in the place of the owner, to which a sealed text is bound
GOOD = 43200  # seconds, twelve hours, that a token is; services take none of over a day
SERVICES = 20  # whose tokens are kept
ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551  # of the curve


class PushKey:
    """`contact`: how a push service reaches the operator; a URL with `https:` or `mailto:`."""

    def __init__(self, secret: str, contact: str, clock: Clock) -> None:
        number = int.from_bytes(sha256(secret.encode()).digest(), "big") % (ORDER - 1) + 1
        self._key = ec.derive_private_key(number, CURVE)
        self._contact = contact
        self._clock = clock
        self._tokens: dict[str, tuple[int, str]] = {}
        self.public = encoded(raw(self._key.public_key()))
        """As a browser wants it, `applicationServerKey`."""

    def authorization(self, origin: str) -> str:
        """For a push service. One is used for half of its time."""
        now = int(self._clock.now())
        ends, header = self._tokens.get(origin, (0, ""))
        if ends - now < GOOD / 2:
            ends, header = now + GOOD, f"vapid t={self._token(origin, now + GOOD)}, k={self.public}"
            if len(self._tokens) >= SERVICES:
                self._tokens.clear()  # somebody makes some up
            self._tokens[origin] = ends, header
        return header

    def _token(self, origin: str, ends: int) -> str:
        claims = orjson.dumps({"aud": origin, "exp": ends, "sub": self._contact})
        said = f"{encoded(orjson.dumps({'typ': 'JWT', 'alg': 'ES256'}))}.{encoded(claims)}"
        r, s = decode_dss_signature(self._key.sign(said.encode(), ec.ECDSA(SHA256())))
        return f"{said}.{encoded(r.to_bytes(32, 'big') + s.to_bytes(32, 'big'))}"


async def stored(store: Store, vault: Vault, entropy: Entropy) -> str:
    """The secret that the key is made of; a new one where there is none, or it does not open. Sealed with the newest
    key from now on."""
    row = await store.fetch_one(sa.select(push_keys).where(push_keys.c.owner_id == NOBODY))
    secret = vault.opened(row, COLUMN) if row else ""
    if row and secret and vault.is_current(row, [COLUMN]):
        return secret
    secret = secret or entropy.secret() + entropy.secret()
    sealed = {COLUMN: vault.seal_text(COLUMN, NOBODY, secret)}
    made = insert(push_keys).values({"owner_id": NOBODY} | sealed)
    if row:  # what another node has just made stays
        await store.write(made.on_conflict_do_update(index_elements=["owner_id"], set_=sealed))
        return secret
    await store.write(made.on_conflict_do_nothing())
    return await stored(store, vault, entropy)
