# The commands of Account Access; `make` alone lists them. Each first makes .venv as requirements.lock says.
.PHONY: help run test test-real train tune lint lock chat bench bench-reminders bench-planning evaluate compare learning-curve lint-data
.DEFAULT_GOAL := help

# The first Python that really runs: a version manager's shim on PATH may exist and fail.
PYTHON := $(shell for p in python3 python python3.13 python3.12 python3.11 python3.10 /usr/bin/python3; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 6))' >/dev/null 2>&1 && echo $$p && break; done)
OPS = @$(if $(PYTHON),exec $(PYTHON) -m ops.bootstrap,echo "No Python 3 runs here: install one, then run make again."; exit 1;)

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## /make \1	/p' $(MAKEFILE_LIST) | expand -t 22

run: ## start everything and say where to open it; Ctrl-C ends it (ARGS="--ports-from 18000 --home DIR")
	$(OPS) run $(ARGS)

test: ## every check that needs neither root nor Debian packages
	$(OPS) test $(ARGS)

test-real: ## the same loop in Chromium and against real servers; installs them, so it may need root
	$(OPS) test-real $(ARGS)

train: ## train the model, if anything it is made of changed
	$(OPS) train $(ARGS)

tune: ## teach the sentence encoder our intents anew (many minutes; rarely, see docs/ml-staff.md)
	$(OPS) tune $(ARGS)

lint: ## style and import rules alone
	$(OPS) lint $(ARGS)

lock: ## write requirements.lock anew from pyproject.toml
	$(OPS) lock $(ARGS)

chat: ## the conversation in a terminal, while `make run` runs: make chat AS=dana (ARGS=--json for scripts)
	$(OPS) chat $(or $(AS),dana) $(ARGS)

bench: ## measure against stock Rasa, in the same run
	$(OPS) bench $(ARGS)

bench-reminders: ## thousands of reminders due at once, against stock Rasa (ARGS="--people 1000")
	$(OPS) bench-reminders $(ARGS)

bench-planning: ## reading and planning a large directory: seconds and memory (ARGS="--people 20000")
	$(OPS) bench-planning $(ARGS)

evaluate: ## report card of the model: make evaluate SET=tests/nlu/adversarial (PUBLISH=1 writes docs/report-card.*)
	$(OPS) evaluate $(if $(SET),--set $(SET)) $(if $(PUBLISH),--publish) $(ARGS)

compare: ## pipelines side by side: make compare CONFIGS="config.yml other.yml" FOLDS=5
	$(OPS) compare $(if $(CONFIGS),--configs $(CONFIGS)) $(if $(FOLDS),--folds $(FOLDS)) $(ARGS)

learning-curve: ## what more training data would bring, as a table and a picture
	$(OPS) learning-curve $(ARGS)

lint-data: ## slips in phrases, responses and intents: file, line and what to do
	$(OPS) lint-data $(ARGS)
