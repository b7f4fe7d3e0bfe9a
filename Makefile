# Two commands: `make run` serves Rahhal, `make test` tests it. Nothing to install first but Python >= 3.11.

.DEFAULT_GOAL := help
.PHONY: help run test check eval bench environment environment-dev environment-eval

PY := .venv/bin/python
PIP_INSTALL := $(PY) -m pip install --quiet --disable-pip-version-check --no-input --require-hashes

help: ## this list
	@sed -n 's/^\([a-z]*\):.*## /  make \1	/p' Makefile

run: environment ## set everything up and serve (web chat on http://localhost:8080)
	@exec $(PY) -m bot run

test: environment-dev ## every test; those in a browser where there is a Chromium (ARGS="-k words" for some)
	@exec $(PY) -m pytest -n 2 $(ARGS)

check: environment-dev ## lint, format, types, the direction of imports, and migrations that could block
	@$(PY) -m ruff check .
	@$(PY) -m ruff format --check .
	@$(PY) -m mypy
	@.venv/bin/lint-imports
	@.venv/bin/squawk db/migrations/*.sql

eval: environment-eval ## how well messages are understood, slot by slot, beside dateparser (ARGS="--wrong gulf"; ARGS=predictions)
	@$(PY) -m tests.evaluation $(ARGS)

bench: environment-eval ## how fast, beside a peer measured in the same run (ARGS="understanding --json")
	@$(PY) -m bot bench $(ARGS)

# A virtual environment in the project. It is filled again only when the checksum of its lock file changes; the
# development lock contains the other one, so filling from it satisfies both.
environment: .venv/usable
	@sum=$$(cksum < requirements.lock); \
	if [ "$$sum" != "$$(cat .venv/installed 2>/dev/null)" ]; then \
		echo "Installing what Rahhal needs (once) ..."; \
		$(PIP_INSTALL) -r requirements.lock && echo "$$sum" > .venv/installed; \
	fi

environment-dev: .venv/usable
	@sum=$$(cat requirements.lock requirements-dev.lock | cksum); \
	if [ "$$sum" != "$$(cat .venv/installed-dev 2>/dev/null)" ]; then \
		echo "Installing what Rahhal and its tests need (once) ..."; \
		$(PIP_INSTALL) -r requirements-dev.lock && echo "$$sum" > .venv/installed-dev && \
		cksum < requirements.lock > .venv/installed; \
	fi

# What is measured beside us; nothing of it is needed to run or to test.
environment-eval: environment-dev
	@sum=$$(cksum < requirements-eval.lock); \
	if [ "$$sum" != "$$(cat .venv/installed-eval 2>/dev/null)" ]; then \
		echo "Installing what Rahhal is measured against (once) ..."; \
		$(PIP_INSTALL) -r requirements-eval.lock && echo "$$sum" > .venv/installed-eval; \
	fi

# Made anew when its Python is gone or was only half set up.
.PHONY: .venv/usable
.venv/usable:
	@$(PY) -c 'import pip' 2>/dev/null && exit 0; \
	old=; \
	for python in $(PYTHON) python3.13 python3.12 python3.11 python3; do \
		"$$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || continue; \
		old=$$python; \
		"$$python" -c 'import venv, ensurepip' 2>/dev/null || continue; \
		rm -rf .venv && "$$python" -m venv .venv && exit 0; \
		echo "$$python could not make a virtual environment in .venv" >&2; exit 1; \
	done; \
	if [ -n "$$old" ]; then \
		echo "$$old has no venv module. On Debian or Ubuntu: apt install python3-venv" >&2; \
	else \
		echo "Rahhal needs Python 3.11 or newer (looked for python3.13, python3.12, python3.11, python3)." >&2; \
	fi; \
	exit 1
