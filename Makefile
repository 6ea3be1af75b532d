# The few commands to know. Everything else is `cargo` and `aigen`.
.DEFAULT_GOAL := help
.PHONY: help demo test ci

PYTHON := $(CURDIR)/target/python/bin/python
NODE := $(CURDIR)/target/node

help: ## Show this list
	@sed -n 's/^\([a-z]*\): .*## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST)

demo: ## Build AiGen and show it: a node, a controller, an epoch, who was paid
	scripts/setup
	cargo run --locked --package aigen -- demo

test: ## Run every test, with other people's SDKs among the clients
	scripts/setup --tests
	AIGEN_TEST_PYTHON=$(PYTHON) AIGEN_TEST_NODE=$(NODE) cargo test --locked --workspace

ci: ## Do what CI does: the tests, then every check
	.ci/run
