# SPDX-License-Identifier: BSD-3-Clause
#
# The front doors. Each brings whatever set-up it lacks.
#
#   make demo                                   identify, hello world and a short benchmark, on the software SSD
#   make test                                   every test of the project, in one session
#   make test TESTS=scripts/my_test.py::test_x pciaddr=01:00.0
#                                               scripts of your own, on a drive of your own; keeps test.log
#   make test-vm                                only the tests in the QEMU guest
#   make test-long                              every test, in its long form
#   make fuzz [TARGET=command] [SECONDS=60]     hostile input for the drive, the driver, all parsers
#                                               and every call of the extension
#   make mutate [ARGS="--seed 7"]               how many small faults in the sources the tests find;
#                                               see docs/mutation.md
#   make bench                                  a table of figures
#   make vscode                                 the extension for VSCode, build/pynvme-console-*.vsix
#   make setup [pciaddr=01:00.0]                take the drive (or every unused one) from the kernel
#   make reset [pciaddr=01:00.0]                give it back
#   make clean                                  take away what was built; .venv stays
#   make help                                   this text

SHELL := /bin/bash
.SHELLFLAGS := -o pipefail -c
.PHONY: all help demo test test-vm test-long fuzz mutate bench vscode setup reset clean
.DELETE_ON_ERROR:

python := .venv/bin/python
sudo := $(if $(filter 0,$(shell id -u)),,sudo)

# Scripts of users see the plugin as any other folder would; the project's own session starts
# the package only in its children, where it is built with sanitizers or runs in a guest.
TESTS ?=
pciaddr ?=
ARGS ?=
own := -m pytest -p no:nvme -ra $(ARGS)

all:
	@./install.sh

# The head of this file, up to its first empty line.
help:
	@sed -n '3,/^$$/{s/^# \{0,1\}//;p}' $(firstword $(MAKEFILE_LIST))

.DEFAULT:
	@echo "make: unknown target $@; 'make help' lists those there are" >&2; exit 2

demo:
	@./install.sh
	@$(python) scripts/demo.py

test:
ifeq ($(TESTS)$(pciaddr),)
	@./install.sh --tests
	@$(python) $(own) 2>&1 | tee test.log
else
	@./install.sh
	@$(if $(pciaddr),$(sudo)) $(python) -m pytest $(or $(TESTS),tests/api) \
		$(if $(pciaddr),--pciaddr=$(pciaddr)) $(ARGS) 2>&1 | tee test.log
endif

test-vm:
	@./install.sh --tests
	@$(python) $(own) tests/vm tests/rings/ring_guest.py \
		tests/rings/ring_nvmet.py 2>&1 | tee test.log

# Standard error, where the line of progress is, stays a terminal if it is one.
test-long:
	@./install.sh --long-tests
	@$(python) $(own) --long | tee test.log

# Not named SECONDS in the environment: bash counts with that.
fuzz:
	@./install.sh --tests
	@FUZZ_TARGET=$(TARGET) FUZZ_SECONDS=$(or $(SECONDS),60) $(python) $(own) \
		tests/rings/ring_fuzz.py 2>&1 | tee test.log

# Of universalmutator only the rules are used, and they need nothing else.
mutate:
	@./install.sh --tests
	@$(python) -m pip --disable-pip-version-check -q install --no-deps -c constraints.txt \
		coverage universalmutator
	@PYTHONPATH=tests nice $(python) -m mutate $(ARGS)

bench:
	@./install.sh
	@$(python) bench/run.py $(ARGS)

vscode:
	@vscode/package.sh

setup:
	@$(sudo) scripts/setup.sh bind $(pciaddr)

reset:
	@$(sudo) scripts/setup.sh release $(pciaddr)

clean:
	rm -rf build test.log .pytest_cache .mypy_cache .ruff_cache .hypothesis .venv/built
