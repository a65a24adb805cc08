"""The way to a relay that wants TLS and a password; and one that trickles, or hangs up."""

import asyncio
import ssl
import subprocess
from pathlib import Path

import pytest
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session
from pydantic import SecretStr

from services.notifier.letterhead import FailureKind, NotSent
from services.notifier.relay import Relay
from shared.embedded import EmbeddedSmtp
from shared.metrics import Metrics
from shared.settings import Settings

MAIL = b"Subject: hello\r\n\r\nbody\r\n"
USER, PASSWORD = "notifier", "correct horse"


class StrictRelay(EmbeddedSmtp):
    """Takes mails over TLS from who signs in; `implicit` wants TLS from the first byte."""

    def __init__(self, certificate: ssl.SSLContext, *, implicit: bool) -> None:
        super().__init__()
        self.certificate = certificate
        self.implicit = implicit
        self.greeted = 0

    async def start(self, port: int = 0) -> None:
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(
            lambda: SMTP(
                self,
                hostname="localhost",
                loop=loop,
                tls_context=None if self.implicit else self.certificate,
                require_starttls=not self.implicit,
                authenticator=_check,
                auth_required=True,
                auth_require_tls=not self.implicit,
            ),
            self.host,
            port,
            ssl=self.certificate if self.implicit else None,
        )
        self.port = self._server.sockets[0].getsockname()[1]

    async def handle_EHLO(  # noqa: N802 - the name aiosmtpd calls
        self, _server: SMTP, session: Session, _envelope: Envelope, hostname: str, responses: list[str]
    ) -> list[str]:
        self.greeted += 1
        session.host_name = hostname
        return responses


def _check(_server: SMTP, _session: Session, _envelope: Envelope, _how: str, data: object) -> AuthResult:
    known = LoginPassword(USER.encode(), PASSWORD.encode())
    return AuthResult(success=data == known)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate of 127.0.0.1's own, with its key in the same file."""
    made = tmp_path_factory.mktemp("tls") / "relay.pem"
    crt = made.with_suffix(".crt")
    how = "req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=127.0.0.1 -addext subjectAltName=IP:127.0.0.1"
    subprocess.run(["openssl", *how.split(), "-keyout", made, "-out", crt], check=True, capture_output=True)
    made.write_text(made.read_text() + crt.read_text())
    return made


def relay_to(server: EmbeddedSmtp, **settings: object) -> Relay:
    configured = Settings.model_validate({"smtp_username": USER, "smtp_password": PASSWORD, **settings})
    return Relay(server.host, server.port, configured, Metrics(), seconds=5)


@pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS")
@pytest.mark.parametrize("how", ["starttls", "implicit", "auto"])
async def test_a_relay_with_tls_and_a_password_takes_mails(
    certificate: Path, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate)
    server = StrictRelay(context, implicit=how == "implicit")
    await server.start()
    relay = relay_to(server, smtp_tls=how)
    try:
        await relay.send(MAIL, "a@agency.test", "b@acme.test")
        await relay.send(MAIL, "a@agency.test", "c@acme.test")
        assert [mail.recipients for mail in server.mails] == [("b@acme.test",), ("c@acme.test",)]
        # One connection for both; over STARTTLS it is greeted before and after.
        assert server.greeted == (1 if how == "implicit" else 2)
    finally:
        await relay.close()
        await server.stop()


@pytest.mark.parametrize(
    "settings", [{"smtp_password": "wrong"}, {"smtp_username": None}, {"smtp_tls": "none"}]
)
async def test_a_relay_that_does_not_let_us_in_is_away_and_no_mails_own_fault(
    certificate: Path, monkeypatch: pytest.MonkeyPatch, settings: dict[str, str | None]
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate)
    server = StrictRelay(context, implicit=False)
    await server.start()
    relay = relay_to(server, **{"smtp_tls": "auto", **settings})
    try:
        with pytest.raises(NotSent) as problem:
            await relay.send(MAIL, "a@agency.test", "b@acme.test")
        assert problem.value.kind is FailureKind.RELAY_AWAY
        assert PASSWORD not in str(problem.value)
        assert not server.mails
    finally:
        await relay.close()
        await server.stop()


async def test_a_certificate_that_nobody_vouches_for_is_refused(certificate: Path) -> None:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate)
    server = StrictRelay(context, implicit=False)
    await server.start()
    relay = relay_to(server, smtp_tls="starttls", smtp_password=SecretStr(PASSWORD))
    try:
        with pytest.raises(NotSent) as problem:
            await relay.send(MAIL, "a@agency.test", "b@acme.test")
        assert problem.value.kind is FailureKind.RELAY_AWAY
        assert relay.away is not None
    finally:
        await relay.close()
        await server.stop()
