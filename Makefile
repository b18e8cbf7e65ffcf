# The commands of hybridcolor. Each sets up what it needs the first time and starts at once from then on.
# More arguments for pytest: make test ARGS="-k seeds"
SHELL := /bin/bash
.DEFAULT_GOAL := help
.PHONY: help demo test check bench crash fuzz tour study-small docs clean runtime developer

BIN := .venv/bin
# pdoc follows __all__, which names no modules, so they are named here.
PACKAGES := hybridcolor $(addprefix hybridcolor/,decoding encoding propagate predict predict/networks metrics compare study batch)
MODULES := $(subst /,.,$(PACKAGES) $(basename $(wildcard $(addsuffix /[a-z]*.py,$(PACKAGES)))))
# Waiting threads sleep: with busy waiting, numerical code collapses as soon as another program wants a core.
export OMP_WAIT_POLICY := passive

help: ## this list
	@sed -nE 's/^([a-z-]+):.*## (.*)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 16

demo: runtime ## colorize two gray photos into demo/ and compare them with the truth
	$(BIN)/hybridcolor demo --output demo --overwrite

test: developer ## run all tests, those of the window too
	.ci/test $(ARGS)

check: developer ## style, types and import directions
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo

bench: developer ## measure every method and its peers, and write docs/benchmarks.md
	$(BIN)/python -m benchmarks
	$(BIN)/python -m benchmarks.figure

crash: developer ## kill batches, workers, clusters and editors some hundred times, and see that nothing is lost
	HYBRIDCOLOR_BATCH=2000 HYBRIDCOLOR_KILLS=100 $(BIN)/python -m pytest -o timeout=3600 -k kill tests/batch
	HYBRIDCOLOR_BATCH=10000 HYBRIDCOLOR_KILLS=5 $(BIN)/python -m pytest -o timeout=3600 -k after_kills_nothing tests/batch/test_batch.py
	HYBRIDCOLOR_KILLS=200 $(BIN)/python -m pytest -o timeout=3600 -k kill tests/test_drawing.py

fuzz: developer ## read 80,000 damaged files of all kinds in a watched process (15 minutes)
	$(BIN)/python -m tests.fuzz.campaign

tour: developer ## drive the editor's window and write the pictures of docs/tutorial.md
	.ci/window $(BIN)/python -m benchmarks.tour

study-small: developer ## simulated users on scikit-image's photos, into study/
	$(BIN)/hybridcolor study --output study --workers 2

docs: developer ## write the API pages into build/docs
	$(BIN)/python -m pdoc --docformat numpy --output-directory build/docs $(MODULES)

clean: ## remove everything that these commands made, the environment too
	rm -rf .venv .venv.* build dist demo study .hypothesis .mypy_cache .pytest_cache .ruff_cache
	rm -rf .import_linter_cache
	find hybridcolor plugins tests benchmarks -name __pycache__ -prune -exec rm -rf {} +

runtime:
	@.ci/environment runtime

developer:
	@.ci/environment developer
