# Every target calls one script in bin/; CI calls the same ones.
SHELL := /bin/bash
.DEFAULT_GOAL := help
AREA ?= frame
export PORT DATA

help: ## List the commands
	@grep -hE '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

setup: ## Build .venv from the pinned requirements
	@bin/setup

run: ## Run the portal with demo data (PORT=8000 DATA=folder)
	@bin/run

demo: run ## The same as run

test: ## Run the tests without the slow ones
	@bin/test

prove: ## Run the proofs and benchmarks of an area (AREA=frame)
	@bin/prove $(AREA)

bench: ## Run the benchmarks of an area (AREA=frame)
	@bin/bench $(AREA)

e2e: ## Run the browser journeys
	@bin/test -m "slow or not slow" --timeout 900 tests/e2e

lint: ## Check style and format
	@bin/lint

types: ## Check types
	@bin/types

imports: ## Check the import contract
	@bin/imports

migrations: ## Check that every model change has its migration
	@bin/migrations-check

deploy: ## Check the settings of a production portal
	@bin/deploy-check

schema: ## Write docs/api/openapi.yaml
	@bin/schema

messages: ## Collect strings for translation
	@bin/messages

icons: ## Build the icon sprite
	@bin/icons

vendor: ## Refresh the vendored front-end files
	@bin/vendor

.PHONY: help setup run demo test prove bench e2e lint types imports migrations deploy schema messages icons vendor
