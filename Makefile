.DEFAULT_GOAL := help
PYTHON ?= python3
FAST := -m "not rasa and not browser and not processes and not model"
REAL := -m "rasa or browser or processes or model"
TWO := -n 2 --dist load

.PHONY: help run test setup fast check report bench lock clean

help: ## list what can be made
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sort | awk -F ':.*## ' '{printf "  make %-8s %s\n", $$1, $$2}'

run: setup ## start everything and print the address of the simulator
	@.venv/bin/python scripts/run.py

setup: ## build both environments and train the model, where they are not up to date
	@$(PYTHON) scripts/setup.py

test: ## install what is missing and run every check and every test
	@$(PYTHON) scripts/setup.py --dev
	@$(PYTHON) scripts/chromium.py
	@$(MAKE) --no-print-directory check
	.venv/bin/python -m pytest $(TWO) $(FAST)
	.venv/bin/python -m pytest $(REAL)

fast: ## the quick tests alone, on SQLite, with fewer made-up cases
	@.venv/bin/python -m pytest $(TWO) $(FAST) -k "not postgresql" --hypothesis-profile=quick

check: ## ruff and mypy
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/mypy
	@echo "mypy, in Rasa's environment:"
	@.venv/bin/mypy --config-file nlu/mypy.ini --python-executable .venv-nlu/bin/python nlu/components/*.py nlu/train.py nlu/training_data.py

report: ## how well the model hears messages it was not trained on (Rasa must be running)
	@.venv/bin/python -m nlu.evaluate tests/nlu/held_out.jsonl

lock: ## write the locks anew from requirements*.in (needs uv)
	uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --no-annotate requirements.in -o requirements.txt
	uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --no-annotate requirements-dev.in -o requirements-dev.txt

bench: ## how fast it starts and answers, sends, and plans (on a quiet machine; docs/benchmarks.md)
	@.venv/bin/python -m benchmarks.start
	@.venv/bin/python -m benchmarks.dispatch
	@.venv/bin/python -m benchmarks.dispatch --database postgresql
	@.venv/bin/python -m benchmarks.planning --sizes 10000,100000

clean: ## remove the environments, the model and the demo's data
	rm -rf .venv .venv-nlu models var
