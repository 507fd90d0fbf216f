# make demo   installs what is missing into .venv and plays a bundled difficult call
# make test   the same for the tests, and runs them
# Others: lint, types, random, fixtures, docs, lock, clean

PYTHON ?= python3
VENV := .venv
ifeq ($(OS),Windows_NT)
BIN := $(VENV)/Scripts
else
BIN := $(VENV)/bin
endif

# One process a core and one more, each test file in one of them. `make test PARALLEL=` runs all of them in one.
PARALLEL ?= -n auto --dist loadfile --no-loadscope-reorder
PIP = $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-input

.PHONY: demo test random lint types check fixtures docs clean parts lock

demo: $(VENV)/.run
	$(BIN)/monitor demo

test: $(VENV)/.dev parts
	$(BIN)/python -m pytest $(PARALLEL) $(ARGS)

# The random tests with new examples each time, and a hundred times as many: looks for trouble, for as long
# as you like.
random: $(VENV)/.dev
	HYPOTHESIS_PROFILE=random EXAMPLES_FACTOR=100 $(BIN)/python -m pytest -m "not slow and not real" $(ARGS)

lint: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/.dev
	$(BIN)/mypy

check: lint types test

fixtures: $(VENV)/.dev parts
	$(BIN)/python -m fixtures.make

# Everything in docs/ that is generated: the contract on the wire, and the reference of rule files.
docs: $(VENV)/.dev
	$(BIN)/python -m monitor.hub.documents
	$(BIN)/monitor rules docs

# Real parts that some tests start: PulseAudio, Chromium, Xvfb, voices. On Debian and Ubuntu they are
# installed where we may; elsewhere the tests that need them are skipped by name, with the reason.
parts:
	@sh scripts/parts.sh

$(VENV)/bin/python $(VENV)/Scripts/python.exe:
	$(PYTHON) scripts/check_python.py
	$(PYTHON) -m venv $(VENV)

$(VENV)/.run: pyproject.toml requirements/run.txt | $(BIN)/python
	$(PIP) --only-binary :all: --require-hashes -r requirements/run.txt
	$(PIP) --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/.dev: pyproject.toml requirements/dev.txt | $(BIN)/python
	$(PIP) --only-binary :all: --require-hashes -r requirements/dev.txt
	$(PIP) --no-deps --no-build-isolation -e .
	@touch $@ $(VENV)/.run

# Pins what is installed anew, for every supported Python and platform; needs uv. Newer versions:
# make lock UPGRADE=--upgrade, or UPGRADE="--upgrade-package NAME" for one.
lock:
	$(PYTHON) scripts/lock.py $(UPGRADE)

clean:
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis dist build
