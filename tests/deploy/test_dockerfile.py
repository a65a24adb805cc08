"""The Dockerfile as text: what it must not lose. That it builds is shown by building it."""

import re

from tests.deploy.files import DEPLOY, ROOT

DOCKERFILE = (DEPLOY / "Dockerfile").read_text()
INSTRUCTIONS = re.sub(r"\\\n", " ", re.sub(r"(?m)^#.*\n", "", DOCKERFILE)).splitlines()


def arguments_of(instruction: str) -> list[str]:
    return [line.split(maxsplit=1)[1] for line in INSTRUCTIONS if line.startswith(f"{instruction} ")]


def test_the_base_image_and_uv_have_versions() -> None:
    [base] = [argument for argument in arguments_of("ARG") if argument.startswith("PYTHON_IMAGE=")]
    assert re.fullmatch(r"PYTHON_IMAGE=python:3\.12[\w.-]*-slim[\w-]*", base)
    assert all(image.split()[0] == "${PYTHON_IMAGE}" for image in arguments_of("FROM"))
    makefile = (ROOT / "Makefile").read_text()
    [uv] = [
        argument.removeprefix("UV_VERSION=") for argument in arguments_of("ARG") if "UV_VERSION=" in argument
    ]
    assert f"uv=={uv}" in makefile, "the image and `make setup` install with different versions of uv"


def test_an_image_carries_the_packages_of_its_service_alone() -> None:
    [sync] = [command for command in arguments_of("RUN") if "uv sync" in command]
    assert 'uv sync --frozen --no-default-groups --group "${SERVICE}"' in sync


def test_an_image_carries_the_code_of_its_service_alone() -> None:
    copied = {source for copy in arguments_of("COPY") if "--from" not in copy for source in copy.split()[:-1]}
    assert copied == {"pyproject.toml", "uv.lock", "shared/", "services/__init__.py", "services/${SERVICE}/"}


def test_it_runs_as_a_numbered_user_that_is_not_root() -> None:
    [user] = arguments_of("USER")
    assert all(int(part) >= 1000 for part in user.split(":"))


def test_sigterm_reaches_python() -> None:
    assert arguments_of("ENTRYPOINT") == ['["service"]']
    assert arguments_of("CMD") == []
    assert r"exec python -m services.%s" in DOCKERFILE


def test_nothing_but_what_is_copied_reaches_the_build() -> None:
    lines = (ROOT / ".dockerignore").read_text().split("\n")
    rules = [line for line in lines if line and not line.startswith("#")]
    assert rules[0] == "*"
    kept = {rule.removeprefix("!") for rule in rules if rule.startswith("!")}
    assert kept == {"pyproject.toml", "uv.lock", "shared", "services"}
