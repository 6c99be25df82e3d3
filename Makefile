# Every task of the project. `make demo` and `make test-core` need Python 3.11+ with venv, and make, and nothing else.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PYTEST := $(BIN)/python -m pytest
# All but one core's worth of workers would starve the swarms' timing on small machines; two is measured best on two cores.
WORKERS ?= 2

.PHONY: demo test test-core test-long test-spark test-spark-some lint bench docs package clean

demo: $(VENV)/.installed
	$(BIN)/fonoteca demo $(DEMO)

test: $(VENV)/.installed-dev
	scripts/test-tools
	$(MAKE) lint
	$(PYTEST) -n $(WORKERS) -m "not long" --durations=10

test-core: $(VENV)/.installed-dev
	$(PYTEST) -n $(WORKERS) -m "core and not long and not tools"

test-long: $(VENV)/.installed-dev
	scripts/test-tools
	$(PYTEST) -m long

# Spark is 500 MB, so it has an environment of its own, and Java comes with the tools: docs/decisions/0018.
test-spark: $(VENV)-spark/.installed
	scripts/test-tools java
	$(VENV)-spark/bin/python -m pytest -m spark -p no:cacheprovider tests/catalogue/test_spark.py

# A part of it, only where that environment is there already: never a reason to fetch a gigabyte.
test-spark-some:
	@if [ -x $(VENV)-spark/bin/python ] && $(VENV)-spark/bin/python -c 'import pyspark, sqlglot' 2>/dev/null; then \
		$(VENV)-spark/bin/python -m pytest -m spark -p no:cacheprovider tests/catalogue/test_spark.py \
			-k "same_bytes or anew or isrc or refused or both_workers"; \
	else \
		echo "skipped: the comparison of both engines ('make test-spark' installs Spark, 1.1 GB, and runs all of it)"; \
	fi

lint: $(VENV)/.installed-dev
	$(BIN)/ruff format --check src tests scripts benchmarks
	$(BIN)/ruff check src tests scripts benchmarks
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python scripts/forbidden-words

bench: $(VENV)/.installed-dev
	$(BIN)/python -m benchmarks $(BENCH)

docs: $(VENV)/.installed-dev
	$(BIN)/python scripts/make-docs

package: $(VENV)/.installed-dev
	$(BIN)/python -m build --outdir dist .

clean:
	rm -rf $(VENV) $(VENV)-spark build dist .mypy_cache .ruff_cache .pytest_cache .import_linter_cache

$(VENV)/bin/python:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "fonoteca needs Python 3.11 or newer; name one with PYTHON=...")'
	$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: $(VENV)/bin/python pyproject.toml
	$(BIN)/pip install --quiet --disable-pip-version-check -e '.[all]'
	touch $@

$(VENV)/.installed-dev: $(VENV)/bin/python pyproject.toml
	$(BIN)/pip install --quiet --disable-pip-version-check -e '.[all,dev]'
	touch $@ $(VENV)/.installed

$(VENV)-spark/.installed: pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "fonoteca needs Python 3.11 or newer; name one with PYTHON=...")'
	$(PYTHON) -m venv $(VENV)-spark
	$(VENV)-spark/bin/pip install --quiet --disable-pip-version-check -e '.[archive,spark]' pytest
	touch $@
