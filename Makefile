# All set-up on a fresh machine with Python 3.11 or newer: `make demo` (`make demo QUICK=1`) and
# `make test` (`make test ORDER=7`: in a random order, the same one for the same number).

VENV ?= .venv
PYTHON ?= $(shell for python in python3.11 python3 python3.12 python3.13 python; do \
	$$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
	&& { command -v $$python; break; }; done)
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.manyshot-installed
TYPING := build/typing/manyshot
# Files of tests run at the same time; each worker takes about 3 GiB, with a server of its own.
WORKERS ?= 2

export UV_HTTP_TIMEOUT ?= 300
# Containers often set this; every server and command would then compile torch anew, for seconds.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: demo test explore faults fuzz soak lint floors docs bench clean

demo: $(INSTALLED)
	$(BIN)/manyshot server install
	$(BIN)/manyshot demo $(if $(QUICK),--quick)

test: lint
	$(BIN)/manyshot server install
	OMP_NUM_THREADS=$${OMP_NUM_THREADS:-1} $(BIN)/python -m pytest -q -n $(WORKERS) --dist loadfile \
		$(if $(ORDER),--random-order-bucket=module --random-order-seed=$(ORDER))

# Properties on new examples, ROUNDS times over: what `make test` never tries twice differently.
ROUNDS ?= 20
explore: $(INSTALLED)
	for round in $$(seq $(ROUNDS)); do \
		HYPOTHESIS_PROFILE=explore OMP_NUM_THREADS=1 $(BIN)/python -m pytest -q -n $(WORKERS) \
		--dist loadfile $$(grep -l hypothesis tests/*/test_*.py) || exit 1; done

# Every door to strangers' bytes, with coverage guidance, SECONDS each: what is found lies in
# build/fuzz/crashes. (atheris is for Linux and macOS, and for this alone.)
SECONDS ?= 120
DOORS ?= events comfyui_replies webui_replies images masks coco safetensors ledger metadata \
	manifest results recipes workflows class_files prompts infotexts
fuzz: $(INSTALLED)
	$(BIN)/uv pip install --quiet --python $(BIN)/python "atheris>=3.0"
	for door in $(DOORS); do $(BIN)/python tests/fuzz/fuzz.py $$door --seconds $(SECONDS) \
		--into build/fuzz || exit 1; done
	@! ls build/fuzz/crashes/* 2>/dev/null

# JOBS jobs with kills of the server and the driver: memory, descriptors, threads, the set exact.
JOBS ?= 200000
soak: $(INSTALLED)
	$(BIN)/python benchmarks/soak.py --jobs $(JOBS)

# Every call of the commands to the disk, to SQLite and for memory fails once, and the power is cut
# at every moment: an hour on two cores; `make test` tries some of each.
faults: $(INSTALLED)
	MANYSHOT_FAULTS=all OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n $(WORKERS) \
		tests/end_to_end/test_nth_fault.py tests/end_to_end/test_power_cut.py

lint: $(INSTALLED) $(TYPING)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/python tools/placeholder_names.py
	$(BIN)/pyright --pythonpath $(BIN)/python
	# AUTOMATIC1111, in which the extension runs, has Python 3.10
	$(BIN)/pyright --pythonpath $(BIN)/python --pythonversion 3.10 core webui \
		$(addprefix driver/,$(addsuffix .py,audit folder job ledger ledger_file \
		ledger_reader picture_files restore subjects take_over writer))

# The oldest packages that pyproject.toml allows, but for torch and what needs it.
FLOORS := build/floors/bin/python
floors: $(INSTALLED)
	$(BIN)/uv venv --quiet --allow-existing --python $(BIN)/python build/floors
	$(BIN)/uv pip install --quiet --python $(FLOORS) --resolution lowest-direct -e ".[export,notebook]" \
		$$(grep -E '^(pytest|pytest-timeout|hypothesis)==' constraints.txt)
	$(FLOORS) -m pytest -q -p no:cacheprovider -m "not server and not browser" $(addprefix \
		tests/,$(addsuffix .py,cli/test_cli_console core/test_core_files driver/test_export_archives \
		driver/test_export_coco driver/test_ledger cli/test_library core/test_masks_geometry \
		core/test_masks_read driver/test_plan cli/test_progress core/test_prompts \
		driver/test_recipe targets/test_webui_recipe driver/test_workflow_load))

# The command help in the docs and the recipes' schemas; tests say when they are out of date.
docs: $(INSTALLED)
	$(BIN)/python tools/recipe_schemas.py
	$(BIN)/python tools/command_docs.py

bench: $(INSTALLED)
	$(BIN)/manyshot server install
	$(BIN)/python benchmarks/driver.py
	$(BIN)/python benchmarks/uploads.py

clean:
	rm -rf build dist .venv .pytest_cache .ruff_cache .hypothesis

# Made again when what is to be installed changes.
$(INSTALLED): pyproject.toml constraints.txt
	@test -n "$(PYTHON)" || { echo "manyshot needs Python 3.11 or newer, and none is on the PATH:" \
		"install it, or name it with make PYTHON=/path/to/python." >&2; exit 2; }
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check uv
	$(BIN)/uv pip install --python $(BIN)/python -c constraints.txt -e ".[all,logging,dev]"
	touch $@

# The folder that holds this repository under the package's name, so that pyright finds
# `manyshot.…` in the tests whatever the checkout is called.
$(TYPING):
	mkdir -p $(@D)
	ln -sfn ../.. $@
