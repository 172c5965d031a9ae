# `make help` lists the targets. Needs make and Python >= 3.11; everything else goes into .venv.
PYTHON ?= python3
VENV ?= .venv
JOBS ?= 2
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet

.DEFAULT_GOAL := help
.PHONY: help fit test lint format bench clean

help: ## list the targets
	@sed -n 's/^\([a-z]*\):.*## /  make \1\t/p' Makefile

fit: $(VENV)/.installed ## fit the motorcycle data; leaves a report and a picture in out/
	@mkdir -p out
	$(BIN)/reluscape fit examples/motorcycle.csv --x milliseconds --y acceleration --width auto \
		--report out/motorcycle.html --plot out/motorcycle.png

test: $(VENV)/.installed-test ## run the whole test suite
	$(BIN)/python -m pytest -n $(JOBS)

lint: $(VENV)/.installed-lint ## check style, docstrings, types and layers
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/lint-imports --no-cache
	$(BIN)/pyright --pythonpath $(BIN)/python

format: $(VENV)/.installed-lint ## lay the source out, mend what can be mended by machine
	$(BIN)/ruff format
	$(BIN)/ruff check --fix

bench: $(VENV)/.installed-bench ## compare with the peers; writes docs/benchmarks.md
	$(BIN)/python -m benchmarks

clean: ## remove the environment and everything that runs leave behind
	rm -rf $(VENV) out build dist .pytest_cache .hypothesis .ruff_cache
	find src tests -name __pycache__ -prune -exec rm -rf {} +

# One stamp per set of dependencies: an install runs again only when pyproject.toml has changed.
$(VENV)/.installed: pyproject.toml | $(BIN)/pip
	@echo "installing reluscape into $(VENV)"
	@$(PIP) install --editable .
	@touch $@

$(VENV)/.installed-%: pyproject.toml | $(BIN)/pip
	@echo "installing reluscape[$*] into $(VENV)"
	@$(PIP) install --editable ".[$*]"
	@touch $@

# pip is the last thing that venv writes, so a half-made environment is made again.
$(BIN)/pip:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "reluscape needs Python 3.11 or newer, and $(PYTHON) is not;" \
			"name one with: make PYTHON=python3.12 $(MAKECMDGOALS)" >&2; exit 1; }
	@echo "creating $(VENV)"
	@$(PYTHON) -m venv $(VENV)
