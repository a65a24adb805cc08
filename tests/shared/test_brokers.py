"""Kafka behind TLS and passwords: every client is told the same, and what is missing is said in one line."""

import ssl
from pathlib import Path

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from faststream.kafka.security import parse_security

from shared.brokers import Brokers, access_to
from shared.kafka import EMBEDDED_TIMING, Kafka, security_for
from shared.metrics import Metrics
from shared.settings import Misconfigured, Settings, load

PASSWORD = "canary-of-a-password"
AUTHORITY = """-----BEGIN CERTIFICATE-----
MIIBjTCCATOgAwIBAgIUMZq+3SiiT7vFcqI2rHZH9hwUOOIwCgYIKoZIzj0EAwIw
GzEZMBcGA1UEAwwQU2FtcGxlIGF1dGhvcml0eTAgFw0yNjExMjMxNDM4MTNaGA8y
MTI2MTAzMDE0MzgxM1owGzEZMBcGA1UEAwwQU2FtcGxlIGF1dGhvcml0eTBZMBMG
ByqGSM49AgEGCCqGSM49AwEHA0IABIDd0ActMPPqAONvq+bws71rkaOVT2r0WfAz
DfV+iwGHje6dMbQpOz+RhjOCcX/RZUhZkF5E+DgQ50yD7LahWD6jUzBRMB0GA1Ud
DgQWBBQTeF50/+ZynOUxowI06Fs1qDaGqDAfBgNVHSMEGDAWgBQTeF50/+ZynOUx
owI06Fs1qDaGqDAPBgNVHRMBAf8EBTADAQH/MAoGCCqGSM49BAMCA0gAMEUCIF/I
DjqkYE0nfiBvxNV2g4M7LmuCK1TUEG2GiKWoxByNAiEAyF4Q8mI+uebGDva6sOsx
oAiZy7G4lZgonW8qoyZVFv0=
-----END CERTIFICATE-----
"""


@pytest.fixture
def authority(tmp_path: Path) -> Path:
    file = tmp_path / "ca.pem"
    file.write_text(AUTHORITY)
    return file


def configured(monkeypatch: pytest.MonkeyPatch, **variables: object) -> Settings:
    monkeypatch.setenv("KAFKA_BOOTSTRAP_SERVERS", "one:9093,two:9093")
    for name, value in variables.items():
        monkeypatch.setenv(f"KAFKA_{name}", str(value))
    return load(Settings)


def brokers(monkeypatch: pytest.MonkeyPatch, **variables: object) -> Brokers:
    return configured(monkeypatch, **variables).brokers()


def test_addresses_alone_are_taken_as_they_were(monkeypatch: pytest.MonkeyPatch) -> None:
    # docker compose takes variables back by emptying them.
    for name in ("CA_FILE", "SASL_USERNAME", "SASL_PASSWORD"):
        monkeypatch.setenv(f"KAFKA_{name}", "")
    assert brokers(monkeypatch) == "one:9093,two:9093"
    assert access_to(brokers(monkeypatch)) == {} == access_to("one:9092")
    assert security_for("one:9092") is None


def test_a_password_goes_over_tls_that_is_checked_by_the_authority(
    monkeypatch: pytest.MonkeyPatch, authority: Path
) -> None:
    made = brokers(
        monkeypatch,
        SECURITY_PROTOCOL="SASL_SSL",
        CA_FILE=authority,
        SASL_USERNAME="recruitment",
        SASL_PASSWORD=PASSWORD,
    )
    access = dict(access_to(made))
    context = access.pop("ssl_context")
    assert access == {
        "security_protocol": "SASL_SSL",
        "sasl_mechanism": "SCRAM-SHA-512",
        "sasl_plain_username": "recruitment",
        "sasl_plain_password": PASSWORD,
    }
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.check_hostname
    [trusted] = context.get_ca_certs()
    assert trusted["subject"] == ((("commonName", "Sample authority"),),)


@pytest.mark.parametrize(
    "variables",
    [
        {"SECURITY_PROTOCOL": "SSL"},
        {"SECURITY_PROTOCOL": "SASL_SSL", "SASL_MECHANISM": "PLAIN"},
        {"SECURITY_PROTOCOL": "SASL_SSL", "SASL_MECHANISM": "SCRAM-SHA-256"},
        {"SECURITY_PROTOCOL": "SASL_SSL"},
        {"SECURITY_PROTOCOL": "SASL_PLAINTEXT"},
    ],
    ids=lambda variables: "-".join(variables.values()),
)
async def test_every_client_takes_the_same(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str]
) -> None:
    if variables["SECURITY_PROTOCOL"].startswith("SASL_"):
        variables = variables | {"SASL_USERNAME": "recruitment", "SASL_PASSWORD": PASSWORD}
    made = brokers(monkeypatch, **variables)
    told = {name: value for name, value in parse_security(security_for(made)).items() if value is not None}
    assert told == access_to(made)
    Kafka(made, "catalog", Metrics(), EMBEDDED_TIMING)
    # Not started: they only say that they know what they were given.
    AIOKafkaProducer(bootstrap_servers=made, **access_to(made))
    AIOKafkaConsumer(bootstrap_servers=made, **access_to(made))


@pytest.mark.parametrize(
    ("variables", "said"),
    [
        ({"SECURITY_PROTOCOL": "TLS"}, "KAFKA_SECURITY_PROTOCOL: .*SASL_SSL"),
        (
            {"SECURITY_PROTOCOL": "SASL_SSL"},
            "KAFKA_SASL_USERNAME: is not set.*KAFKA_SASL_PASSWORD: is not set",
        ),
        (
            {"SECURITY_PROTOCOL": "SASL_SSL", "SASL_USERNAME": "u", "SASL_PASSWORD": ""},
            "PASSWORD: is not set",
        ),
        ({"SASL_PASSWORD": PASSWORD}, "KAFKA_SASL_PASSWORD: has no use where .* is PLAINTEXT"),
        ({"CA_FILE": "ca.pem"}, "KAFKA_CA_FILE: has no use where .* is PLAINTEXT"),
        ({"SECURITY_PROTOCOL": "SSL", "CA_FILE": "/nowhere/ca.pem"}, "KAFKA_CA_FILE: /nowhere.*No such file"),
        ({"SECURITY_PROTOCOL": "SSL", "CA_FILE": __file__}, f"KAFKA_CA_FILE: {__file__}: "),
    ],
)
def test_what_cannot_work_is_one_line_that_names_the_variable_and_tells_no_secret(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], said: str
) -> None:
    with pytest.raises(Misconfigured, match=said) as refused:
        brokers(monkeypatch, **variables)
    assert PASSWORD not in str(refused.value)
    assert "\n" not in str(refused.value)


def test_the_password_is_in_no_text(monkeypatch: pytest.MonkeyPatch) -> None:
    access = {"SECURITY_PROTOCOL": "SASL_PLAINTEXT", "SASL_USERNAME": "u", "SASL_PASSWORD": PASSWORD}
    settings = configured(monkeypatch, **access)
    made = settings.brokers()
    assert PASSWORD not in f"{settings!r} {made} {made!r} {Kafka(made, 'catalog', Metrics())!r}"
