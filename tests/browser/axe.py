"""axe-core, the accessibility checker, from npm.

python -m tests.browser.axe        # once: npm ci into .cache/axe/, from the lock file beside this one
"""

import json
import shutil
import subprocess
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

from playwright.sync_api import Page

SOURCES = Path(__file__).resolve().parent
CACHE = SOURCES.parents[1] / ".cache" / "axe"
LOCK = "package-lock.json"
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


def fetch() -> Path:
    """The path of axe.min.js; fetched where it is missing or another version than the lock file names."""
    script = CACHE / "node_modules" / "axe-core" / "axe.min.js"
    lock = (SOURCES / LOCK).read_bytes()
    if script.is_file() and (CACHE / LOCK).read_bytes() == lock:
        return script
    npm = shutil.which("npm")
    if npm is None:
        raise RuntimeError("npm is not installed: it fetches axe-core; on Debian: apt-get install npm")
    CACHE.mkdir(parents=True, exist_ok=True)
    for name in ("package.json", LOCK):
        shutil.copy(SOURCES / name, CACHE)
    done = subprocess.run(
        [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--prefix", str(CACHE)],
        capture_output=True,
        check=False,
        cwd=CACHE,
    )
    if done.returncode:
        (CACHE / LOCK).unlink()
        raise RuntimeError(f"npm ci failed:\n{done.stderr.decode()[-2000:]}")
    return script


@cache
def _script() -> str:
    return fetch().read_text("utf-8")


def violations(page: Page, rules: Sequence[str] = RULES) -> list[str]:
    """What axe finds wrong on `page`, one line an element. Needs a context that goes past the CSP."""
    page.evaluate(_script())
    found: dict[str, Any] = page.evaluate(
        "rules => axe.run(document, {runOnly: {type: 'tag', values: rules}})", list(rules)
    )
    if not found["passes"]:
        raise AssertionError("axe checked nothing")
    return [
        f"{rule['id']}: {json.dumps(node['target'])} {node.get('failureSummary', '')}"
        for rule in found["violations"]
        for node in rule["nodes"]
    ]


if __name__ == "__main__":
    fetch()
