# Two commands do all set-up: `make run` starts the demo line, `make test` passes every test.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/pip install --quiet --disable-pip-version-check
# The parallel part of the suite; tests that fill disks or measure the whole daemon run alone afterwards.
WORKERS ?= 2

RUN_PACKAGES := python3-venv
TEST_PACKAGES := chromium fonts-noto-cjk gcc libc6-dev libmodbus-dev mbpoll strace systemd

.PHONY: help setup run test lint bench lock clean
.DEFAULT_GOAL := help

help:  ## this list
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 10

setup: $(VENV)/.run  ## system packages, a virtual environment, dependencies

run: setup  ## start the demo line; its page is http://127.0.0.1:8080
	@exec $(BIN)/lotline demo

test: $(VENV)/.test lint  ## every test, a real Tryton and a real browser among them
	$(BIN)/pytest -n $(WORKERS) --dist loadgroup -m "not alone"
	$(BIN)/pytest -m alone

lint: $(VENV)/.test  ## ruff, mypy --strict, the layers
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache

bench: $(VENV)/.test  ## the table of ratios against their targets
	$(BIN)/lotline bench

lock:  ## pin the dependencies again (needs uv)
	uv pip compile -q pyproject.toml --extra serial --extra modbus --generate-hashes --universal --no-header \
		--no-emit-index-url --python-version 3.11 -o requirements.lock
	uv pip compile -q pyproject.toml --extra serial --extra modbus --extra dev -c requirements.lock --generate-hashes \
		--universal --no-header --no-emit-index-url --python-version 3.11 -o requirements-dev.lock

clean:  ## forget everything that was made
	rm -rf $(VENV) .cache .state build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis

$(VENV)/.run: requirements.lock pyproject.toml
	@.ci/apt $(RUN_PACKAGES)
	@echo "[1/3] virtual environment"
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "[2/3] dependencies"
	@$(PIP) --require-hashes -r requirements.lock
	@echo "[3/3] lotline"
	@$(PIP) --no-deps -e .
	@touch $@

$(VENV)/.test: $(VENV)/.run requirements-dev.lock
	@.ci/apt $(TEST_PACKAGES)
	@echo "[+] what the tests need"
	@$(PIP) --require-hashes -r requirements-dev.lock
	@touch $@
