#!/usr/bin/env bash
# Checks the deployment files. Needs kubectl; whatever else is missing is said and passed over:
#   kubectl-validate (go install sigs.k8s.io/kubectl-validate@v0.0.4), with
#     K8S_SCHEMAS=FOLDER   a folder that holds openapi-v3-*/ (of a kube-apiserver) and crds/
#   promtool (Prometheus), caddy
# Usage: deploy/check.sh                 check
#        deploy/check.sh --write-rules   make the PrometheusRule from deploy/prometheus/rules.yaml
set -euo pipefail
cd "$(dirname "$0")/.."

rule=deploy/k8s/components/monitoring/prometheus-rule.yaml
rules_for_the_operator() {
  sed '/^spec:/q' "$rule"
  sed -n '/^groups:/,$p' deploy/prometheus/rules.yaml | sed 's/^\(.\)/  \1/'
}
if [ "${1:-}" = --write-rules ]; then
  made=$(rules_for_the_operator)
  printf '%s\n' "$made" > "$rule"
  exit
fi

export PATH="$PATH:$(go env GOPATH 2>/dev/null || echo "$HOME/go")/bin"
out=build/deploy
mkdir -p "$out/complete"
failed=0
present() { command -v "$1" > /dev/null; }
not_checked() { echo "not checked: $1"; }
try() { # NAME COMMAND…: one line where it succeeds, its output where it fails
  local name=$1 log
  shift
  if log=$("$@" 2>&1); then echo "ok: $name"; else echo "FAILED: $name"; echo "$log"; failed=1; fi
}

# prod with its optional components, which no overlay switches on by itself
cat > "$out/complete/kustomization.yaml" << 'END'
apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
resources: [../../../deploy/k8s/overlays/prod]
components: [../../../deploy/k8s/components/monitoring, ../../../deploy/k8s/components/autoscaling]
END

if present kubectl; then
  for overlay in deploy/k8s/overlays/dev deploy/k8s/overlays/prod "$out/complete"; do
    try "kustomize $overlay" kubectl kustomize "$overlay" --output "$out/$(basename "$overlay").yaml"
  done
  schemas=$(ls -d "${K8S_SCHEMAS:-/nonexistent}"/openapi-v3-* 2> /dev/null | sort -V | tail -n 1 || true)
  if ! present kubectl-validate; then
    not_checked "manifests against schemas: kubectl-validate is not installed"
  elif [ -z "$schemas" ]; then
    not_checked "manifests against schemas: K8S_SCHEMAS names no folder with openapi-v3-*/ and crds/"
  elif [ "$failed" = 0 ]; then
    for overlay in dev prod complete; do
      try "schemas $overlay ($(basename "$schemas"))" \
        kubectl-validate "$out/$overlay.yaml" --local-schemas "$schemas" --local-crds "$K8S_SCHEMAS/crds"
    done
  fi
else
  not_checked "manifests: kubectl is not installed"
fi

try "the PrometheusRule is made from deploy/prometheus/rules.yaml" diff "$rule" <(rules_for_the_operator)
if present promtool; then
  try "alerting rules" promtool check rules --lint=all --lint-fatal deploy/prometheus/rules.yaml
  try "alerting rules' tests" promtool test rules deploy/prometheus/rules.test.yaml
else
  not_checked "alerting rules: promtool is not installed"
fi

if present caddy; then
  try "proxy" caddy validate --adapter caddyfile --config deploy/proxy/Caddyfile
else
  not_checked "proxy: caddy is not installed"
fi

if docker compose version > /dev/null 2>&1; then
  try "compose" env TOKEN_SECRETS=for-checking-only docker compose --file docker-compose.yml config --quiet
else
  not_checked "compose: docker compose is not installed (tests/deploy reads the file all the same)"
fi
exit "$failed"
