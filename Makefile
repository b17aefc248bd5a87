# The whole tool surface: `make run` and `make test` are all the set-up there is.
BIN := .venv/bin
UV := $(BIN)/uv
export UV_LINK_MODE = copy

.PHONY: help run test check lint types contracts migrations format lock

help:            ## list the targets
	@grep -E '^[a-z]+:.*##' Makefile

run: .venv/ready ## serve on http://127.0.0.1:8000 with the shipped catalogue and background work
	$(BIN)/python manage.py serve

test: .venv/dev  ## run the tests; says what it left out for want of a service or browser
	$(BIN)/python -m pytest -n auto --dist loadgroup --no-loadscope-reorder

check: test lint types contracts migrations ## everything CI asks for

lint: .venv/dev  ## formatting and lint
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

types: .venv/dev ## static types
	$(BIN)/mypy

contracts: .venv/dev ## direction of imports
	$(BIN)/lint-imports

migrations: .venv/dev ## migrations match the models
	$(BIN)/python manage.py makemigrations --check --dry-run

format: .venv/dev ## rewrite the sources in the house format
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

lock: .venv/bin/uv ## compile the pinned requirements with hashes
	$(UV) pip compile --quiet --generate-hashes --no-header --no-emit-index-url --python-version 3.11 requirements.in --output-file requirements.txt
	$(UV) pip compile --quiet --generate-hashes --no-header --no-emit-index-url --python-version 3.11 requirements-dev.in --output-file requirements-dev.txt

.venv/bin/uv:
	python3 -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check uv

.venv/ready: requirements.txt | .venv/bin/uv
	$(UV) pip install --quiet --python $(BIN)/python --require-hashes --requirement requirements.txt
	@touch $@

.venv/dev: requirements-dev.txt | .venv/bin/uv
	$(UV) pip install --quiet --python $(BIN)/python --require-hashes --requirement requirements-dev.txt
	@touch $@ .venv/ready
