# The verbs of this repository; `make` alone lists them.
#   PYTHON=python3.12 make test     another interpreter (3.11 or newer)
#   make test PYTEST_ARGS="-k pool" a part of the tests
#   make test WORKERS=0             one test after the other, for a debugger
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-builtin-rules --no-print-directory

VENV ?= .venv
BIN := $(VENV)/bin
GENERATED := exporter.metricsdoc exporter.configdoc exporter.apidoc exporter.paritydoc \
	alertbridge.metricsdoc alertbridge.configdoc alertbridge.apidoc alertbridge.actionsdoc \
	scripts.rulesthresholds scripts.rulesdoc grafana.source
PYTEST_ARGS ?=
WORKERS ?= 2
DEMO_ARGS ?=
FAULT ?= bot
FAULT_ARGS ?=
BENCH_ARGS ?=
LOCK_ARGS ?=

# Stamps of the last finished installation. An environment that cannot start Python any more is made anew.
RUNTIME := $(VENV)/.installed-runtime
DEV := $(VENV)/.installed-dev
ifneq ($(shell $(BIN)/python -c 'print("usable")' 2>/dev/null),usable)
.PHONY: $(RUNTIME)
endif

.PHONY: help demo demo-fault test check bench system lock fmt docs clean

help:  ## This list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: $(RUNTIME)  ## The whole loop on a simulated network, from router to phone and back, until Ctrl-C
	@$(BIN)/python -m scripts.system ensure --stage demo
	@exec $(BIN)/python -m scripts.demo $(DEMO_ARGS)

demo-fault: $(RUNTIME)  ## Break something in the demo and print what happens when (FAULT=bot, db, router, ...)
	@exec $(BIN)/python -m scripts.demo fault $(FAULT) $(FAULT_ARGS)

test: $(DEV)  ## Every test (system packages that they need are installed first, where that is possible)
	@$(BIN)/python -m scripts.system ensure --stage test
	$(BIN)/python -m pytest --numprocesses $(WORKERS) --dist loadfile --no-loadscope-reorder $(PYTEST_ARGS)

check: $(DEV)  ## Lint, format, strict types, import contracts, generated docs up to date
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	for page in $(GENERATED); do $(BIN)/python -m $$page --check; done
	$(BIN)/python -m scripts.rulescheck

bench: $(DEV)  ## The figures: ratios against a peer or a bound, in one run
	$(BIN)/python -m benchmarks $(BENCH_ARGS)
	@if [ -d .venv-mktxp ]; then $(BIN)/python -m scripts.mktxp_names --check; fi

system: $(RUNTIME)  ## Install the system packages that the tests need, through apt
	@$(BIN)/python -m scripts.system install

fmt: $(DEV)  ## Put every file into the one format
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

docs: $(DEV)  ## Write the generated pages of docs/reference
	for page in $(GENERATED); do $(BIN)/python -m $$page --write; done

lock: $(DEV)  ## Bring the locks in step with pyproject.toml (LOCK_ARGS=--upgrade takes the newest of everything)
	@scripts/lock.sh $(BIN)/uv $(LOCK_ARGS)

clean:  ## Remove the virtual environment and everything else that was made
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache .demo build dist *.egg-info
	find . -name __pycache__ -type d -not -path './.git/*' -prune -exec rm -rf {} +

$(RUNTIME): pyproject.toml requirements/charts.txt requirements/build.txt scripts/setup.sh
	@scripts/setup.sh $(VENV) charts build
	@touch $@

$(DEV): $(RUNTIME) requirements/dev.txt
	@scripts/setup.sh $(VENV) dev
	@touch $@
