# DeepLab lessons. `make lab` opens the course, `make check` and `make test` check it; `make` alone lists the rest.
PYTHON      ?= python3
VENV        ?= .venv
CONSTRAINTS ?= constraints.txt
WHEELS      ?=
ARGS        ?=
BIN         := $(VENV)/$(if $(filter Windows_NT,$(OS)),Scripts,bin)
SCRIPTS     := deeplab_lessons/classroom/widgets deeplab_lessons/classroom/lab_extensions tools/web
SETUP       := $(PYTHON) tools/environment.py --venv "$(VENV)" --constraints "$(CONSTRAINTS)" --wheels "$(WHEELS)"

# Real data sets: data/, or a folder shared/data beside this one, or wherever DEEPLAB_LESSONS_DATA says.
export DEEPLAB_LESSONS_DATA ?= $(abspath $(firstword $(wildcard ../shared/data) data))
# How long PyTorch's threads wait at full speed: with the default, trainings crawl where other programs compute.
export GOMP_SPINCOUNT ?= 1000

.DEFAULT_GOAL := help
.PHONY: help lab check lint test notebooks site solved ledger guide dist test-gpu wheels wheels-gpu bench format clean

help:
	@echo "make lab         open the course in JupyterLab (the first time it installs: about 2 minutes, 6 GB)"
	@echo "make check       format, lint, types and the quick tests: a minute, while you work"
	@echo "make test        everything: make check, trainings, browser, notebooks"
	@echo "                 (ARGS=\"-k crf\" or ARGS=tests/crf: only the tests and notebooks that pytest chooses)"
	@echo "make notebooks   rebuild notebooks/ from lessons/, only what changed (ARGS=--all for all)"
	@echo "make site        the course as a web site, widgets alive without a kernel: build/site/index.html"
	@echo "make solved      every lesson with its solutions in place and its checks tried: build/solved (ARGS=02)"
	@echo "make ledger      every number that the course takes from a paper, and what we get: build/ledger.html"
	@echo "make guide       the instructor's guide: goals, questions, solutions, plans, grading: build/instructors.html"
	@echo "make dist        the course as one file for pip: dist/deeplab_lessons-VERSION-py3-none-any.whl"
	@echo "make test-gpu    the notebooks on a CUDA device"
	@echo "make bench       the benchmarks"
	@echo "make wheels      download every wheel into wheels/, to install without network (WHEELS=wheels)"
	@echo "make wheels-gpu  download what test-gpu needs beside torch into wheels-gpu/"
	@echo "make format      format the code; make clean removes environments and caches"

lab:
	@$(SETUP) lab
	@$(BIN)/deeplab-lessons lab $(ARGS)

check:
	@$(SETUP) test
	@$(MAKE) --no-print-directory lint
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -q -n 2 --dist worksteal -m "not browser and not slow" $(ARGS)

lint:
	$(BIN)/ruff check . && $(BIN)/ruff format --check .
	$(BIN)/oxlint $(SCRIPTS) && $(BIN)/oxfmt --check $(SCRIPTS)
	$(BIN)/mypy

test:
	@$(SETUP) test
ifeq ($(strip $(ARGS)),)
	@$(MAKE) --no-print-directory lint
endif
	$(BIN)/python tools/run_tests.py $(ARGS)

notebooks:
	@$(SETUP) test
	$(BIN)/python tools/notebooks.py $(ARGS)

site:
	@$(SETUP) test
	PYTHONPATH=tools $(BIN)/python -m web build/site

solved:
	@$(SETUP) test
	$(BIN)/python tools/solved.py $(ARGS)

ledger:
	@$(SETUP) test
	PYTHONPATH=tools $(BIN)/python -m ledger build/ledger.html

guide:
	@$(SETUP) test
	$(BIN)/python tools/instructors_guide.py build/instructors.html

dist:
	@$(SETUP) test
	rm -rf build/lib build/bdist.*
	$(BIN)/python -m pip wheel --quiet --no-deps --no-build-isolation --wheel-dir dist .
	@ls -sh dist

test-gpu:
	@$(PYTHON) tools/environment.py --venv .venv-gpu --wheels "$(or $(WHEELS),$(wildcard wheels-gpu))" gpu
	DEEPLAB_LESSONS_DEVICE=cuda .venv-gpu/bin/python tools/require_cuda.py
	DEEPLAB_LESSONS_DEVICE=cuda .venv-gpu/bin/python -m pytest notebooks --nbval --nbval-current-env \
	    --nbval-cell-timeout=900 -p no:cacheprovider $(ARGS)

bench:
	@$(SETUP) test
	$(BIN)/python benchmarks/receptive_field.py
	$(BIN)/python benchmarks/crf.py
	$(BIN)/python benchmarks/training.py
	$(BIN)/python benchmarks/versions.py
	$(BIN)/python benchmarks/busy.py

wheels wheels-gpu:
	@$(PYTHON) tools/environment.py --venv "$(VENV)" --constraints "$(CONSTRAINTS)" $@

format:
	@$(SETUP) test
	$(BIN)/ruff check --fix . && $(BIN)/ruff format .
	$(BIN)/oxlint --fix $(SCRIPTS) && $(BIN)/oxfmt $(SCRIPTS)

clean:
	rm -rf .venv .venv-gpu build dist .pytest_cache .ruff_cache .mypy_cache .hypothesis *.egg-info
