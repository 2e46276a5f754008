# The commands of the project. Everything is done by Node; this file brings the Node that the lockfile names.
NAME := default
node := node_modules/.bin/node
.DEFAULT_GOAL := help

help: ## what can be done
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

node_modules/.installed: package-lock.json
	@npm ci --no-audit --no-fund --loglevel=error
	@touch $@

up: node_modules/.installed ## a cluster on this machine with the platform and the shop; NAME=default
	@$(node) cluster/main.ts up $(NAME)

down: node_modules/.installed ## remove that cluster, and nothing else
	@$(node) cluster/main.ts down $(NAME)

status urls kubeconfig kubectl: node_modules/.installed
	@$(node) cluster/main.ts $@ $(NAME)

tools: node_modules/.installed ## compile and install what up and test start
	@$(node) cluster/main.ts tools

check: node_modules/.installed ## the quick part of the tests
	@$(node) test/run.ts check

test: node_modules/.installed ## every test, on a cluster of its own
	@$(node) test/run.ts all

generate: node_modules/.installed ## types, chart copy and reference from the resource's definition
	@$(node) operator/generate.ts

.PHONY: help up down status urls kubeconfig kubectl tools check test generate
