# Every target first brings .venv up to the hash-pinned lock files (scripts/setup.py: nothing happens when it is).

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

PYTHON ?= $(shell for p in python3 python3.14 python3.13 python3.12 python3.11; do \
  $$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
BIN := .venv/bin
REPORTS := var/reports
# More than cores: the tests of Synapse and of kills mostly wait.
WORKERS ?= 3
SEED := $(or $(SEED),$(shell date +%s))
# 1: everything, each test on both databases, as CI does; empty: what the seed draws of it.
WHOLE ?=
# The percentage of lines and branches that `make test` insists on, as CI does; empty: it is not measured, which is quicker.
COVERAGE ?=
COMPILE = $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
  --no-emit-find-links --custom-compile-command "make lock" $(if $(UPGRADE),--upgrade)

export TEST_SEED := $(SEED)

.PHONY: help
help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/\1\t\2/p' Makefile | expand -t 14

.PHONY: demo
demo: env-run ## the main job on the embedded default, without an account anywhere
	@$(BIN)/passerelle demo

.PHONY: demo-matrix
demo-matrix: env-dev ## the same against a real Synapse on loopback
	@$(BIN)/python -m tests.servers.demo_matrix

.PHONY: test
test: env-dev matrix-client ## the whole suite at reduced size, at most 5 minutes (SEED=, WORKERS=, WHOLE=, COVERAGE=)
	@echo "seed $(SEED): make test SEED=$(SEED) draws the same examples"
	$(BIN)/pytest -n $(WORKERS) $(if $(WHOLE),,--drawn) --hypothesis-seed=$(SEED) \
	  $(if $(COVERAGE),--cov --cov-report=term --cov-fail-under=$(COVERAGE))

.PHONY: proof
proof: env-dev matrix-client $(REPORTS) ## the full sizes of every promise, with a report
	@echo "seed $(SEED): make proof SEED=$(SEED) draws the same examples"
	$(BIN)/pytest -m proof -v -rA --hypothesis-seed=$(SEED) --junitxml=$(REPORTS)/proof.xml | tee $(REPORTS)/proof.txt

.PHONY: soak
soak: env-dev ## half an hour of work on SQLite: memory, write-ahead log, waiting jobs (SOAK_SECONDS=)
	$(BIN)/pytest -m proof -s tests/chaos/test_soak.py

.PHONY: bench
bench: env-dev $(REPORTS) ## the benchmarks, each beside its peers, with a report
	$(BIN)/python -m tests.bench | tee $(REPORTS)/bench.txt

.PHONY: check
check: lint types imports texts rights-check locks ## everything that needs no running: lint, types, imports, catalogues, rights, locks

.PHONY: lint
lint: env-dev
	$(BIN)/ruff check
	$(BIN)/ruff format --check

.PHONY: types
types: env-dev
	$(BIN)/basedpyright

.PHONY: imports
imports: env-dev
	$(BIN)/lint-imports --no-logo

.PHONY: texts
texts: env-dev
	$(BIN)/python -m scripts.check_texts

.PHONY: rights-check
rights-check: env-dev
	$(BIN)/python -m scripts.rights_table --check

.PHONY: rights
rights: env-dev ## write docs/rights.md from the code
	$(BIN)/python -m scripts.rights_table

.PHONY: locks
locks: env-dev
	$(BIN)/pip check

.PHONY: fix
fix: env-dev ## lint and format what can be mended by itself
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

.PHONY: lock
lock: env-run ## write the lock files anew after a change of dependencies (UPGRADE=1: newest versions)
	$(COMPILE) --group setup --output-file requirements-uv.lock
	$(COMPILE) pyproject.toml --output-file requirements.lock
	$(COMPILE) pyproject.toml --group dev --output-file requirements-dev.lock

.PHONY: clean
clean: ## remove what can be made again; var/ holds data and stays
	rm -rf .venv dist .pytest_cache .ruff_cache .hypothesis .import_linter_cache .coverage .coverage.*
	find bot handlers config tests scripts -name __pycache__ -prune -exec rm -rf {} +

.PHONY: env-run env-dev
env-run env-dev: env-%:
	@$(or $(PYTHON),python3) scripts/setup.py $*

.PHONY: matrix-client
matrix-client: env-dev
	@$(BIN)/python -m tests.servers.strict_client install

$(REPORTS):
	@mkdir -p $@
