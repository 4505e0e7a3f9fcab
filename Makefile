# What people type. The logic is in scripts/setup, the build in Cargo.toml. CARGO_TARGET_DIR is respected throughout.
# Everything builds in the release profile, so that the HiGHS solver is compiled once (docs/decisions/0003-release-profile.md).

CARGO := cargo
FLAGS := --release --locked
# What is tested is what a release has: docs/decisions/0008-price-clients.md.
FULL := --features full

# A shell that was open while rustup ran does not have cargo on its PATH yet.
export PATH := $(PATH):$(or $(CARGO_HOME),$(HOME)/.cargo)/bin

.DEFAULT_GOAL := help
.PHONY: help setup demo test lint lintall bless bench clean

help: ## Show this list
	@sed -n 's/^\([a-z]*\):[^#]*## \(.*\)$$/  make \1|\2/p' Makefile | awk -F'|' '{ printf "%-16s%s\n", $$1, $$2 }'

setup: ## Install what the build needs: cmake, a C++ compiler, libclang
	@scripts/setup

demo: setup ## Plan the embedded example: gpuplan optimize --target -40%
	@echo 'demo: building gpuplan; the first time this compiles the HiGHS solver, a few minutes on two cores'
	$(CARGO) build $(FLAGS)
	$(CARGO) run $(FLAGS) --quiet -- optimize --target -40%

lint: setup ## Check formatting and lints, where rustfmt and clippy are installed
	@scripts/setup tools
	@if rustfmt --version >/dev/null 2>&1; then set -x; $(CARGO) fmt --check; fi
	@if cargo-clippy --version >/dev/null 2>&1; then set -x; $(CARGO) clippy $(FLAGS) $(LINTED) --all-targets -- -D warnings; fi

# Checking the SDKs takes minutes on top of building them, for the few files of ours that use them.
lintall: LINTED := $(FULL)
lintall: lint ## The same with every feature

# The test runner comes last: its closing lines are the answer.
test: lint ## Check formatting and lints, then run every test
	$(CARGO) test $(FLAGS) $(FULL)

bless: setup ## Rewrite the golden files under tests/golden; then read the diff
	BLESS=1 $(CARGO) test $(FLAGS) $(FULL) --test it
	git diff --stat -- tests/golden

bench: setup ## Time the plan of the embedded example
	$(CARGO) build $(FLAGS)
	bash -c 'time $(CARGO) run $(FLAGS) --quiet -- optimize >/dev/null'

clean: ## Remove build products and plans
	$(CARGO) clean
	rm -rf gpuplan-out
