# Two commands for a fresh machine: `make demo` opens the demo page, `make test` runs every check.
PYTHON ?= python3
VENV := .venv
VENV3 := .venv-gradio3
PY := $(VENV)/bin/python
PIP := $(PY) -m pip install --quiet --disable-pip-version-check
export OMP_NUM_THREADS ?= 1
export GRADIO_ANALYTICS_ENABLED := False
export HF_HUB_OFFLINE := 1

.PHONY: demo test lint unit javascript host browser bench bench-quick clean

demo: $(VENV)/demo.ready
	$(PY) -m demo

# Fast checks first: a mistake should be told within seconds, not after the browser.
test: $(VENV)/test.ready $(VENV3)/test.ready lint javascript unit host browser

lint:
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .
	$(PY) -m mypy

javascript:
	$(PY) tests/javascript/run.py

unit:
	$(PY) -m pytest -q -m "not demo and not browser"

host:
	$(PY) -m pytest -q -m "demo and not browser"

browser:
	$(PY) -m pytest -q -m browser

# Figures, not tests: one table and build/bench.json. The quick one measures slices of the models.
bench: $(VENV)/test.ready
	$(PY) -W ignore -m tests.bench

bench-quick: $(VENV)/test.ready
	$(PY) -W ignore -m tests.bench quick

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/demo.ready: demo/requirements.txt demo/requirements-bare.txt demo/constraints.txt | $(VENV)/bin/python
	$(PIP) -r demo/requirements.txt
	$(PIP) --no-deps -r demo/requirements-bare.txt
	$(PY) -m demo.make_tokenizer
	touch $@

$(VENV)/test.ready: tests/requirements.txt $(VENV)/demo.ready
	$(PIP) -r tests/requirements.txt
	touch $@

# The second environment holds gradio 3 and what it pins; everything else comes from the first through a .pth file.
$(VENV3)/test.ready: tests/requirements-gradio3.txt $(VENV)/test.ready
	$(PYTHON) -m venv $(VENV3)
	$(VENV3)/bin/python -m pip install --quiet --disable-pip-version-check -r tests/requirements-gradio3.txt
	$(VENV3)/bin/python -c "import subprocess, sysconfig, pathlib; \
	first = subprocess.check_output(['$(PY)', '-c', 'import sysconfig; print(sysconfig.get_path(\"purelib\"))'], text=True); \
	pathlib.Path(sysconfig.get_path('purelib'), 'first.pth').write_text(first)"
	touch $@

clean:
	rm -rf $(VENV) $(VENV3) build .pytest_cache .mypy_cache .ruff_cache
