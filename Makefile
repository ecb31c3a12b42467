# Everything is installed by these verbs themselves: Python 3.11 or newer, git and make are all a machine needs.
# Any newer Python may be named: make demo PYTHON=python3.13

PYTHON ?= python3
BIN := .venv/bin
INSTALLED := .venv/installed
NODE_TOOLS := node_modules/.package-lock.json
# PARAMETERS go to the stacks, as the environment hands them on, so that no shell reads them; ARGS to the command behind
# a verb, the CDK CLI or pytest.
PARAMETERS ?=
ARGS ?=
export PARAMETERS
# The environment to work with, only from make's command line: some shells have a variable of that name for their own.
export DEPLOYED_ENVIRONMENT = $(if $(filter command,$(origin ENV)),$(ENV))
# Node comes with a Python package into the virtual environment; jsii and the CDK CLI look it up by name.
export PATH := $(CURDIR)/.venv/bin:$(PATH)
# Without bytecode every process, and there are hundreds in a test run, compiles all that it imports. It is written at
# the first import: to compile every package at installation took more than 45 s of processor time, and to install 7 s.
unexport PYTHONPATH VIRTUAL_ENV PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help setup demo demo-entities demo-accounts demo-review test test-all simulate conformance check format openapi synth deploy diff destroy bench lock clean

help:  ## List the verbs
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-13s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: $(INSTALLED) $(NODE_TOOLS)  ## Install everything into .venv and node_modules

demo: setup  ## Deploy the app into a local cloud and walk a flywheel through its life
	@$(BIN)/python -m local demo

demo-entities: setup  ## The same, shorter, for a flywheel of entity recognition
	@$(BIN)/python -m local demo-entities

demo-accounts: setup  ## Train models in one account, import and serve them in another
	@$(BIN)/python -m local demo-accounts

demo-review: setup  ## Review what a model is not sure of in a real browser, and see what the next model has learned
	@$(BIN)/python -m local demo-review

test: setup  ## Run the tests, but for those that deploy the app
	@$(PYTEST) -m "not deploys" $(ARGS)

test-all: setup  ## Run every test
	@$(PYTEST) $(ARGS)

simulate: setup  ## Run SEEDS=10000 drawn schedules over the real definitions and handlers, in two modes, from FIRST_SEED=1
	@$(BIN)/python -m tests.simulation --seeds $(or $(SEEDS),10000) --first-seed $(or $(FIRST_SEED),1) --floor $(or $(FLOOR),20)

conformance: setup  ## What the documents leave open, asked of TARGET=local or, after showing the cost, TARGET=aws
	@$(BIN)/python -m tests.conformance $(or $(TARGET),local) $(ARGS)

check: setup  ## Style, imports, types, templates
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	PYTHONPATH=lambdas $(BIN)/lint-imports --no-cache
	$(BIN)/mypy app.py stacks lambdas/flywheel lambdas/handlers ops local tests benchmarks
	$(MAKE) --no-print-directory synth
	@# Those of environments are a folder below.
	$(BIN)/cfn-lint $$(find cdk.out -name '*.template.json')

format: setup  ## Format the code
	$(BIN)/ruff check --fix-only .
	$(BIN)/ruff format .

openapi: setup  ## Write the API's OpenAPI documents, docs/openapi*.json
	@PYTHONPATH=lambdas $(BIN)/python -m handlers.api.openapi docs

synth: setup  ## Synthesise the templates into cdk.out, checked by cdk-nag; needs no AWS account
	@rm -rf cdk.out
	@# Without a pattern the CLI says nothing of stacks in stages, and takes their errors for a success.
	@$(CDK) synth --quiet '**'

deploy: setup  ## Deploy to AWS: make deploy [ENV=prod] PARAMETERS="news-flywheel:TurnSchedule=rate(2 hours) ..." ARGS="..."
	@$(BIN)/python -m ops.deploy deploy $(ARGS) -- $(CDK)

diff: setup  ## Show what a deployment would change on AWS: make diff [ENV=prod]
	@$(BIN)/python -m ops.deploy diff $(ARGS) -- $(CDK)

destroy: setup  ## Ask, pause, let what runs end, then destroy the stacks on AWS: make destroy [ENV=prod]
	@$(BIN)/python -m ops.deploy destroy $(ARGS) -- $(CDK)

bench: setup  ## Measure: synthesis, upload preparation, analysis jobs, the review page
	$(BIN)/python benchmarks/synth.py
	$(BIN)/python benchmarks/prepare_upload.py
	$(BIN)/python -m benchmarks.largest_uploads
	$(BIN)/python -m benchmarks.hostile_uploads
	$(BIN)/python -m benchmarks.prepare_entities
	$(BIN)/python -m benchmarks.imports
	$(BIN)/python -m benchmarks.api
	$(BIN)/python -m benchmarks.analysis
	$(BIN)/python -m benchmarks.distinct
	$(BIN)/python -m benchmarks.review_page

lock: $(INSTALLED)  ## Compile the lock files from pyproject.toml and package.json
	$(COMPILE) pyproject.toml -o requirements.txt
	$(COMPILE) --extra dev pyproject.toml -o requirements-dev.txt
	for name in function aws-cli; do $(COMPILE) local/cloud/$$name-requirements.in -o local/cloud/$$name-requirements.txt; done
	$(BIN)/npm install --package-lock-only

clean:  ## Remove what was installed and built
	rm -rf .venv .local .cache node_modules cdk.out

PYTEST := $(BIN)/python -m pytest -n 3 --dist loadfile --no-loadscope-reorder
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps
CDK := $(BIN)/node node_modules/aws-cdk/bin/cdk
COMPILE := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --no-emit-index-url --no-emit-find-links \
	--no-annotate --custom-compile-command "make lock"

$(INSTALLED): requirements-dev.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "This project needs Python 3.11 or newer; " \
		+ sys.executable + " is " + sys.version.split()[0] + ". Name a newer one: make PYTHON=python3.13 ...")'
	@echo "Installing Python packages into .venv"
	@$(PYTHON) -m venv --clear .venv
	@# uv takes seconds where pip takes minutes; pip knows the mirrors that uv is not told of.
	@$(PIP) "$$(grep '^uv==' requirements-dev.txt)"
	@$(BIN)/uv pip sync --quiet --system-certs --python .venv requirements-dev.txt || $(PIP) -r requirements-dev.txt
	@$(BIN)/uv pip install --quiet --system-certs --python .venv --no-deps --editable . || $(PIP) --editable .
	@touch $@

$(NODE_TOOLS): $(INSTALLED) package.json package-lock.json
	@echo "Installing the CDK CLI into node_modules"
	@$(BIN)/npm ci --no-progress --loglevel=error
	@touch $@
