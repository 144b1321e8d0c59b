PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
PYTEST := $(BIN)/python -m pytest

.DEFAULT_GOAL := help

.PHONY: help
help:  ## what can be made
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

# Tests and workers start hundreds of processes. Where this is set none of them would keep the bytecode of what it imports.
unexport PYTHONDONTWRITEBYTECODE

# Frameworks bring 18,000 files of which a third is ever imported: those are compiled when they are.
$(INSTALLED): pyproject.toml backends/dnnbench_onnxruntime/pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --no-compile --disable-pip-version-check -c constraints.txt -e '.[all,test,docs]' -e backends/dnnbench_onnxruntime
	touch $@

.PHONY: install
install: $(INSTALLED)  ## make .venv with dnnbench, its five backends and what the tests need

.PHONY: run
run: install  ## check and time every installed backend on the digits; ends with results/report.html
	$(BIN)/dnnbench run --backend all

.PHONY: bytecode
bytecode: install
	@$(BIN)/python -m compileall -q harness backends workloads tests

ON_TWO_CORES := -n 2 --dist loadgroup

.PHONY: test
test: bytecode  ## what a change is tested by: every op, backend, command and kind of fault
	$(PYTEST) $(ON_TWO_CORES)

.PHONY: test-fast
test-fast: bytecode  ## without compiled modes, slow runs, browser and databases
	$(PYTEST) $(ON_TWO_CORES) -m "not exhaustive and not slow and not compiled and not browser and not postgres"

.PHONY: test-shuffled
test-shuffled: bytecode  ## `make test` in an order drawn anew, whose seed it prints: no test leans on another's run
	$(PYTEST) $(ON_TWO_CORES) -p randomly

.PHONY: test-all
test-all: bytecode  ## the whole matrix: every op in every backend, mode and type, the zoo, every planted fault
	$(PYTEST) $(ON_TWO_CORES) -m ""

TYPES := float64 float32 bfloat16 float16 mixed_bfloat16 mixed_float16
MODES := numpy-eager torch-eager tensorflow-eager tensorflow-graph jax-jit jax-eager tensorflow-xla torch-compile onnxruntime-full onnxruntime-unoptimized
ANSWERS := results/check-all
KIT := $(foreach type,$(TYPES),$(MODES:%=$(ANSWERS)/kit-%-$(type).txt))
ZOO := $(foreach type,float64 float32 bfloat16,$(ANSWERS)/zoo-$(type).txt)
ONE_IN_ALL := $(ANSWERS)/resnet50.txt
SUPPORTS_NONE_IS_AN_ANSWER := || test $$? = 4
part = $(word $(1),$(subst -, ,$*))

.PHONY: check-all
check-all: $(KIT) $(ZOO) $(ONE_IN_ALL)  ## every case in every mode and type, and the tiny zoo: hours (-j2 halves them); goes on where it stopped
	@for answer in $^; do echo "$$(basename $$answer .txt): $$(tail -n 1 $$answer)"; done

$(ANSWERS)/kit-%.txt: | $(INSTALLED)
	@mkdir -p $(ANSWERS)
	$(BIN)/dnnbench conformance $(call part,1):$(call part,2) --dtype $(call part,3) --details > $@.part 2>&1 $(SUPPORTS_NONE_IS_AN_ANSWER)
	@mv $@.part $@

$(ANSWERS)/zoo-%.txt: | $(INSTALLED)
	@mkdir -p $(ANSWERS)
	$(BIN)/dnnbench check 'all[tiny]' --backend all --dtype $* --details > $@.part 2>&1
	@mv $@.part $@

$(ONE_IN_ALL): | $(INSTALLED)
	@mkdir -p $(ANSWERS)
	$(BIN)/dnnbench check 'resnet50[tiny]' --backend all:all --dtype float64,float32,bfloat16 --details > $@.part 2>&1
	@mv $@.part $@

.PHONY: bench
bench: install  ## each arm beside the same network written by hand; what the harness itself costs
	$(PYTEST) tests/benchmarks --benchmark-enable --benchmark-only -p no:xdist

.PHONY: study
study: install  ## prove the measuring method: record trials of known truth, replay them, write docs/proof.md
	PYTHONPATH=tests/benchmarks $(BIN)/python -m study $(STUDY)

.PHONY: alarms
alarms: install  ## how often assert_not_slower is wrong: record equal functions, simulate others, write the tables of docs/in_tests.md
	PYTHONPATH=tests/benchmarks $(BIN)/python -m alarms $(ALARMS)

.PHONY: history-study
history-study: install  ## how often `history` is wrong: simulate nights, count, write docs/proof_history.md
	PYTHONPATH=tests/benchmarks $(BIN)/python -m history_study $(HISTORY)

.PHONY: commit-study
commit-study: install  ## how often `gate --git` is wrong: commits whose truth is known, end to end; write the tables of docs/gate.md
	PYTHONPATH=tests/benchmarks:tests $(BIN)/python -m commit_study $(COMMITS)

.PHONY: faults
faults: install  ## what a check catches: run planted faults and honest checks, write docs/faults.md
	PYTHONPATH=tests:tests/benchmarks:tests/faults $(BIN)/python -m fault_page $(FAULTS)

.PHONY: fidelity
fidelity: install  ## each arm beside twins that users would write; goes on where it stopped, writes docs/fidelity.md
	PYTHONPATH=tests/benchmarks $(BIN)/python -m fidelity $(FIDELITY)

.PHONY: docs
docs: install  ## the documents as a site, in build/site, that opens without a server and without a network
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet

.PHONY: dist
dist: install  ## sdists and wheels of both distributions, in dist/
	rm -rf dist
	$(BIN)/python -m build --outdir dist .
	$(BIN)/python -m build --outdir dist backends/dnnbench_onnxruntime

.PHONY: lint
lint: install  ## ruff, its formatter, the type checker, and an audit of the workflows
	$(BIN)/ruff check .
	$(BIN)/ruff format --check --quiet harness backends workloads tests
	$(BIN)/mypy
	$(BIN)/zizmor --offline --quiet --no-progress .github/workflows action.yml examples/ci/github-*.yml

.PHONY: ci-deps
ci-deps:  ## Debian packages that the browser, PostgreSQL and torch.compile tests need
	apt-get update -qq
	DEBIAN_FRONTEND=noninteractive apt-get install -y -qq chromium chromium-driver g++ postgresql > /dev/null

.PHONY: clean
clean:  ## remove .venv and caches
	rm -rf $(VENV) .mypy_cache .pytest_cache .ruff_cache build dist
