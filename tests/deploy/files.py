"""The deployment files, read for the tests of this folder."""

from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
K8S = DEPLOY / "k8s"

SERVICES = ("catalog", "intake", "matching", "notifier")

PATHS = {
    "catalog": {"/", "/roles", "/fr", "/sitemap.xml", "/robots.txt", "/api/roles", "/api/skills"},
    "intake": {"/needs", "/candidates", "/api/needs", "/api/candidates"},
    "matching": {"/api/rank", "/api/preview", "/api/shortlists"},
    "notifier": {"/desk", "/mail", "/api/consultants", "/api/deliveries"},
}
"""What each service answers under the one origin; below each of these too, but for those in ALONE."""

ALONE = {"/", "/sitemap.xml", "/robots.txt"}

OPERATIONS = ("/livez", "/readyz", "/metrics", "/docs", "/openapi.json")
"""What each service answers on its own port only."""


def documents(path: Path) -> list[dict[str, Any]]:
    """All YAML documents of a file."""
    return [document for document in yaml.safe_load_all(path.read_text()) if document]


def document(path: Path, kind: str | None = None) -> dict[str, Any]:
    """The one document of a file, or its one document of `kind`."""
    [found] = [one for one in documents(path) if kind is None or one["kind"] == kind]
    return found
