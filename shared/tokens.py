"""One kind of token for all: API keys, links in mails and pages, the desk's sessions.

A token is a JWT (RFC 7519, HS256) with a key id in its header, and purpose, subject, scopes and expiry in
its claims. Any service verifies it with TOKEN_SECRETS and the revocation list. Where dozens of links stand in
one mail, the same is said in bytes (`seal`), in a quarter of the length: see docs/decisions/0011.
"""

import base64
import binascii
import hashlib
import hmac
import secrets as randomness
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import jwt

ALGORITHM = "HS256"
_MAC_BYTES = 12
"""HMAC-SHA256 cut to 96 bits (RFC 2104 section 5): nobody can try that many against a server."""


class BadToken(Exception):  # noqa: N818 - what it is
    """The token is not one of ours, for another purpose, expired or revoked; the message says which."""


@dataclass(frozen=True)
class Claims:
    """What a token says. `subject` is whom or what it is about: an owner, a need's id, a consultant's id."""

    token_id: str
    purpose: str
    subject: str
    scopes: frozenset[str]
    expires_at: datetime

    def allows(self, scope: str) -> bool:
        return "*" in self.scopes or scope in self.scopes


class Tokens:
    """Issues and verifies tokens. `secrets` come newest first."""

    def __init__(self, secrets: Sequence[str], revocations: Path | None = None) -> None:
        if not secrets:
            raise ValueError("at least one secret is needed")
        self._secrets = {_key_id(secret): secret for secret in secrets}
        self._signing = _key_id(secrets[0])
        self._revocations = revocations
        self._revoked: frozenset[str] = frozenset()
        self._revocations_read_at = -1.0

    def issue(
        self,
        purpose: str,
        subject: str,
        *,
        lifetime: timedelta,
        scopes: Iterable[str] = (),
        token_id: str | None = None,
        now: datetime | None = None,
    ) -> str:
        """A signed token. The same arguments (with `token_id` and `now`) give the same token."""
        issued = now or datetime.now(UTC)
        return jwt.encode(
            {
                "jti": token_id or randomness.token_urlsafe(9),
                "pur": purpose,
                "sub": subject,
                "scp": sorted(scopes),
                "exp": int((issued + lifetime).timestamp()),
            },
            self._secrets[self._signing],
            algorithm=ALGORITHM,
            headers={"kid": self._signing},
        )

    def verify(self, token: str, purpose: str) -> Claims:
        """The claims of a valid token for `purpose`. Raises BadToken."""
        try:
            secret = self._secrets.get(str(jwt.get_unverified_header(token).get("kid")))
            if secret is None:
                raise BadToken("signed with a key that is not in use")
            claims = jwt.decode(
                token, secret, algorithms=[ALGORITHM], options={"require": ["exp", "sub", "jti"]}
            )
        except jwt.ExpiredSignatureError as error:
            raise BadToken("expired") from error
        except jwt.PyJWTError as error:
            raise BadToken("not a valid token") from error
        if claims.get("pur") != purpose:
            raise BadToken("made for another purpose")
        if claims["jti"] in self._revoked_ids():
            raise BadToken("revoked")
        return Claims(
            token_id=claims["jti"],
            purpose=purpose,
            subject=claims["sub"],
            scopes=frozenset(claims.get("scp", ())),
            expires_at=datetime.fromtimestamp(claims["exp"], UTC),
        )

    def seal(self, purpose: str, content: bytes, expires_at: datetime) -> str:
        """A short token around a few bytes, for addresses in mails. The same arguments give the same one."""
        head = bytes.fromhex(self._signing) + int(expires_at.timestamp()).to_bytes(5, "big")
        signed = head + content
        return _text_of(signed + _mac(self._secrets[self._signing], purpose, signed))

    def mark(self, purpose: str, text: str) -> list[str]:
        """Twelve hex digits that vouch for `text`, by each secret, newest first: where case does not last."""
        return [_mac(secret, purpose, text.encode()).hex()[:12] for secret in self._secrets.values()]

    def unseal(self, token: str, purpose: str, now: datetime | None = None) -> bytes:
        """The content of a valid sealed token for `purpose`. Raises BadToken."""
        try:
            raw = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
        except (binascii.Error, ValueError) as error:
            raise BadToken("not a valid token") from error
        signed, mac = raw[:-_MAC_BYTES], raw[-_MAC_BYTES:]
        secret = self._secrets.get(signed[:4].hex())
        if secret is None or len(signed) < 9:
            raise BadToken("signed with a key that is not in use")
        # As text, too: the last character of base64 has bits to spare, and one token has one spelling.
        if not hmac.compare_digest(mac, _mac(secret, purpose, signed)) or token != _text_of(raw):
            raise BadToken("not a valid token")
        if int.from_bytes(signed[4:9], "big") <= (now or datetime.now(UTC)).timestamp():
            raise BadToken("expired")
        if self.sealed_id(token) in self._revoked_ids():
            raise BadToken("revoked")
        return signed[9:]

    @staticmethod
    def sealed_id(token: str) -> str:
        """The id of a sealed token on the revocation list: its own end."""
        return token[-16:]

    def _revoked_ids(self) -> frozenset[str]:
        if self._revocations is None:
            return self._revoked
        try:
            changed_at = self._revocations.stat().st_mtime
        except FileNotFoundError:
            return self._revoked
        if changed_at != self._revocations_read_at:
            self._revoked = frozenset(self._revocations.read_text().split())
            self._revocations_read_at = changed_at
        return self._revoked


def _key_id(secret: str) -> str:
    return hashlib.sha256(b"key id:" + secret.encode()).hexdigest()[:8]


def _mac(secret: str, purpose: str, signed: bytes) -> bytes:
    # Its own prefix: nothing that is signed here can pass for a JWT, nor the other way round.
    text = b"sealed\x00" + purpose.encode() + b"\x00" + signed
    return hmac.digest(secret.encode(), text, "sha256")[:_MAC_BYTES]


def _text_of(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
