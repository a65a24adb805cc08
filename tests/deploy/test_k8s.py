"""deploy/k8s as YAML. deploy/check.sh builds it and holds it against the schemas of Kubernetes."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from services.together import PREFIXES
from shared.events.registry import TOPICS
from shared.settings import Settings, check_secrets
from tests.deploy.files import ALONE, DEPLOY, K8S, PATHS, SERVICES, document, documents

BASE = K8S / "base"
EVERY = document(BASE / "every-deployment.yaml")
KUSTOMIZATIONS = sorted(K8S.rglob("kustomization.yaml"))


def literals(kustomization: dict[str, Any], generator: str, name: str) -> dict[str, str]:
    """What a generator of a kustomization sets."""
    return {
        key: value
        for one in kustomization.get(generator, [])
        if one["name"] == name
        for key, _, value in (literal.partition("=") for literal in one.get("literals", []))
    }


@pytest.mark.parametrize("path", KUSTOMIZATIONS, ids=lambda path: path.parent.name)
def test_what_a_kustomization_names_exists(path: Path) -> None:
    kustomization = document(path)
    named = [*kustomization.get("resources", []), *kustomization.get("components", [])]
    named += [patch["path"] for patch in kustomization.get("patches", []) if "path" in patch]
    assert [name for name in named if not (path.parent / name).exists()] == []
    beside = {file.name for file in path.parent.glob("*.yaml")} - {path.name}
    assert beside <= set(named), "a file that no kustomization names"


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_has_what_it_needs_under_its_own_name(service: str) -> None:
    parts = {part["kind"]: part for part in documents(BASE / f"{service}.yaml")}
    assert parts.keys() == {"Deployment", "Service", "ServiceAccount", "PodDisruptionBudget"}
    assert {part["metadata"]["name"] for part in parts.values()} == {service}
    selector = {"app.kubernetes.io/name": service}
    assert parts["Service"]["spec"]["selector"] == selector
    assert parts["PodDisruptionBudget"]["spec"]["selector"]["matchLabels"] == selector
    assert parts["Deployment"]["spec"]["selector"]["matchLabels"] == selector
    assert parts["Deployment"]["spec"]["template"]["metadata"]["labels"] == selector
    pod = parts["Deployment"]["spec"]["template"]["spec"]
    [container] = pod["containers"]
    assert container["image"] == f"recruitment-{service}"
    assert container["envFrom"] == [
        {"configMapRef": {"name": "recruitment-config"}},
        {"configMapRef": {"name": f"{service}-config"}},
    ]
    assert {"cpu", "memory"} <= container["resources"]["requests"].keys()
    assert "memory" in container["resources"]["limits"]
    assert pod["serviceAccountName"] == service
    assert parts["ServiceAccount"]["automountServiceAccountToken"] is False


def test_every_pod_keeps_to_the_restricted_standard() -> None:
    pod = EVERY["spec"]["template"]["spec"]
    assert pod["automountServiceAccountToken"] is False
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    [container] = pod["containers"]
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert {"name": "tmp", "mountPath": "/tmp"} in container["volumeMounts"]  # noqa: S108
    for overlay in ("dev", "prod"):
        namespace = document(K8S / "overlays" / overlay / "namespace.yaml")
        assert namespace["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"


def test_the_number_of_the_user_is_that_of_the_image() -> None:
    context = EVERY["spec"]["template"]["spec"]["securityContext"]
    user = f"USER {context['runAsUser']}:{context['runAsGroup']}\n"
    assert user in (DEPLOY / "Dockerfile").read_text()


def test_a_pod_has_time_to_finish_what_is_in_hand() -> None:
    pod = EVERY["spec"]["template"]["spec"]
    [container] = pod["containers"]
    config = literals(document(BASE / "kustomization.yaml"), "configMapGenerator", "recruitment-config")
    before = container["lifecycle"]["preStop"]["sleep"]["seconds"]
    consumers = 30  # shared.kafka: the broker's graceful_timeout
    assert pod["terminationGracePeriodSeconds"] > before + int(config["SHUTDOWN_SECONDS"]) + consumers


def test_an_outage_takes_no_page_down() -> None:
    [container] = EVERY["spec"]["template"]["spec"]["containers"]
    for probe in ("startupProbe", "livenessProbe"):
        assert container[probe]["httpGet"] == {"path": "/livez", "port": "http"}
    ready = {}
    for service in SERVICES:
        deployment = document(BASE / f"{service}.yaml", "Deployment")
        [container] = deployment["spec"]["template"]["spec"]["containers"]
        ready[service] = container["readinessProbe"]["httpGet"]["path"]
    # /readyz fails while an engine is away; intake accepts needs then all the same.
    assert ready == {"catalog": "/livez", "intake": "/livez", "matching": "/readyz", "notifier": "/livez"}


def ingress_paths() -> dict[str, dict[str, str]]:
    """Service -> path -> Exact or Prefix."""
    [rule] = document(BASE / "ingress.yaml")["spec"]["rules"]
    found: dict[str, dict[str, str]] = {}
    for entry in rule["http"]["paths"]:
        backend = entry["backend"]["service"]
        assert backend["port"] == {"name": "http"}
        found.setdefault(backend["name"], {})[entry["path"]] = entry["pathType"]
    return found


def test_the_ingress_sends_each_path_to_its_service() -> None:
    assert ingress_paths() == {
        service: {path: "Exact" if path in ALONE else "Prefix" for path in paths}
        for service, paths in PATHS.items()
    }


def test_the_ingress_says_the_same_as_the_four_in_one_process() -> None:
    together: dict[str, set[str]] = {}
    for path, service in PREFIXES:
        together.setdefault(service, set()).add(path)
    assert {"catalog": PATHS["catalog"], **together} == PATHS


def test_no_two_services_share_a_prefix() -> None:
    owners = [(path, service) for service, paths in PATHS.items() for path in paths - ALONE]
    for path, service in owners:
        for other, owner in owners:
            assert owner == service or not f"{path}/".startswith(f"{other}/")


@pytest.mark.parametrize("overlay", ["dev", "prod"])
def test_an_overlay_names_every_image_and_no_variable_that_is_not_read(overlay: str) -> None:
    kustomization = document(K8S / "overlays" / overlay / "kustomization.yaml")
    assert {image["name"] for image in kustomization["images"]} == {
        f"recruitment-{name}" for name in SERVICES
    }
    assert all(image["newTag"] != "latest" for image in kustomization["images"])
    known = {name.upper() for name in Settings.model_fields}
    base = document(BASE / "kustomization.yaml")
    config = literals(base, "configMapGenerator", "recruitment-config")
    config |= literals(kustomization, "configMapGenerator", "recruitment-config")
    assert config.keys() <= known
    # The pod's own variables complete it: the settings load, and the secret is long enough.
    secrets = literals(kustomization, "secretGenerator", "recruitment-secrets")
    if overlay == "prod":
        assert secrets == {}, "production's secrets are made elsewhere"
        assert {entry["count"] for entry in kustomization["replicas"]} == {2}
        secrets = {"TOKEN_SECRETS": "x" * 32, "MONGODB_URI": "mongodb://mongo:27017"}
    given: dict[str, Any] = {key.lower(): value for key, value in (config | secrets).items()}
    settings = Settings(_env_file=None, **given)
    assert settings.embedded_parts == []
    check_secrets(settings, embedded=False)


def test_a_pod_reads_only_variables_that_exist() -> None:
    known = {name.upper() for name in Settings.model_fields}
    for path in (BASE / "every-deployment.yaml", *(BASE / f"{service}.yaml" for service in SERVICES)):
        [container] = document(path, "Deployment")["spec"]["template"]["spec"]["containers"]
        assert {variable["name"] for variable in container.get("env", [])} <= known, path.name


def test_a_service_has_only_variables_of_its_own_in_its_config() -> None:
    for path in (BASE, K8S / "overlays" / "dev", K8S / "overlays" / "prod"):
        kustomization = document(path / "kustomization.yaml")
        for service in SERVICES:
            config = literals(kustomization, "configMapGenerator", f"{service}-config")
            assert all(name.startswith(f"{service.upper()}_") for name in config)


def test_scaling_looks_at_topics_that_exist_and_never_beyond_their_partitions() -> None:
    topics = {topic.name: topic for topic in TOPICS}
    for scaled in documents(K8S / "components" / "autoscaling" / "scaled-objects.yaml"):
        service = scaled["spec"]["scaleTargetRef"]["name"]
        for trigger in scaled["spec"]["triggers"]:
            topic = topics[trigger["metadata"]["topic"]]
            assert service in topic.consumers
            assert trigger["metadata"]["consumerGroup"] == f"{service}.{topic.name}"
            assert scaled["spec"]["maxReplicaCount"] <= topic.partitions


def test_the_operator_gets_the_rules_that_promtool_checks() -> None:
    rule = document(K8S / "components" / "monitoring" / "prometheus-rule.yaml")
    groups = yaml.safe_load((DEPLOY / "prometheus" / "rules.yaml").read_text())
    assert rule["spec"] == groups, "run deploy/check.sh --write-rules"
