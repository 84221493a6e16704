# make run: everything from a fresh clone to the app on http://localhost:8501.  make test: the same, then every test.
PYTHON ?= python3
BIN := .venv/bin
PORT ?= 8501

.PHONY: run test lint evaluate benchmark clean

run: .venv/.app
	$(BIN)/streamlit run streamlit_app.py --server.port $(PORT)

test: .venv/.dev
	$(BIN)/ruff check .
	$(BIN)/python -m pytest -q

lint: .venv/.dev
	$(BIN)/ruff check --fix .

evaluate: .venv/.dev
	$(BIN)/python -m training.evaluate text

benchmark: .venv/.app
	$(BIN)/python -m benchmarks.latency

.venv/.app: requirements.txt
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.txt
	touch $@

.venv/.dev: requirements-dev.txt .venv/.app
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	touch $@

clean:
	rm -rf .venv .pytest_cache .ruff_cache
