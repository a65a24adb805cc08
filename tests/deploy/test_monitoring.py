"""Alerts and the dashboard name metrics that exist, with labels that they have."""

import json
import re
from typing import Any

import pytest
import yaml

from shared.metrics import Metrics
from tests.deploy.files import DEPLOY

RULES = [
    rule
    for group in yaml.safe_load((DEPLOY / "prometheus" / "rules.yaml").read_text())["groups"]
    for rule in group["rules"]
]
DASHBOARD: dict[str, Any] = json.loads((DEPLOY / "grafana" / "recruitment.json").read_text())
PANELS: list[dict[str, Any]] = [panel for panel in DASHBOARD["panels"] if panel["type"] != "row"]
EXPRESSIONS = [rule["expr"] for rule in RULES]
EXPRESSIONS += [target["expr"] for panel in PANELS for target in panel["targets"]]


def selectors(expression: str) -> dict[str, set[str]]:
    """Metric -> the labels that the expression selects by."""
    plain = re.sub(r'"[^"]*"', "", expression)
    plain = re.sub(r"\b(by|on) *\([^)]*\)|\[\w+\]|\boffset \w+|\b(and|or|unless)\b", " ", plain)
    found: dict[str, set[str]] = {}
    # A name before a parenthesis is a function.
    for name, matchers in re.findall(r"\b([a-z_]\w*)\b(?!\s*\()(?:\{([^}]*)\})?", plain):
        found.setdefault(name, set()).update(re.findall(r"\w+", matchers))
    return found


def known() -> dict[str, set[str]]:
    """Every name of the exposition -> its labels."""
    found: dict[str, set[str]] = {}
    for thing in vars(Metrics()).values():
        name, labels = getattr(thing, "_name", None), set(getattr(thing, "_labelnames", ()))
        match getattr(thing, "_type", None):
            case "counter":
                found[f"{name}_total"] = labels
            case "gauge":
                found[str(name)] = labels
            case "histogram":
                found |= {f"{name}_bucket": labels | {"le"}, f"{name}_sum": labels, f"{name}_count": labels}
    return found


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_an_expression_selects_metrics_and_labels_that_exist(expression: str) -> None:
    metrics = known()
    for name, labels in selectors(expression).items():
        assert name in metrics
        assert labels <= metrics[name] | {"instance"}
    grouped = {
        label.strip()
        for labels in re.findall(r"\b(?:by|on) *\(([^)]*)\)", expression)
        for label in labels.split(",")
    }
    assert grouped <= {"instance"} | {label for name in selectors(expression) for label in metrics[name]}


def test_every_alert_says_how_bad_it_is_and_what_it_means() -> None:
    for rule in RULES:
        assert rule["labels"]["severity"] in {"critical", "warning"}, rule["alert"]
        assert rule["annotations"].keys() == {"summary", "description"}, rule["alert"]


def test_panels_have_titles_and_numbers_of_their_own() -> None:
    assert len({panel["id"] for panel in DASHBOARD["panels"]}) == len(DASHBOARD["panels"])
    assert all(panel["title"] and panel["targets"] for panel in PANELS)
