import pytest

from shared.settings import Misconfigured, Settings, check_secrets, load


@pytest.mark.parametrize("address", ["kafka", "kafka:abc", ":9092", "a:1,b", "kafka:99999"])
def test_a_wrong_address_is_one_line_that_names_the_variable(
    monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    monkeypatch.setenv("KAFKA_BOOTSTRAP_SERVERS", address)
    with pytest.raises(Misconfigured, match=r"KAFKA_BOOTSTRAP_SERVERS: .* is not host:port"):
        load(Settings)


def test_links_lead_to_the_port_in_use_unless_said_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORT", "8123")
    assert load(Settings).public_url == "http://localhost:8123"
    monkeypatch.setenv("PUBLIC_URL", "https://portal.example.com")
    assert load(Settings).public_url == "https://portal.example.com"


def test_a_default_or_short_secret_is_refused_where_nothing_is_embedded(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with pytest.raises(Misconfigured, match="TOKEN_SECRETS is not set"):
        check_secrets(load(Settings), embedded=False)
    check_secrets(load(Settings), embedded=True)
    monkeypatch.setenv("TOKEN_SECRETS", "short")
    with pytest.raises(Misconfigured, match="at least 32"):
        check_secrets(load(Settings), embedded=False)
