# python3 ≥ 3.11 is all that is needed; uv is used if present.
PYTHON ?= python3
BIN := .venv/bin
STAMP := .venv/.ready


.DEFAULT_GOAL := help
.PHONY: help setup constraints demo engine-demo faults test check bench long docs clean hooks

help:  ## what can be made
	@awk -F':.*## ' '/^[a-z-]+:.*## /{printf "make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(STAMP)  ## install what everything needs into .venv

$(STAMP): pyproject.toml constraints.txt src/zhixin_web/locale/en/LC_MESSAGES/django.po
	@UV=$$(command -v uv || echo .uv/bin/uv); \
	if [ ! -x "$$UV" ]; then $(PYTHON) -m venv .uv && .uv/bin/python -m pip --quiet --disable-pip-version-check install uv; fi; \
	test -x $(BIN)/python || $$UV venv --quiet --python "$$($(PYTHON) -c 'import sys; print(sys.executable)')" .venv; \
	$$UV pip install --quiet --compile-bytecode --python $(BIN)/python --constraint constraints.txt --group dev --group bench --editable '.[spark,web]'
	$(BIN)/python src/zhixin_web/locale/compile.py
	@touch $(STAMP)

constraints: setup  ## resolve the pinned versions anew
	$$(command -v uv || echo .uv/bin/uv) pip compile --quiet --universal --no-header --no-annotate --no-emit-index-url --all-extras --group dev --group bench pyproject.toml --output-file constraints.txt

demo: setup  ## serve the site with a fictional city on http://127.0.0.1:8000
	ZHIXIN_DEMO=1 ZHIXIN_VAR=demo-var $(BIN)/zhixin-web demo

engine-demo: setup  ## the engine alone: Chicago, then a fictional Zhengzhou
	$(BIN)/zhixin demo --out demo-out

test: setup  ## the whole suite, on SQLite and PostgreSQL
	$(BIN)/python -m pytest -m "not long" -n auto --dist loadfile --no-loadscope-reorder
	$(BIN)/python tests/web/on_postgresql.py

faults: setup  ## kill writers 1,300 times and look whether anything is lost
	$(BIN)/python benchmarks/faults.py --database sqlite --kills 1000
	$(BIN)/python benchmarks/faults.py --database postgresql --kills 300

check: setup  ## format, lint, types, walls, rulebooks, migrations, generated docs
	$(BIN)/ruff format --check src tests benchmarks docs
	$(BIN)/ruff check src tests benchmarks docs
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/djlint src/zhixin_web --lint --quiet
	$(BIN)/yamllint --strict rulebooks procedures sources glossary.yaml
	@for folder in rulebooks/*/; do $(BIN)/zhixin check --no-warnings $$folder || exit 1; done
	@for file in procedures/*.yaml; do $(BIN)/zhixin check $$file || exit 1; done
	ZHIXIN_VAR=$$(mktemp -d) $(BIN)/zhixin-web makemigrations --check --dry-run
	$(BIN)/python docs/generate.py --check

docs: setup  ## write the generated pages of docs anew
	$(BIN)/python docs/generate.py

long: setup  ## fault, load and random tests that take minutes
	ZHIXIN_LONG=1 $(BIN)/python -m pytest -m long
	ZHIXIN_LONG=1 $(BIN)/python -m pytest tests/property -m "not long" -n auto

bench: setup  ## measure the engine against hand-written code
	$(BIN)/python benchmarks/run.py

hooks: setup  ## run the fast checks before every commit
	$(BIN)/pre-commit install

clean:  ## remove what make has made
	rm -rf .venv .uv demo-out demo-var .bench build dist
