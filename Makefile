# Everything a fresh clone needs. The first call installs, later ones start at once.
#   make run ARGS="live --seconds 10"     another command of topoctave
#   make test ARGS="-k ring"              a part of the tests
BIN := .venv/bin
# Marks of tests that must not be skipped, for .ci/run: TOPOCTAVE_REQUIRE=pulse,pipewire,display
export TOPOCTAVE_REQUIRE

.DEFAULT_GOAL := help
.PHONY: help setup run test lint format bench bench-gpu train-octave train-small train-gpu demo clean

help: ## list the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

setup: ## system libraries, .venv and pinned Python packages
	@scripts/setup.sh test

run: ## the window; without a display live in the terminal, without a sound card on the demo clip
	@scripts/setup.sh run
	@$(BIN)/topoctave $(ARGS)

# Two processes share the test files, each with one thread: timing tests need idle cores.
test: export OMP_NUM_THREADS := $(or $(OMP_NUM_THREADS),1)
test: ## the test suite
	@scripts/setup.sh test
	$(BIN)/python -m pytest --numprocesses 2 $(ARGS)

lint: ## ruff and mypy --strict
	@scripts/setup.sh run
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: ## let ruff fix what it can
	@scripts/setup.sh run
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: ## speed of every stage on this machine
	@scripts/setup.sh run
	@$(BIN)/topoctave bench $(ARGS)

bench-gpu: ## what the thesis's U-Net reaches on a CUDA device
	@scripts/setup.sh run
	@$(BIN)/python -m scripts.bench_gpu

# glibc returns large blocks to the system and asks for them again: a seventh of a step's time.
train-octave: export MALLOC_MMAP_MAX_ := 0
train-octave: export MALLOC_TRIM_THRESHOLD_ := 8589934592
train-octave: export MALLOC_TOP_PAD_ := 268435456
train-octave: ## the shipped octave, on the CPU
	@scripts/setup.sh run
	$(BIN)/topoctave train configs/octave.toml

train-small: ## the shipped unet-small, on the CPU
	@scripts/setup.sh run
	$(BIN)/topoctave train configs/unet-small.toml

train-gpu: ## the width-16 unet, in eight minutes of a CUDA device
	@scripts/setup.sh run
	$(BIN)/python -m scripts.unet.train $(ARGS)

demo: ## make assets/demo.wav again with espeak-ng
	@scripts/setup.sh test
	$(BIN)/python scripts/make_demo.py

clean: ## caches and build folders; .venv, runs and recordings stay
	rm -rf build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -not -path './.venv/*' -prune -exec rm -rf {} +
