# What a newcomer types. Every target makes the virtual environment it needs, once, in .venv.
# PYTHON=python3.12 make test uses another Python; VENV=… another folder.

PYTHON ?= python3
VENV ?= .venv
BIN = $(VENV)/bin

.PHONY: demo test test-floor lint bench mutants wheel clean

demo: $(VENV)/.demo
	$(BIN)/python -m bibun demo

test: $(VENV)/.test
	$(BIN)/python -m pytest -n auto
	SCIPY_ARRAY_API=1 $(BIN)/python -m pytest -n auto tests/units/estimators/test_sklearn.py  # which it skips without

# the oldest NumPy and SciPy we promise
test-floor:
	$(MAKE) VENV=.venv-floor .venv-floor/.floor
	.venv-floor/bin/python -m pytest -n auto

lint: $(VENV)/.lint
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

bench: $(VENV)/.bench
	$(BIN)/python benchmarks/run.py
	$(BIN)/python benchmarks/optimizers.py
	$(BIN)/python benchmarks/regressions.py
	$(BIN)/python benchmarks/estimation.py
	$(BIN)/python benchmarks/compiled.py

# breaks every rule of the table on purpose; a law must notice each time
mutants: $(VENV)/.test
	$(BIN)/python -m tests.laws.mutants

wheel: $(VENV)/.demo
	$(BIN)/python -m pip install --quiet build
	$(BIN)/python -m build --quiet --wheel

$(VENV)/.demo: pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e .
	touch $@

$(VENV)/.test: pyproject.toml $(VENV)/.demo
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e ".[test]"
	touch $@

$(VENV)/.lint: pyproject.toml $(VENV)/.demo
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e ".[lint]"
	touch $@

$(VENV)/.bench: pyproject.toml $(VENV)/.demo
	-$(BIN)/python -m pip install --quiet --disable-pip-version-check -e ".[bench]"
	touch $@

$(VENV)/.floor: pyproject.toml $(VENV)/.test
	$(BIN)/python -m pip install --quiet --disable-pip-version-check "numpy==2.0.*" "scipy==1.13.*"
	touch $@

clean:
	rm -rf .venv .venv-floor dist build bibun-demo .pytest_cache .mypy_cache .ruff_cache .hypothesis
