# make run: everything from a fresh clone to the app on http://localhost:8501.  make test: the same, then every test.
PYTHON ?= python3
BIN := .venv/bin
PORT ?= 8501
ADDRESS ?= localhost

.PHONY: run test lint evaluate benchmark clean

# For this machine's own browser, which may therefore name directories as checkpoints. ADDRESS=0.0.0.0: for others too, who may not.
run: .venv/.app
	HWR_LOCAL_CHECKPOINTS=$(if $(filter localhost,$(ADDRESS)),1,0) $(BIN)/streamlit run server.py --server.port $(PORT) --server.address $(ADDRESS)

test: .venv/.dev
	$(BIN)/ruff check .
	$(BIN)/python -m pytest -q

lint: .venv/.dev
	$(BIN)/ruff check --fix .

evaluate: .venv/.dev
	$(BIN)/python -m training.evaluation.lines text

benchmark: .venv/.dev
	$(BIN)/python -m benchmarks.latency
	$(BIN)/python -m benchmarks.throughput
	$(BIN)/python -m benchmarks.memory

.venv/.app: requirements.txt requirements-shipped.txt
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.txt
	touch $@

.venv/.dev: requirements-dev.txt requirements-batch.txt .venv/.app
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	touch $@

clean:
	rm -rf .venv .pytest_cache .ruff_cache
