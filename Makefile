# Kurama. `make run` and `make test` do all the set-up that they need.
.DEFAULT_GOAL := help
.PHONY: help run test test-go test-sdk test-web bench faults deploys build web types dist lint clean setup screenshots

GO      ?= go
BIN     := bin/kurama
PAGES   := web/dist/console.html
WEB_SRC := $(shell find web -path web/node_modules -prune -o -path web/dist -prune -o -type f -print 2>/dev/null)
GO_SRC  := $(shell find . -path ./web/node_modules -prune -o -path ./data -prune -o \( -name '*.go' -o -name '*.sql' -o -path './sdk/python/kurama*' -o -path './examples/*' \) -type f -print) go.mod go.sum
ARGS    ?=

help: ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

run: $(BIN) ## install what is missing, start everything, deploy the demo app
	@$(BIN) setup
	@$(BIN) up $(ARGS)

build: $(BIN) ## bin/kurama with the pages inside

$(BIN): $(GO_SRC) $(PAGES)
	@echo "building $(BIN)"
	@CGO_ENABLED=0 $(GO) build -trimpath -o $(BIN) ./cmd/kurama

web: $(PAGES) ## the pages of the console and the dashboard

$(PAGES): $(WEB_SRC)
	@echo "building the pages"
	@cd web && { [ node_modules/.package-lock.json -nt package-lock.json ] || npm ci --no-audit --no-fund --loglevel=error; } && npm run --silent build -- --logLevel warn

types: ## the pages' types of the API, after a change of it
	$(GO) test -count=1 -run TestThePagesKnowTheAPIAsItIs ./paas/api -update
	cd web && node types.mjs

dist: $(PAGES) ## the program, a Debian package and an image, in dist/
	@packaging/dist.sh

setup: $(BIN) ## install and start what running and testing need
	@$(BIN) setup --test

test: setup lint test-web test-sdk test-go ## every test, with the race detector

test-go: $(BIN)
	$(GO) test -race -timeout 14m $$($(GO) list ./... | grep -v -e /e2e -e /faults)
	$(GO) test -timeout 14m -p 1 $$($(GO) list ./internal/... | grep -e /e2e -e /faults) # the real program wants the machine for itself

test-sdk: .tools/venv/ready
	cd sdk/python && ../../.tools/venv/bin/python -m unittest discover -s tests -q

test-web: $(PAGES)
	cd web && npm run --silent check && npm run --silent test

.tools/venv/ready: sdk/python/requirements-test.txt
	python3 -m venv .tools/venv
	.tools/venv/bin/pip install --quiet -r sdk/python/requirements-test.txt
	@touch $@

lint: $(PAGES) ## formatting, vet, staticcheck
	@files="$$(gofmt -l $$(git ls-files '*.go'))"; [ -z "$$files" ] || { echo "not formatted (run gofmt -w):"; echo "$$files"; exit 1; }
	$(GO) vet ./...
	$(GO) vet -tags long ./internal/e2e
	$(GO) tool staticcheck ./...

# The short form is part of test. KILLS, CUTS and SEED may be given.
faults: setup ## kill, freeze, starve and cut the power of everything, and the engine, for about an hour
	$(GO) test -tags long -count=1 -timeout 30m -v -run TestTheEngine ./internal/e2e
	$(GO) test -count=1 -timeout 150m -v ./internal/faults -args -long -kills $(or $(KILLS),150) -cuts $(or $(CUTS),20) -seed $(or $(SEED),0)

deploys: setup ## fifty changes of an app in a row under 100 requests/s: none fails; DEPLOYS=n for more
	$(GO) test -count=1 -timeout 60m -v -run TestDeploysFailNoRequest ./paas/deploy -args -deploys $(or $(DEPLOYS),50)

bench: setup .tools/venv/ready ## the figures of docs/benchmarks.md; ARGS="router sdk" for some
	@$(GO) run ./internal/bench $(ARGS)

screenshots: setup ## pictures of every page, light, dark, phone and wide, in test-results/
	LOOKS=all TRAFFIC=4m $(GO) test -count=1 -timeout 20m -run 'TestPages/each' ./internal/e2e

clean: ## what was built; DATA and the base image stay
	rm -rf bin dist web/node_modules .tools test-results
	find web/dist -mindepth 1 ! -name .gitkeep -delete
