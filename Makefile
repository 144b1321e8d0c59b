PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
PYTEST := $(BIN)/python -m pytest

.DEFAULT_GOAL := help

.PHONY: help
help:  ## what can be made
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(INSTALLED): pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[all,test]'
	touch $@

.PHONY: install
install: $(INSTALLED)  ## make .venv with dnnbench, the four backends and what the tests need

.PHONY: run
run: install  ## check and time every installed backend on the digits; ends with results/report.html
	$(BIN)/dnnbench run --backend all

.PHONY: test
test: install  ## the whole test suite
	$(PYTEST) -n 2 --dist loadgroup

EVERY_TYPE := float64,float32,bfloat16,float16,mixed_bfloat16,mixed_float16

.PHONY: check-all
check-all: install  ## every case in every mode and type, and the tiny zoo: hours, most of them in compilers
	for backend in numpy torch tensorflow jax; do \
	    $(BIN)/dnnbench conformance $$backend:all --dtype $(EVERY_TYPE) || exit; \
	done
	$(BIN)/dnnbench check 'all[tiny]' --backend all:all --dtype float64,float32,bfloat16

.PHONY: bench
bench: install  ## each arm beside the same network written by hand; what the harness itself costs
	$(PYTEST) tests/benchmarks --benchmark-enable --benchmark-only -p no:xdist

.PHONY: study
study: install  ## prove the measuring method: record trials of known truth, replay them, write docs/proof.md
	PYTHONPATH=tests/benchmarks $(BIN)/python -m study $(STUDY)

.PHONY: lint
lint: install  ## ruff
	$(BIN)/ruff check .

.PHONY: ci-deps
ci-deps:  ## Debian packages that the browser, PostgreSQL and torch.compile tests need
	apt-get update -qq
	DEBIAN_FRONTEND=noninteractive apt-get install -y -qq chromium chromium-driver g++ postgresql > /dev/null

.PHONY: clean
clean:  ## remove .venv and caches
	rm -rf $(VENV) .pytest_cache .ruff_cache build dist
