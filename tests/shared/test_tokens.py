from datetime import UTC, datetime, timedelta
from pathlib import Path

import jwt
import pytest

from shared.tokens import BadToken, Tokens

OLD, NEW = "o" * 64, "n" * 64
HOUR = timedelta(hours=1)


def test_a_token_says_what_it_was_issued_for() -> None:
    tokens = Tokens([NEW])
    claims = tokens.verify(tokens.issue("api-key", "acme", lifetime=HOUR, scopes=["needs:write"]), "api-key")
    assert claims.subject == "acme"
    assert claims.allows("needs:write")
    assert not claims.allows("roles:write")


def test_a_token_for_one_purpose_does_not_serve_another() -> None:
    tokens = Tokens([NEW])
    with pytest.raises(BadToken, match="another purpose"):
        tokens.verify(tokens.issue("need-tracking", "n-1", lifetime=HOUR), "api-key")


def test_an_expired_token_is_refused() -> None:
    tokens = Tokens([NEW])
    token = tokens.issue("api-key", "acme", lifetime=HOUR, now=datetime.now(UTC) - 2 * HOUR)
    with pytest.raises(BadToken, match="expired"):
        tokens.verify(token, "api-key")


def test_a_token_outlives_a_rotation_until_its_secret_is_dropped() -> None:
    token = Tokens([OLD]).issue("api-key", "acme", lifetime=HOUR)
    assert Tokens([NEW, OLD]).verify(token, "api-key").subject == "acme"
    with pytest.raises(BadToken, match="not in use"):
        Tokens([NEW]).verify(token, "api-key")


def test_a_revoked_token_is_refused_as_soon_as_the_list_names_it(tmp_path: Path) -> None:
    revoked = tmp_path / "revoked"
    tokens = Tokens([NEW], revoked)
    token = tokens.issue("api-key", "acme", lifetime=HOUR)
    token_id = tokens.verify(token, "api-key").token_id
    revoked.write_text(f"{token_id}\n")
    with pytest.raises(BadToken, match="revoked"):
        tokens.verify(token, "api-key")


@pytest.mark.parametrize("algorithm", ["none", "HS512"])
def test_a_token_with_another_algorithm_is_refused(algorithm: str) -> None:
    tokens = Tokens([NEW])
    good = tokens.issue("api-key", "acme", lifetime=HOUR)
    claims = jwt.decode(good, options={"verify_signature": False})
    forged = jwt.encode(
        claims,
        NEW if algorithm != "none" else "",
        algorithm=algorithm,
        headers=jwt.get_unverified_header(good) | {"alg": algorithm},
    )
    with pytest.raises(BadToken):
        tokens.verify(forged, "api-key")


@pytest.mark.parametrize("text", ["", "a.b.c", "x", "é" * 20])
def test_what_is_no_token_is_refused(text: str) -> None:
    with pytest.raises(BadToken):
        Tokens([NEW]).verify(text, "api-key")


def test_a_sealed_token_holds_its_bytes_for_its_purpose_until_it_expires() -> None:
    tokens, soon = Tokens([NEW]), datetime.now(UTC) + HOUR
    sealed = tokens.seal("decision", b"\x00some bytes\xff", soon)
    assert tokens.unseal(sealed, "decision") == b"\x00some bytes\xff"
    assert tokens.seal("decision", b"\x00some bytes\xff", soon) == sealed
    assert len(sealed) < 50
    with pytest.raises(BadToken):
        tokens.unseal(sealed, "pause")
    with pytest.raises(BadToken, match="expired"):
        tokens.unseal(tokens.seal("decision", b"x", datetime.now(UTC)), "decision")


def test_a_sealed_token_outlives_a_rotation_and_ends_by_revocation(tmp_path: Path) -> None:
    soon = datetime.now(UTC) + HOUR
    sealed = Tokens([OLD]).seal("decision", b"x", soon)
    revoked = tmp_path / "revoked.txt"
    tokens = Tokens([NEW, OLD], revoked)
    assert tokens.unseal(sealed, "decision") == b"x"
    with pytest.raises(BadToken, match="not in use"):
        Tokens([NEW]).unseal(sealed, "decision")
    revoked.write_text(tokens.sealed_id(sealed))
    with pytest.raises(BadToken, match="revoked"):
        tokens.unseal(sealed, "decision")


def test_no_change_to_a_sealed_token_goes_unnoticed() -> None:
    tokens = Tokens([NEW])
    sealed = tokens.seal("decision", b"four", datetime.now(UTC) + HOUR)
    for place in range(len(sealed)):
        for other in "Aa0-_=.é":
            if sealed[place] != other:
                with pytest.raises(BadToken):
                    tokens.unseal(sealed[:place] + other + sealed[place + 1 :], "decision")
    for bad in ("", "=", "A", sealed + "=", sealed + "AAAA", sealed[:-4], "\x00", sealed + "\n"):
        with pytest.raises(BadToken):
            tokens.unseal(bad, "decision")


def test_a_sealed_token_is_no_jwt_and_a_jwt_no_sealed_one() -> None:
    tokens = Tokens([NEW])
    with pytest.raises(BadToken):
        tokens.verify(tokens.seal("api-key", b"x", datetime.now(UTC) + HOUR), "api-key")
    with pytest.raises(BadToken):
        tokens.unseal(tokens.issue("api-key", "acme", lifetime=HOUR), "api-key")
