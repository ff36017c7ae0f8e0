# Two commands are enough: `make run` and `make test`.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
ADDRESS ?= 127.0.0.1:8000

.PHONY: install run test check openapi bench soak lock clean help

help:
	@grep -E '^## ' $(MAKEFILE_LIST) | sed 's/^## //'

## make install   .venv with everything, from requirements.lock
install: $(VENV)/.installed

$(VENV)/.installed: requirements.lock pyproject.toml package-lock.json hatch_build.py src/wattkeeper/views/dashboard/icons.txt
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Wattkeeper needs Python 3.11 or newer")'
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

## make run       a demo fleet on http://127.0.0.1:8000
run: install
	$(BIN)/wattkeeper migrate --verbosity 0
	$(BIN)/wattkeeper demo --serve --host $(word 1,$(subst :, ,$(ADDRESS))) --port $(word 2,$(subst :, ,$(ADDRESS)))

## make test      the tests; those that need a server say so when it is absent
test: install
	$(BIN)/python -m pytest

## make check     lint, types, floors, migrations, the API's description
check: install
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/wattkeeper check
	$(BIN)/wattkeeper makemigrations --check --dry-run
	@$(BIN)/wattkeeper spectacular --validate --fail-on-warn | diff -u docs/openapi.yaml - || \
	  { echo "docs/openapi.yaml is not what the program says: run make openapi and look at the diff."; exit 1; }

## make openapi   docs/openapi.yaml again, after a change of the API: look at the diff
openapi: install
	$(BIN)/wattkeeper spectacular --validate --fail-on-warn --file docs/openapi.yaml

## make bench     every promised speed, beside its peer and its limit
bench: install
	$(BIN)/python -m benchmarks

## make soak      kill -9 a server under load, 20 times: nothing is lost, nothing is double
soak: install
	$(BIN)/python -m tests.support.soak --kills 20

## make lock      requirements.lock again, after a change of pyproject.toml
lock: install
	$(BIN)/uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	  --group dev pyproject.toml --output-file requirements.lock

clean:
	rm -rf $(VENV)
