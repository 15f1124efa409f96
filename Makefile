# `make run` on a fresh Debian or Ubuntu needs python3 (3.11 or newer), python3-venv and make; `make test` says what it needs.
PORT ?= 8000
HOST ?= 127.0.0.1
ARGS ?=
CONSULT_DEMO ?= 1
bin := .venv/bin
checks := check-ruff check-format check-types check-imports check-templates check-security check-unused
export PYTHONUNBUFFERED := 1

.PHONY: help run test check bench prove mutants scale assets screenshots strings clean $(checks)

help:
	@echo "make run          set up and serve at http://$(HOST):$(PORT) with the demonstration (PORT=…, CONSULT_DEMO=0)"
	@echo "make test         all tests (ARGS='-k signing')"
	@echo "make check        lint, types, import contracts, templates, security: about a minute"
	@echo "make bench        figures beside their floors, one JSON object a line (ARGS='pages checkins')"
	@echo "make scale        several processes behind nginx on a large site, one of them killed (ARGS=--small)"
	@echo "make prove        what holds when things go wrong, a line each, also into docs/reliability.md (ARGS='kill tampering')"
	@echo "make mutants      mistakes put into modules that carry rules; prints those that no test notices"
	@echo "                  (MODULES='consult_app/signoff/gate.py', ARGS=--reach)"
	@echo "make assets       build static/dist/ anew"
	@echo "make screenshots  pictures of the pages, both languages, light and dark"
	@echo "make strings      bring the catalogues up to date with the sources; prints what is left to translate"
	@echo "make clean        remove what set-up made; data under var/ stays"

run:
	@tools/setup.sh run
	@CONSULT_DEMO=$(CONSULT_DEMO) exec $(bin)/consult serve --host $(HOST) --port $(PORT)

test:
	@tools/setup.sh test
	$(bin)/pytest -n 2 --dist loadgroup -q $(ARGS)

bench:
	@tools/setup.sh test
	$(bin)/python -m benchmarks $(ARGS)

scale:
	@tools/setup.sh scale
	$(bin)/python -m benchmarks.scale $(ARGS)

prove:
	@tools/setup.sh test
	$(bin)/python -m proofs --write docs/reliability.md $(ARGS)

mutants:
	@tools/setup.sh test
	$(bin)/python -m tools.mutants $(ARGS) $(MODULES)

check:
	@tools/setup.sh check
	@$(MAKE) --no-print-directory --keep-going --jobs=2 --output-sync=target $(checks)

check-ruff:
	$(bin)/ruff check .
check-format:
	$(bin)/ruff format --check .
check-types:
	$(bin)/mypy
check-imports:
	$(bin)/lint-imports
check-templates:
	$(bin)/djlint templates --lint --quiet
check-security:
	$(bin)/bandit --quiet --severity-level medium --configfile pyproject.toml --recursive consult_app config.py wsgi.py
check-unused:
	$(bin)/vulture

assets:
	@rm -f .venv/.stamps/assets
	@tools/setup.sh run
	@cat static/dist/manifest.json

screenshots:
	@tools/setup.sh test
	$(bin)/python tools/screenshots.py $(ARGS)

strings:
	@tools/setup.sh check
	@$(bin)/python tools/strings.py

clean:
	rm -rf .venv .tools node_modules static/dist .mypy_cache .ruff_cache .pytest_cache .hypothesis *.egg-info
	find . -name __pycache__ -not -path './var/*' -prune -exec rm -rf {} +
