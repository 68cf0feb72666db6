# On Debian or Ubuntu as root every target installs what it needs first; elsewhere it names what is missing.
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help
.PHONY: help demo test check serve refresh schedule bench lock

BIN := .venv/bin
TPM := $(BIN)/tpm
PYTHON := .venv/.stamp
ENGINE := tests/engine/node_modules/.package-lock.json
PYXFORM_3 := .venv/pyxform-3.0/.stamp
DLT := .venv/dlt/.stamp

# No usage figure leaves the machine, and Prefect keeps its files with ours.
export DO_NOT_TRACK := 1
export PREFECT_SERVER_ANALYTICS_ENABLED := false
export PREFECT_HOME := $(CURDIR)/data/prefect

help:  ## print this list
	@sed -n 's/^\([a-z]*\):.*##/  make \1\t/p' Makefile | expand -t 18

demo: export TPM_DATA := data/demo
demo: export TPM_SERVER := local
demo: $(PYTHON)  ## make up visits, send them to a local server, compute the indicators and the dashboard
	@.ci/need java
	$(TPM) demo
	$(BIN)/python -m flows.refresh
	$(TPM) indicators

test: $(PYTHON) $(ENGINE) $(PYXFORM_3)  ## run every test
	@.ci/need java chromium arabic
	$(BIN)/pytest -n auto --dist loadfile

check: $(PYTHON)  ## style, types, layers, forms, queries and documentation
	@.ci/need java
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(TPM) check --full
	$(BIN)/pytest tests/test_layout.py tests/test_laws.py tests/test_docs.py

serve: $(PYTHON)  ## run the local server for phones and browsers
	$(TPM) serve

refresh: $(PYTHON)  ## pull, build and publish once, as a Prefect flow
	$(BIN)/python -m flows.refresh

schedule: $(PYTHON)  ## refresh every morning, until stopped
	$(BIN)/prefect server start --host 127.0.0.1 > $(PREFECT_HOME)/server.log 2>&1 & server=$$!; \
	trap "kill $$server" EXIT; \
	for second in {1..120}; do (: </dev/tcp/127.0.0.1/4200) 2>/dev/null && break; sleep 1; done; \
	PREFECT_API_URL=http://127.0.0.1:4200/api $(BIN)/python -m flows.refresh schedule

bench: $(PYTHON) $(DLT)  ## measure pull, build and publication on a large synthetic population
	@.ci/need java
	$(BIN)/python -m tests.bench.run

lock: $(PYTHON)  ## write requirements.lock anew from pyproject.toml, and the lists of pyxform 3.0 and dlt
	$(BIN)/uv pip compile --quiet --generate-hashes --universal --no-header --group dev pyproject.toml -o requirements.lock
	echo pyxform==3.0.0 | $(BIN)/uv pip compile --quiet --generate-hashes --universal --no-header - -o tests/forms/pyxform-3.0.txt
	echo dlt==1.31.0 | $(BIN)/uv pip compile --quiet --generate-hashes --universal --no-header - -o tests/bench/dlt.txt

# Prefect makes its folder by itself, but not when two processes try at once.
demo test refresh schedule: | $(PREFECT_HOME)
$(PREFECT_HOME):
	mkdir -p $@

# The lock holds uv too: pip installs exactly that one, uv installs the rest.
$(PYTHON): requirements.lock pyproject.toml
	@.ci/need python
	python3 -m venv .venv
	sed -n '/^uv==/,/# via/p' requirements.lock | $(BIN)/python -m pip install --quiet --require-hashes -r /dev/stdin
	$(BIN)/uv pip sync --quiet --python $(BIN)/python --require-hashes requirements.lock
	$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation -e .
	touch $@

# KoboToolbox's pyxform, in a folder of its own: the environment holds another.
$(PYXFORM_3): tests/forms/pyxform-3.0.txt $(PYTHON)
	$(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes --target $(@D) -r $<
	touch $@

# What the benchmark measures itself against, in a folder of its own too.
$(DLT): tests/bench/dlt.txt $(PYTHON)
	$(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes --target $(@D) -r $<
	touch $@

$(ENGINE): tests/engine/package-lock.json
	@.ci/need node
	npm ci --prefix tests/engine --ignore-scripts --no-audit --no-fund --loglevel error
	touch $@
