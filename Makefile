# Every target calls cargo or a script of .ci; `make check` is every gate in the order of CI.
CARGO ?= cargo
# Where cargo builds.
TARGET := $(or $(CARGO_TARGET_DIR),target)
NEXTEST := $(shell $(CARGO) nextest --version >/dev/null 2>&1 && echo yes)

.PHONY: demo team test test-unit test-wire build check lint fmt fmt-check schemas transcripts deny advisories doc examples clients torture memcheck cost bench released hot-functions dist check-targets

# A session against a copy of the sample marketplace, in a temporary home.
demo:
	@echo "building plugd and the demo …"
	$(CARGO) build --locked --quiet --bin plugd --example demo
	$(CARGO) run --locked --quiet --example demo

# Two people, two homes and one project, in temporary directories.
team:
	$(CARGO) build --locked --quiet --bin plugd --example team
	$(CARGO) run --locked --quiet --example team

test:
ifeq ($(NEXTEST),yes)
	$(CARGO) nextest run --locked --workspace
	# Which passes over code in documentation; the typed client has some.
	$(CARGO) test --locked --doc -p plugd-rust-client --quiet
else
	$(CARGO) test --locked --workspace --quiet
endif

# The tests beside the code. Only those of the testkit and of git start processes.
test-unit:
	$(CARGO) test --locked --workspace --lib --quiet

# The black-box suite over the real binary.
test-wire:
	$(CARGO) test --locked --test suite --quiet

# The table client by step; a client that is not here says so. `.ci/clients` installs them.
clients:
	$(CARGO) build --locked --workspace --example session --quiet
	$(CARGO) test --locked --test suite --quiet -- --nocapture clients::

# The long form of the loops that try to lose something or to get in, as a table; many minutes.
# PLUGD_TORTURE=whole tries everything that this one takes a sample of, which takes hours.
torture:
	PLUGD_TORTURE=$${PLUGD_TORTURE:-long} $(CARGO) test --locked --quiet --test torture

build:
	$(CARGO) build --locked --release

check: fmt-check lint deny doc test

lint:
	$(CARGO) clippy --locked --workspace --all-targets --quiet -- -D warnings

fmt:
	$(CARGO) fmt --all

fmt-check:
	$(CARGO) fmt --all -- --check

# Writes schemas/ anew from the protocol types; the suite fails when they differ.
schemas:
	$(CARGO) run --locked --quiet --package plugd-protocol --example generate -- schemas

# Writes the answers in protocol/transcripts/ anew from the real binary; the suite fails when they
# differ.
transcripts:
	PLUGD_WRITE_TRANSCRIPTS=1 $(CARGO) test --locked --test suite --quiet -- transcripts::

# Needs cargo-deny and no network.
deny:
	$(CARGO) deny --locked --workspace check bans licenses sources

# Known defects of the crates in the lock file; says so where the database cannot be had.
advisories:
	CARGO="$(CARGO)" .ci/advisories

# The git worker under valgrind; says so where there is none.
memcheck:
	CARGO="$(CARGO)" .ci/memcheck

doc:
	RUSTDOCFLAGS="-D warnings" $(CARGO) doc --locked --workspace --no-deps --document-private-items --quiet

examples:
	$(CARGO) build --locked --examples --quiet
	$(CARGO) build --locked --lib --bins --examples -p plugd-tui -p plugd-rust-client --quiet

# The program that is handed out, beside those that are built with what tests and benches need of the
# same crates.
released:
	$(CARGO) build --locked --quiet --release --bin plugd
	cp "$(TARGET)/release/plugd" "$(TARGET)/plugd-released"

cost bench: export PLUGD_TEST_RELEASED := $(abspath $(TARGET)/plugd-released)

# The bounds on memory, size and counted work that hold for a release; `make test` has those of a
# debug build.
cost: released
	$(CARGO) test --locked --release --test suite --quiet -- --nocapture cost::

# What everything costs, as a table of the pieces and one of whole requests. PEER=/path/to/app-server
# measures another one beside them, ONLY=word what holds it in its name, ROUNDS=n another number of rounds.
bench: released
	$(CARGO) bench --locked --quiet --bench pieces -- $(ONLY)
	$(CARGO) bench --locked --quiet --bench workloads -- $(if $(PEER),--peer "$(PEER)") $(if $(ONLY),--only "$(ONLY)") $(if $(ROUNDS),--rounds $(ROUNDS))

# Writes anew which functions a release has lie together, from sessions that valgrind watches; after
# an update of the compiler or of many crates, or when `make cost` finds too much memory. Watches the
# program as it is released and as it is measured.
hot-functions: export CARGO_TARGET_DIR := $(TARGET)/hot-functions
hot-functions:
	$(CARGO) rustc --locked --quiet --release --bin plugd -- -C strip=none
	cp "$(CARGO_TARGET_DIR)/release/plugd" "$(CARGO_TARGET_DIR)/plugd-released"
	CARGO_PROFILE_RELEASE_STRIP=none $(CARGO) bench --locked --quiet --bench workloads -- \
		--hot-functions crates/daemon/hot_functions.txt --peer "$(CARGO_TARGET_DIR)/plugd-released"

# What a release hands out, in dist/: an archive and its checksum.
dist:
	CARGO="$(CARGO)" .ci/dist

# Compiles for other systems, as far as their standard libraries are installed.
check-targets:
	CARGO="$(CARGO)" .ci/check-targets
