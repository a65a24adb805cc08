"""How a client reaches Kafka: where its brokers are, whether by TLS, and as whom."""

import ssl
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal

Protocol = Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"]
Mechanism = Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"]


class Brokers(str):
    """host:port of one or more brokers, comma-separated: of a cluster that lets anybody in that is all.

    `access` is what aiokafka's clients take besides. It holds a password: it is in no text made of this.
    """

    access: Mapping[str, Any] = MappingProxyType({})


def brokers_of(
    addresses: str,
    protocol: Protocol,
    *,
    mechanism: Mechanism,
    username: str | None,
    password: str | None,
    ca_file: Path | None,
) -> Brokers:
    """Raises OSError (an SSLError among them) for a file of authorities that cannot be read.

    Without one, brokers are checked by the authorities that this machine trusts. They are always checked, the
    names in their certificates too.
    """
    access: dict[str, Any] = {}
    if protocol != "PLAINTEXT":
        access["security_protocol"] = protocol
    if protocol.endswith("SSL"):
        access["ssl_context"] = ssl.create_default_context(cafile=ca_file)
    if protocol.startswith("SASL_"):
        access |= {
            "sasl_mechanism": mechanism,
            "sasl_plain_username": username,
            "sasl_plain_password": password,
        }
    made = Brokers(addresses)
    made.access = access
    return made


def access_to(bootstrap: str) -> Mapping[str, Any]:
    """What an aiokafka client takes besides `bootstrap_servers`; nothing for addresses alone."""
    return bootstrap.access if isinstance(bootstrap, Brokers) else {}
