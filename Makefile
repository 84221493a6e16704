# make run: from a fresh clone to the app on http://localhost:8501.   make test: checks, documentation and every test.
PYTHON ?= python3
BIN := .venv/bin
PORT ?= 8501
ADDRESS ?= localhost
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check

.PHONY: run test check format docs serve-docs wheel requirements results evaluate benchmark clean

# With ADDRESS=0.0.0.0 other machines are let in; then visitors may neither name directories as checkpoints nor start downloads.
run: .venv/.app
	$(BIN)/python -m hwr_core serve --port $(PORT) --address $(ADDRESS)

test: check docs
	$(BIN)/python -m pytest -q

check: .venv/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check --quiet .
	$(BIN)/python tools/requirements.py --check
	$(BIN)/python tools/results.py --check
	$(BIN)/lint-imports --no-cache
	$(BIN)/mypy

format: .venv/.dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

docs: .venv/.dev
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet

serve-docs: .venv/.dev
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs serve

wheel: .venv/.dev
	$(BIN)/python -m build --wheel --no-isolation --outdir dist .

requirements:
	$(PYTHON) tools/requirements.py

results:
	$(PYTHON) tools/results.py

evaluate: .venv/.dev
	$(BIN)/python -m training.evaluate text

benchmark: .venv/.dev
	$(BIN)/python -m benchmarks.latency --results docs/results
	$(BIN)/python -m benchmarks.throughput --results docs/results
	$(BIN)/python -m benchmarks.strokes
	$(BIN)/python -m benchmarks.memory

.venv/.app: requirements.txt
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(PIP) -r requirements.txt
	touch $@

.venv/.dev: requirements-dev.txt .venv/.app
	$(PIP) -r requirements-dev.txt
	$(PIP) --no-deps kraken==7.1.1  # its reader of ALTO and PAGE, for a test; its other packages do not fit ours
	touch $@

clean:
	rm -rf .venv .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache dist site
