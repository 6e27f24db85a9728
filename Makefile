# Two commands for a new machine: `make demo` and `make test`. Both create .venv and install what is pinned.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
BENCH := .venv-bench
BENCH_STAMP := $(BENCH)/.installed
TORCH := $(shell grep '^torch==' constraints.txt)

.PHONY: demo test check test-services test-slow bench-env clean

demo: $(STAMP)
	$(BIN)/scanote demo demo

# Files are shared out over two processes, each with one set of fixtures.
test: $(STAMP)
	$(BIN)/pytest -n 2 --dist loadfile

check: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/pytest -q tests/test_layers.py

# Real servers on loopback; the tests install PostgreSQL from Debian where it is missing.
test-services: $(STAMP)
	SCANOTE_SERVICES=1 $(BIN)/pytest -m services

# Kills, ladders, fuzzing.
test-slow: $(STAMP)
	$(BIN)/pytest -m "slow and not services"

# torch first and alone: the other packages would otherwise choose a build of their own.
$(STAMP): pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check $(TORCH)
	$(BIN)/pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[dev,postgres]'
	touch $@

# The other readers lie beside the product, not in it; the rest of this environment is the one above.
bench-env: $(BENCH_STAMP)
$(BENCH_STAMP): $(STAMP) benchmarks/requirements.txt
	$(PYTHON) -m venv $(BENCH)
	$(BIN)/python -c "import sysconfig; print(sysconfig.get_path('purelib'))" \
	  > $$($(BENCH)/bin/python -c "import sysconfig; print(sysconfig.get_path('purelib'))")/product.pth
	$(BENCH)/bin/pip install --quiet --no-deps --disable-pip-version-check --requirement benchmarks/requirements.txt
	touch $@

clean:
	rm -rf $(VENV) $(BENCH) demo .pytest_cache .mypy_cache .ruff_cache .hypothesis
