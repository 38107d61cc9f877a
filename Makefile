# One folder of Markdown becomes a book and a newsletter; `make` lists what can be made.

PYTHON3 ?= python3
BIN     := .venv/bin
PYTHON  := $(BIN)/python
PIP     := $(PYTHON) -m pip --quiet --disable-pip-version-check
JUDGES  := build/judges
BENCH   := build/bench

# What is made depends on the content of its sources, not on their dates: a stamp file carries
# their checksum in its name. So file names may hold spaces, and a deleted chapter counts too.
SOURCES := $(shell find -L book.toml chapters layouts pipeline -type f ! -name '*.pyc' -print0 2>/dev/null \
             | LC_ALL=C sort -z | xargs -0 cksum | cksum | cut -d' ' -f1)

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help ebook newsletter preview deliver demo test check lint types layers bench load torture judges format clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-11s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

ebook: build/.ebook-$(SOURCES) ## make the PDF and the EPUB of every edition

newsletter: build/.issues-$(SOURCES) ## write the newsletter issues

preview: .venv/.ready ## show chapters in every output, in a browser, as you save them
	$(PYTHON) -m pipeline preview $(ARGS)

deliver: newsletter ## send what is due (by default into files below build/mail)
	$(PYTHON) -m outbox init --sample
	$(PYTHON) -m outbox work --once

demo: ebook newsletter ## play the whole story here: sign up, confirm, get the book, read, leave; nothing is sent
	$(PYTHON) -m outbox demo $(ARGS)

# A file of tests stays together: what it makes once, its tests share.
test: .venv/.ready-dev ## run the tests; ARGS="-k cover" runs some of them
	$(PYTHON) -m pytest --numprocesses auto --dist loadfile $(ARGS)

check: lint types layers test ## everything a change must pass

lint: .venv/.ready-dev ## look for mistakes of style and spelling
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/codespell

types: .venv/.ready-dev ## check the types
	$(BIN)/mypy

layers: .venv/.ready-dev ## check that every module imports only from below
	$(BIN)/lint-imports

bench: .venv/.ready-bench $(BENCH)/.ready ## measure the speed beside pandoc and MJML (docs/bench.md)
	$(PYTHON) -m tests.bench $(ARGS)

torture: .venv/.ready-dev ## kill senders at random and count who got what (docs/guarantees.md); SHORT=1 for less
	$(PYTHON) -m tests.outbox.torture $(ARGS)

load: .venv/.ready-dev ## ask the front door for 2,000 clicks and 500 sign-ups a second, and kill it (docs/bench.md)
	$(PYTHON) -m tests.bench_door $(ARGS)

judges: $(JUDGES)/.ready ## install the outside judges of books and letters (docs/judges.md)

format: .venv/.ready-dev ## put the code into its standard form
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

clean: ## remove what was made; .venv and the outbox stay
	rm -rf build

build/.ebook-$(SOURCES): .venv/.ready
	$(PYTHON) -m pipeline ebook
	@mkdir -p build && rm -f build/.ebook-* && touch $@

build/.issues-$(SOURCES): .venv/.ready
	$(PYTHON) -m pipeline newsletter
	@mkdir -p build && rm -f build/.issues-* && touch $@

# The lock files are whole, so nothing else is looked for: --no-deps.
.venv/.ready: requirements.lock .ci/build.lock
	@PYTHON3=$(PYTHON3) sh .ci/need book
	$(PYTHON3) -m venv .venv
	$(PIP) install --no-deps --require-hashes -r requirements.lock -r .ci/build.lock
	$(PIP) install --no-deps --no-build-isolation --editable .
	@touch $@

.venv/.ready-dev: requirements-dev.lock .venv/.ready
	$(PIP) install --no-deps --require-hashes -r requirements-dev.lock
	@touch $@

.venv/.ready-bench: requirements-bench.lock .venv/.ready
	$(PIP) install --no-deps --require-hashes -r requirements-bench.lock
	@touch $@

$(JUDGES)/.ready: .ci/package.json .ci/package-lock.json $(JUDGES)/commonmark.json
	@sh .ci/need judges
	cp .ci/package.json .ci/package-lock.json $(JUDGES)
	cd $(JUDGES) && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
	@touch $@

$(BENCH)/.ready: .ci/bench/package.json .ci/bench/package-lock.json
	@sh .ci/need bench
	@mkdir -p $(BENCH)
	cp .ci/bench/package.json .ci/bench/package-lock.json $(BENCH)
	cd $(BENCH) && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
	@touch $@

# The examples of the CommonMark specification, out of the parser's own source archive.
$(JUDGES)/commonmark.json: .venv/.ready-dev
	@mkdir -p $(JUDGES)/sdist
	sed -n '/^markdown-it-py==/,/# via/p' requirements-dev.lock > $(JUDGES)/sdist/wanted.txt
	$(PIP) download --no-deps --no-binary :all: --require-hashes -r $(JUDGES)/sdist/wanted.txt -d $(JUDGES)/sdist
	tar -xzOf $(JUDGES)/sdist/*.tar.gz --wildcards '*/test_cmark_spec/commonmark.json' > $@
