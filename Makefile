# make setup · demo · engine-demo · test · check · bench · long · docs — python3 ≥ 3.11 is all that is needed; uv is used if present.
PYTHON ?= python3
BIN := .venv/bin
STAMP := .venv/.ready


.PHONY: setup constraints demo engine-demo faults test check bench long docs clean

setup: $(STAMP)

$(STAMP): pyproject.toml constraints.txt src/zhixin_web/locale/en/LC_MESSAGES/django.po
	@UV=$$(command -v uv || echo .uv/bin/uv); \
	if [ ! -x "$$UV" ]; then $(PYTHON) -m venv .uv && .uv/bin/python -m pip --quiet --disable-pip-version-check install uv; fi; \
	test -x $(BIN)/python || $$UV venv --quiet --python "$$($(PYTHON) -c 'import sys; print(sys.executable)')" .venv; \
	$$UV pip install --quiet --python $(BIN)/python --constraint constraints.txt --group dev --group bench --editable '.[spark,web]'
	$(BIN)/python src/zhixin_web/locale/compile.py
	@touch $(STAMP)

constraints:
	uv pip compile --quiet --universal --no-header --no-annotate --no-emit-index-url --all-extras --group dev --group bench pyproject.toml --output-file constraints.txt

demo: setup
	ZHIXIN_DEMO=1 ZHIXIN_VAR=demo-var $(BIN)/zhixin-web demo

engine-demo: setup
	$(BIN)/zhixin demo --out demo-out

test: setup
	$(BIN)/python -m pytest -m "not long" -n auto --dist loadfile --no-loadscope-reorder
	$(BIN)/python tests/web/on_postgresql.py

faults: setup
	$(BIN)/python benchmarks/faults.py --database sqlite --kills 1000
	$(BIN)/python benchmarks/faults.py --database postgresql --kills 300

check: setup
	$(BIN)/ruff format --check src tests benchmarks docs
	$(BIN)/ruff check src tests benchmarks docs
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/yamllint --strict rulebooks sources glossary.yaml
	@for folder in rulebooks/*/; do $(BIN)/zhixin check --no-warnings $$folder || exit 1; done
	ZHIXIN_VAR=$$(mktemp -d) $(BIN)/zhixin-web makemigrations --check --dry-run
	$(BIN)/python docs/generate.py --check

docs: setup
	$(BIN)/python docs/generate.py

long: setup
	ZHIXIN_LONG=1 $(BIN)/python -m pytest -m long

bench: setup
	$(BIN)/python benchmarks/run.py

clean:
	rm -rf .venv .uv demo-out demo-var .bench build dist
