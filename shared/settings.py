"""Configuration from environment variables.

What all services share has no prefix; a service adds a class of its own with its name as prefix.
"""

import sys
from pathlib import Path
from typing import TypeVar

from pydantic import Field, SecretStr, ValidationError, ValidationInfo, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from shared.brokers import Brokers, Mechanism, Protocol, brokers_of

T = TypeVar("T")
DEFAULT_SECRET = "for-trying-only-not-a-secret-0000"  # noqa: S105 - refused wherever no part is embedded


class Misconfigured(Exception):  # noqa: N818 - shown as one line
    """The configuration cannot work; the message says which variable to change."""


class Settings(BaseSettings):
    """What all services share. See .env.example for every variable with its meaning."""

    model_config = SettingsConfigDict(env_file=".env", extra="ignore", frozen=True)

    kafka_bootstrap_servers: str | None = None
    kafka_security_protocol: Protocol = "PLAINTEXT"
    kafka_ca_file: Path | None = None
    """PEM of the authorities that brokers' certificates are checked by; by default those of this machine."""
    kafka_sasl_mechanism: Mechanism = "SCRAM-SHA-512"
    kafka_sasl_username: str | None = Field(default=None, validate_default=True)
    kafka_sasl_password: SecretStr | None = Field(default=None, validate_default=True)
    mongodb_uri: SecretStr | None = None
    mongodb_database: str = "recruitment"
    smtp_host: str | None = None
    smtp_port: int = Field(default=25, ge=1, le=65535)
    smtp_username: str | None = None
    smtp_password: SecretStr | None = None
    smtp_tls: str = Field(default="auto", pattern="^(auto|starttls|implicit|none)$")
    public_url: str = Field(default="", pattern=r"^(https?://[^\s/]+(/[^\s]*)?)?$")
    """Where people reach the services, for links in pages and mails; by default this machine, at PORT."""
    host: str = "127.0.0.1"
    port: int = Field(default=8000, ge=1, le=65535)
    token_secrets: SecretStr = SecretStr(DEFAULT_SECRET)
    """Comma-separated, newest first: the first signs, all verify."""
    token_revocations: Path | None = None
    """A file with one revoked token id a line; read again when it changes."""
    trusted_proxies: str = ""
    """Comma-separated addresses or networks whose X-Forwarded-For is believed."""
    agency_name: str = "Exemple Recrutement"
    agency_email: str = "agence@example.com"
    agency_phone: str = "+33 1 00 00 00 00"
    privacy_url: str | None = None
    log_level: str = Field(default="INFO", pattern="(?i)^(debug|info|warning|error)$")
    shutdown_seconds: int = Field(default=10, ge=1)

    @field_validator("kafka_bootstrap_servers")
    @classmethod
    def _addresses(cls, value: str | None) -> str | None:
        for address in (value or "").split(","):
            host, _, port = address.strip().rpartition(":")
            if value and not (host and port.isdigit() and 0 < int(port) < 65536):
                raise ValueError(f"{address.strip()!r} is not host:port")
        return value or None

    @field_validator("kafka_ca_file", mode="before")
    @classmethod
    def _authorities(cls, value: T | None, known: ValidationInfo) -> T | None:
        protocol = known.data.get("kafka_security_protocol", "")
        if value and not protocol.endswith("SSL"):
            raise ValueError(f"has no use where KAFKA_SECURITY_PROTOCOL is {protocol}")
        return value or None

    @field_validator("kafka_sasl_username", "kafka_sasl_password")
    @classmethod
    def _known_to_kafka(cls, value: T | None, known: ValidationInfo) -> T | None:
        protocol = known.data.get("kafka_security_protocol", "")
        if value and not protocol.startswith("SASL_"):
            raise ValueError(f"has no use where KAFKA_SECURITY_PROTOCOL is {protocol}")
        if not value and protocol.startswith("SASL_"):
            raise ValueError(f"is not set, and KAFKA_SECURITY_PROTOCOL is {protocol}")
        return value or None

    @model_validator(mode="after")
    def _link_to_this_machine(self) -> "Settings":
        if not self.public_url:
            object.__setattr__(self, "public_url", f"http://localhost:{self.port}")
        return self

    @property
    def embedded_parts(self) -> list[str]:
        """Which engines are not configured and so run inside this process."""
        parts = {
            "KAFKA_BOOTSTRAP_SERVERS": self.kafka_bootstrap_servers,
            "MONGODB_URI": self.mongodb_uri,
            "SMTP_HOST": self.smtp_host,
        }
        return [name for name, value in parts.items() if not value]

    def brokers(self) -> Brokers:
        """The configured Kafka. Raises Misconfigured."""
        password = self.kafka_sasl_password
        try:
            return brokers_of(
                self.kafka_bootstrap_servers or "",
                self.kafka_security_protocol,
                mechanism=self.kafka_sasl_mechanism,
                username=self.kafka_sasl_username,
                password=password.get_secret_value() if password else None,
                ca_file=self.kafka_ca_file,
            )
        except OSError as error:
            raise Misconfigured(f"KAFKA_CA_FILE: {self.kafka_ca_file}: {error.strerror or error}") from error

    def secrets(self) -> list[str]:
        return [part.strip() for part in self.token_secrets.get_secret_value().split(",") if part.strip()]


S = TypeVar("S", bound=BaseSettings)


def load(settings: type[S]) -> S:
    """Read `settings` from the environment. Raises Misconfigured: one line, naming each bad variable."""
    try:
        return settings()
    except ValidationError as error:
        prefix = settings.model_config.get("env_prefix", "")
        problems = "; ".join(
            f"{prefix}{'_'.join(map(str, problem['loc']))}".upper()
            + f": {problem['msg'].removeprefix('Value error, ')}"
            for problem in error.errors(include_input=False, include_url=False)
        )
        raise Misconfigured(problems) from error


def check_secrets(settings: Settings, *, embedded: bool) -> None:
    """Raise Misconfigured where a real deployment would run on the default secret, or on a short one."""
    if embedded:
        return
    secrets = settings.secrets()
    if not secrets or DEFAULT_SECRET in secrets:
        raise Misconfigured(
            "TOKEN_SECRETS is not set: it signs every link and key. Make one with "
            "python -c 'import secrets; print(secrets.token_urlsafe(32))'"
        )
    if any(len(secret) < 32 for secret in secrets):
        raise Misconfigured("TOKEN_SECRETS: each secret needs at least 32 characters")


def fail(message: str) -> None:
    """End the process with one line on standard error and exit status 2."""
    sys.stderr.write(f"error: {message}\n")
    raise SystemExit(2)
