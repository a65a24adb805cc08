# Everything runs from a virtual environment that the targets make themselves; only Python >= 3.11 is needed.
PYTHON ?= python3
UV := .tools/bin/uv
RUN := .venv/bin/python

.DEFAULT_GOAL := help
.PHONY: help setup compiled demo run test test-engines test-browser check check-deploy format clean

help:  ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

$(UV):
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed: make PYTHON=/path/to/python3 ..."; exit 1; }
	@echo "[1/2] uv (the package installer) into .tools ..."
	@$(PYTHON) -m venv .tools && .tools/bin/pip install --quiet --disable-pip-version-check uv==0.13.9

.venv/.done: $(UV) uv.lock pyproject.toml
	@echo "[2/2] locked packages into .venv ..."
	@$(UV) sync --frozen --no-progress --quiet --python $$($(PYTHON) -c 'import sys; print(sys.executable)')
	@touch $@

setup: .venv/.done  ## make the virtual environment from uv.lock

compiled: setup
	@$(RUN) -c 'from services.matching.warming import is_compiled; raise SystemExit(not is_compiled())' || \
	  { echo "compiling the ranking engine, about a minute, once ..."; $(RUN) -m services.matching compile; }

demo: compiled  ## the whole path once: a need becomes a shortlist becomes a mail
	@$(RUN) -m services demo

run: compiled  ## the four services on http://localhost:8000 until Ctrl-C
	@$(RUN) -m services

test: check compiled  ## everything that needs only Python
# Most of the time the tests wait for something to happen, so four at once go well on two cores. The fixed seed is
# for sets among their parameters: all workers must collect the same.
	@PYTHONHASHSEED=0 $(RUN) -m pytest -n 4 --dist loadfile

test-engines: compiled  ## the flow and store tests on real Kafka and a MongoDB wire server
	@$(RUN) -m tests.engines.engines fetch
	@$(RUN) -m pytest -m engines tests/engines

test-browser: compiled  ## the pages in headless Chromium, with axe-core (npm)
	@command -v chromium chromium-browser google-chrome >/dev/null || \
	  { [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null && apt-get update -qq && apt-get install -y -qq chromium >/dev/null; } || \
	  { echo "Chromium is needed: apt-get install chromium"; exit 1; }
	@$(RUN) -m tests.browser.axe
	@$(RUN) -m pytest -m browser tests/browser

check: setup  ## lint, format, types, import rules
	@.venv/bin/ruff check .
	@.venv/bin/ruff format --check .
	@.venv/bin/mypy
	@.venv/bin/lint-imports

check-deploy:  ## build and check deploy/ (K8S_SCHEMAS=folder with openapi-v3-*/ and crds/)
	@deploy/check.sh

format: setup  ## write the format
	@.venv/bin/ruff check --fix . ; .venv/bin/ruff format .

clean:  ## remove what the targets made
	rm -rf .venv .tools .cache .mypy_cache .ruff_cache .pytest_cache build
