"""docker-compose.yml: everything on one machine, under one origin."""

import re
from typing import Any

import pytest

from shared.settings import Settings
from tests.deploy.files import ALONE, DEPLOY, OPERATIONS, PATHS, ROOT, SERVICES, document

COMPOSE = document(ROOT / "docker-compose.yml")
PARTS: dict[str, dict[str, Any]] = COMPOSE["services"]
CADDYFILE = (DEPLOY / "proxy" / "Caddyfile").read_text()


@pytest.mark.parametrize("service", SERVICES)
def test_each_service_is_built_from_the_one_dockerfile(service: str) -> None:
    part = PARTS[service]
    assert part["build"] == {"context": ".", "dockerfile": "deploy/Dockerfile", "args": {"SERVICE": service}}
    assert part["image"] == f"recruitment-{service}:${{TAG:-dev}}"


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_waits_for_healthy_engines_and_stops_in_peace(service: str) -> None:
    part = PARTS[service]
    assert part["depends_on"] == {
        engine: {"condition": "service_healthy"} for engine in ("kafka", "mongo", "mail")
    }
    assert (
        int(part["stop_grace_period"].removesuffix("s")) > Settings.model_fields["shutdown_seconds"].default
    )


@pytest.mark.parametrize("service", SERVICES)
def test_every_engine_is_a_part_of_the_file(service: str) -> None:
    environment = PARTS[service]["environment"]
    assert environment["KAFKA_BOOTSTRAP_SERVERS"] == "kafka:9092"
    assert environment["MONGODB_URI"] == "mongodb://mongo:27017"
    assert (environment["SMTP_HOST"], environment["SMTP_PORT"]) == ("mail", "1025")
    assert {"kafka", "mongo", "mail"} <= PARTS.keys()


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_reads_only_variables_that_exist(service: str) -> None:
    known = {name.upper() for name in Settings.model_fields}
    assert PARTS[service]["environment"].keys() <= known


@pytest.mark.parametrize("service", SERVICES)
def test_there_is_no_default_secret(service: str) -> None:
    assert re.fullmatch(r"\$\{TOKEN_SECRETS:\?.+\}", PARTS[service]["environment"]["TOKEN_SECRETS"])


def test_everything_restarts_and_has_an_image_with_a_version() -> None:
    for name, part in PARTS.items():
        assert part["restart"] == "unless-stopped", name
        assert re.search(r":[\w.${}-]*(\d|dev)", part["image"]), name


def test_only_the_proxy_and_the_caught_mails_are_reachable_and_from_this_machine_alone() -> None:
    published = {name: part["ports"] for name, part in PARTS.items() if "ports" in part}
    assert published == {"proxy": ["127.0.0.1:8000:8000"], "mail": ["127.0.0.1:8025:8025"]}


def test_volumes_are_declared() -> None:
    named = {
        volume.split(":")[0]
        for part in PARTS.values()
        for volume in part.get("volumes", [])
        if not volume.startswith(".")
    }
    assert named == COMPOSE["volumes"].keys()
    assert {"kafka", "mongo", "mail"} <= named


def test_the_proxy_sends_each_path_to_its_service() -> None:
    for service, paths in PATHS.items():
        [line] = re.findall(rf"(?m)^\s*@{service} path (.+)$", CADDYFILE)
        assert set(line.split()) == paths | {f"{path}/*" for path in paths - ALONE}
        assert re.search(rf"handle @{service} {{\s+reverse_proxy {service}:8000 ", CADDYFILE)


def test_the_proxy_keeps_operations_to_itself_and_holds_no_event_back() -> None:
    assert not any(
        f" {path}" in line for line in CADDYFILE.splitlines() if " path " in line for path in OPERATIONS
    )
    assert not re.search(r"(?m)^\s*encode\b", CADDYFILE)
    assert CADDYFILE.split("\thandle ")[-1].split() == ["{", "respond", '"Not', 'found"', "404", "}", "}"]
