# `make` alone prints what there is.

PYTHON := .venv/bin/python
PACKAGES := nginx libnginx-mod-rtmp libnginx-mod-http-js libnginx-mod-stream libnginx-mod-stream-js
TEST_PACKAGES := ffmpeg mpv chromium fonts-wqy-zenhei iproute2 libfaketime openssl postgresql
# Each stamp is named after what it stands for, so a changed lock is installed and an unchanged one is not.
RUN_STAMP = .venv/.run-$(shell sha256sum <control/requirements.lock | cut -c1-16)
TEST_STAMP = .venv/.test-$(shell cat control/requirements.lock tests/requirements.lock | sha256sum | cut -c1-16)
AUDIT_STAMP = .audit/.lock-$(shell sha256sum <tests/audit.lock | cut -c1-16)
BENCH_STAMP = .bench/.lock-$(shell sha256sum <tests/bench/requirements.lock | cut -c1-16)
NODE_STAMP = tests/bench/peers/node_modules/.lock-$(shell sha256sum <tests/bench/peers/package-lock.json | cut -c1-16)
JS_STAMP = tests/js/node_modules/.lock-$(shell sha256sum <tests/js/package-lock.json | cut -c1-16)
# Any Node.js will do that is there already.
NODE_PACKAGES = $(if $(shell command -v npm >/dev/null && command -v node),,nodejs npm)
# Debian keeps half of venv in a package of its own.
VENV_PACKAGE = $(if $(wildcard .venv/.made),,$(shell python3 -c 'import ensurepip, venv' 2>/dev/null || echo python3-venv))
# A node that root starts runs as this user.
NODE_USER := $(or $(QPLUS_USER),qplus)
MAKE_USER = [ "$$(id -u)" -ne 0 ] || id -u $(NODE_USER) >/dev/null 2>&1 || \
	useradd --system --user-group --home-dir /nonexistent --shell /usr/sbin/nologin $(NODE_USER)
# So many tests at a time, one on each core; 0 for one after the other in one process, as a debugger needs it.
WORKERS := auto
# Besides the contract, what is tried over PostgreSQL too: storage, presence and what writes them down.
STORING = $(patsubst %,tests/unit/test_%.py,admission backup broadcast_events broadcast_store callbacks changes chats \
	console database hls_auth leases live_rooms log notices on_air_writer orders questions reconcile relays room_events \
	rotating samples store vault webhooks)
TOGETHER = -n $(WORKERS) --dist worksteal -m 'not alone'
# Two at once in one checkout take turns.
ONCE = @flock Makefile $(MAKE) --silent --no-print-directory

.PHONY: help
help:  ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-15s %s\n", $$1, $$2}' Makefile

.PHONY: run
run: export QPLUS_HTTP_PORT := $(or $(HTTP_PORT),$(QPLUS_HTTP_PORT),8080)
run: export QPLUS_RTMP_PORT := $(or $(RTMP_PORT),$(QPLUS_RTMP_PORT),1935)
run: export QPLUS_DATA_DIR := $(or $(DATA_DIR),$(QPLUS_DATA_DIR),var)
run:  ## run everything: HTTP_PORT=8080 RTMP_PORT=1935 DATA_DIR=var
	@nginx/install-debian.sh $(PACKAGES) $(VENV_PACKAGE)
	@$(MAKE_USER)
	$(ONCE) $(RUN_STAMP)
	@exec setpriv --pdeathsig TERM $(PYTHON) -m control run

.PHONY: upgrade
upgrade: export QPLUS_DATA_DIR := $(or $(DATA_DIR),$(QPLUS_DATA_DIR),var)
upgrade:  ## have the running node load new code, cutting no stream: DATA_DIR=var
	$(ONCE) $(RUN_STAMP)
	@$(PYTHON) -m control upgrade

.PHONY: test
# A folder that anybody may write to: nodes run as another user where root runs the tests.
test: export COVERAGE_FILE := $(CURDIR)/build/coverage/data
test: lint  ## all checks and tests (`make test-fast`: only the quick ones)
	@echo 'Running everything; make test-fast runs only the quick ones.'
	@install -d -m 1777 $(dir $(COVERAGE_FILE))
	@$(PYTHON) -m coverage erase
	$(PYTHON) -m coverage run -m pytest $(TOGETHER) tests/unit tests/contract
	$(PYTHON) -m pytest $(TOGETHER) --engine postgresql tests/contract $(STORING)
	$(PYTHON) -m coverage run -m pytest $(TOGETHER) tests/e2e tests/chaos
	$(PYTHON) -m coverage run -m pytest -m alone tests/e2e tests/chaos
	@$(PYTHON) -m coverage combine --quiet
	$(PYTHON) -m coverage report

.PHONY: test-fast
test-fast: tools  ## the quick tests only: WORKERS=auto
	$(PYTHON) -m pytest $(TOGETHER) tests/unit tests/contract

.PHONY: image
image:  ## build the container images
	docker compose -f docker/compose.yaml build
	docker compose -f docker/compose.cluster.yaml build

.PHONY: test-containers
test-containers: tools  ## test the containers under faults (needs a Docker engine; COMPOSE='docker compose')
	@docker info >/dev/null 2>&1 || { echo 'error: make test-containers: no Docker engine answers' >&2; exit 1; }
	$(PYTHON) -m pytest tests/containers

.PHONY: bench
bench: tools  ## what the product costs, over the least it could (needs wrk): QUICK=1 ONLY=joins
	@# Without them some rows are left out, which it says.
	-$(ONCE) $(BENCH_STAMP)
	-$(ONCE) $(NODE_STAMP)
	$(PYTHON) -m tests.bench $(if $(QUICK),--quick) $(ONLY)

.PHONY: bench-guard
bench-guard: tools  ## what the guard alone costs: QUICK=1
	$(PYTHON) -m tests.bench $(if $(QUICK),--quick) --out var/bench/guard guard

.PHONY: soak
soak: MINUTES ?= 10
soak: NODES ?= 1
soak: ROOMS ?= 20
soak: PLAYERS ?= 200
soak: KILLS ?= 0
soak: PLOT ?= var/soak.svg
soak: tools  ## people come and go, and counts are compared: MINUTES=10 NODES=1 ROOMS=20 PLAYERS=200 KILLS=0 PLOT=var/soak.svg
	$(PYTHON) -m tests.soak --minutes $(MINUTES) --nodes $(NODES) --rooms $(ROOMS) --players $(PLAYERS) --kills $(KILLS) --plot $(PLOT)

.PHONY: fuzz
fuzz: MINUTES ?= 5
fuzz: tools  ## random input to a real node, and to what reads strangers' bytes: MINUTES=5
	$(PYTHON) -m tests.fuzz --minutes $(MINUTES)

.PHONY: bench-attacks
bench-attacks: PAIRS ?= 2
bench-attacks: tools  ## what attacks cost those who join: PAIRS=2
	$(PYTHON) -m tests.bench.attacks $(PAIRS)

.PHONY: lint
lint: tools  ## ruff and mypy; eslint and tsc for JavaScript
	$(PYTHON) -m ruff check .
	$(PYTHON) -m ruff format --check .
	$(PYTHON) -m mypy --strict control tests
	tests/js/node_modules/.bin/eslint --config tests/js/eslint.config.mjs --max-warnings 0 control/web/static nginx \
		--no-error-on-unmatched-pattern
	tests/js/node_modules/.bin/tsc --project tests/js
	tests/js/node_modules/.bin/tsc --project tests/js/tsconfig.nginx.json

.PHONY: audit
audit: tools  ## known vulnerabilities, licences, bill of materials in var/; ends with 3 where nobody can be asked
	$(ONCE) $(AUDIT_STAMP)
	$(PYTHON) -m tests.support.audit

.PHONY: docs
docs: tools  ## make the page that is drawn from the code, docs/architecture.md
	$(PYTHON) -m tests.support.architecture

.PHONY: site
site: tools  ## build the docs as a site, in build/site
	$(PYTHON) -m zensical build --strict

.PHONY: lock
lock:  ## settle the versions of all dependencies anew, with their hashes
	@set -e; tools=$$(mktemp -d); trap 'rm -rf "$$tools"' EXIT; \
	python3 -m venv "$$tools"; "$$tools/bin/python" -m pip install --quiet uv; \
	compile() { "$$tools/bin/uv" pip compile --quiet --universal --python-version 3.11 \
		--generate-hashes --no-header --no-annotate "$$@"; }; \
	compile pyproject.toml -o control/requirements.lock; \
	compile pyproject.toml --extra test -c control/requirements.lock -o tests/requirements.lock; \
	compile --group audit -o tests/audit.lock; \
	compile --group bench -o tests/bench/requirements.lock

.PHONY: clean
clean:  ## remove what can be made again; data folders stay
	rm -rf .venv .cache .audit .bench .coverage .coverage.* .mypy_cache .ruff_cache .pytest_cache .hypothesis tests/js/node_modules tests/bench/peers/node_modules \
		build dist *.egg-info
	find control tests -name __pycache__ -prune -exec rm -rf {} +

.PHONY: tools
tools:
	@nginx/install-debian.sh $(PACKAGES) $(TEST_PACKAGES) $(NODE_PACKAGES) $(VENV_PACKAGE)
	@$(MAKE_USER)
	$(ONCE) $(TEST_STAMP) $(JS_STAMP)

# The stamps are the last thing written: what was interrupted is done again.
.venv/.made:
	@python3 -c 'import sys; sys.exit(None if sys.version_info >= (3, 11) else "error: Python 3.11 or newer is needed")'
	@echo 'Making .venv ...'
	@python3 -m venv --clear .venv
	@touch $@

$(RUN_STAMP): | .venv/.made
	@$(PYTHON) -m pip install -qq --disable-pip-version-check --require-hashes -r control/requirements.lock
	@touch $@

$(TEST_STAMP): | $(RUN_STAMP)
	@$(PYTHON) -m pip install -qq --disable-pip-version-check --require-hashes -r tests/requirements.lock
	@touch $@

# Apart from what is audited.
$(AUDIT_STAMP):
	@python3 -m venv --clear .audit
	@.audit/bin/python -m pip install -qq --disable-pip-version-check --require-hashes -r tests/audit.lock
	@touch $@

# Apart too: what others would use instead of the product.
$(BENCH_STAMP):
	@python3 -m venv --clear .bench
	@.bench/bin/python -m pip install -qq --disable-pip-version-check --require-hashes -r tests/bench/requirements.lock
	@touch $@

$(NODE_STAMP):
	@cd tests/bench/peers && npm ci --silent --ignore-scripts
	@touch $@

$(JS_STAMP):
	@cd tests/js && npm ci --silent --ignore-scripts
	@touch $@
