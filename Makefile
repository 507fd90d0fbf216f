# make demo   installs what is missing into .venv and plays a bundled difficult call
# make test   the same for the tests, and runs them
# Others: lint, types, fixtures, docs, clean

PYTHON ?= python3
VENV := .venv
ifeq ($(OS),Windows_NT)
BIN := $(VENV)/Scripts
else
BIN := $(VENV)/bin
endif

.PHONY: demo test lint types check fixtures docs clean parts

demo: $(VENV)/.run
	$(BIN)/monitor demo

test: $(VENV)/.dev parts
	$(BIN)/python -m pytest $(ARGS)

lint: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/.dev
	$(BIN)/mypy

check: lint types test

fixtures: $(VENV)/.dev parts
	$(BIN)/python -m fixtures.make

# Real parts that some tests start: PulseAudio, Chromium, Xvfb, voices. On Debian and Ubuntu they are
# installed where we may; elsewhere the tests that need them are skipped by name, with the reason.
parts:
	@sh scripts/parts.sh

$(VENV)/bin/python $(VENV)/Scripts/python.exe:
	$(PYTHON) scripts/check_python.py
	$(PYTHON) -m venv $(VENV)

$(VENV)/.run: pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e .
	@touch $@

$(VENV)/.dev: pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e ".[dev]"
	@touch $@ $(VENV)/.run

clean:
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis dist build
