# SPDX-License-Identifier: Apache-2.0
# Curfew: `make help` lists the targets, `make V=1` shows the commands.

PREFIX  ?= /usr/local
BINDIR  ?= $(PREFIX)/bin
MANDIR  ?= $(PREFIX)/share/man
DESTDIR ?=
CC      ?= cc
# Use another directory for a second build (another compiler, a sanitizer).
BUILD   ?= build
CFLAGS  ?= -O2 -g
EXTRA_CFLAGS  ?=
EXTRA_LDFLAGS ?=
# The Kubernetes version of `make e2e`, and its scenarios (default: all).
K8S       ?= 1.36.3
SCENARIOS ?=
export K8S
# The parts of `make test`, the longest first: they run in parallel. Those of `make test-long` measure time
# and memory and run alone.
PARTS      ?= selftest api http unit lint fault golden property recorded rules
PARTS_LONG ?= stress soak
# install: install missing dependencies with apt; check: only list them.
DEPS    ?= install

VERSION  := $(shell cat VERSION)
REVISION := $(shell git describe --always --dirty --abbrev=12 --exclude '*' 2>/dev/null || echo unknown)

# Evaluated once, by the first recipe: `deps` may have to install pkg-config first.
PKGS      := libmicrohttpd gnutls libcrypto libjwt yaml-0.1 libcjson libcurl libseccomp
PKG_FLAGS  = $(eval PKG_FLAGS := $$(shell pkg-config --cflags $(PKGS) | sed 's/-I/-isystem /g'))$(PKG_FLAGS)
LIBS       = $(eval LIBS := $$(shell pkg-config --libs $(PKGS)) -lpthread)$(LIBS)

WARN   := -std=c11 -Wall -Wextra -Wpedantic -Wshadow -Wvla -Wstrict-prototypes \
          -Wmissing-prototypes -Wpointer-arith -Wcast-qual -Wwrite-strings -Wundef \
          -Wformat=2 -Wimplicit-fallthrough -Werror
HARDEN  = -fvisibility=hidden -fstack-protector-strong -fstack-clash-protection \
          -fno-strict-overflow -fPIE $(MAYBE)
HARDEN_LD := -pie -Wl,-z,relro,-z,now,-z,noexecstack,-z,separate-code -Wl,--as-needed
# _FORTIFY_SOURCE needs optimization, and hides errors from the sanitizers.
OPTIMIZED := $(filter-out -O0,$(lastword $(filter -O%,$(CFLAGS) $(EXTRA_CFLAGS))))
SANITIZED := $(filter -fsanitize=%,$(CFLAGS) $(EXTRA_CFLAGS))
FORTIFY    = $(if $(SANITIZED),,$(if $(OPTIMIZED),-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=$(FORTIFY_BY)))
# Flags that not every compiler or C library supports; evaluated once, by the first recipe. The processor
# checks branches (x86: CET, Arm: BTI and PAC). Variables are initialized to zero, except with sanitizers,
# so that these detect uses of uninitialized variables.
takes      = $(shell $(CC) -O2 -Werror $(1) -include string.h -x c -S -o /dev/null /dev/null 2> /dev/null && \
             echo '$(1)')
MAYBE      = $(eval MAYBE := $$(call takes,-fcf-protection=full) $$(call takes,-mbranch-protection=standard) \
             $(if $(SANITIZED),,$$(call takes,-ftrivial-auto-var-init=zero)))$(MAYBE)
FORTIFY_BY = $(eval FORTIFY_BY := $$(if $$(call takes,-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3),3,2))$(FORTIFY_BY)

CPPFLAGS_ALL = -D_GNU_SOURCE -Iinclude -DCF_VERSION='"$(VERSION)"' $(PKG_FLAGS) $(CPPFLAGS)
CFLAGS_ALL   = $(CFLAGS) $(WARN) $(HARDEN) $(FORTIFY) $(EXTRA_CFLAGS)
LDFLAGS_ALL  = $(HARDEN_LD) $(EXTRA_LDFLAGS) $(LDFLAGS)

# Each directory in src/ is a layer, each test/unit/test_*.c is a program, and each directory of fixtures,
# recorded reviews and properties has one program.
objects   = $(patsubst %.c,$(BUILD)/%.o,$(sort $(wildcard $(1))))
OBJS     := $(call objects,src/*.c src/*/*.c)
LIB_OBJS := $(filter-out $(BUILD)/src/main.o,$(OBJS))
UNIT_OBJS  := $(call objects,test/unit/test_*.c)
UNIT_BINS  := $(patsubst $(BUILD)/test/unit/%.o,$(BUILD)/unit/%,$(UNIT_OBJS))
CASE_OBJS  := $(call objects,$(patsubst %,test/%/*.c,rules recorded property api fault oracle))
CASE_BINS  := $(sort $(patsubst $(BUILD)/test/%/,$(BUILD)/%-test,$(dir $(CASE_OBJS))))
TEST_BINS  := $(UNIT_BINS) $(CASE_BINS)
FIXTURE_OBJS := $(call objects,test/lib/fixtures.c)
DEMO_OBJS  := $(call objects,deploy/demo/*.c)
BENCH_OBJS := $(call objects,test/bench/store.c test/bench/apiserver.c)
BENCH_BINS := $(patsubst $(BUILD)/test/bench/%.o,$(BUILD)/bench/%,$(BENCH_OBJS))
FUZZ_OBJS  := $(call objects,test/fuzz/*.c)
FUZZ_BINS  := $(patsubst $(BUILD)/test/fuzz/%.o,$(BUILD)/fuzz-%,$(FUZZ_OBJS))

V ?= 0
ifeq ($(V),0)
Q = @
say = @printf '  %-7s %s\n' '$(1)' '$(2)'
endif
# Use all cores unless -j is given; run `make clean all` in order.
ifeq ($(MAKELEVEL)$(filter clean,$(MAKECMDGOALS)),0)
MAKEFLAGS += -j$(shell nproc 2>/dev/null || echo 1)
endif

compile = $(Q)$(CC) $(CPPFLAGS_ALL) $(1) $(CFLAGS_ALL) -MMD -MP -c -o $@ $<
link    = $(Q)$(CC) $(CFLAGS_ALL) $(LDFLAGS_ALL) -o $@ $(1) $(LIBS)
deps    = @CC='$(CC)' sh deploy/deps.sh $(if $(filter check,$(DEPS)),--check) $(1)

.DEFAULT_GOAL := all
.DELETE_ON_ERROR:
.SUFFIXES:
.PHONY: all test test-long test-all tests unit rules recorded property golden api fault http soak lint storm worst asan tsan scale
.PHONY: fuzz fuzz-build fuzz-bins fuzz-regress fuzz-min fuzz-selftest
.PHONY: yaml-oracle demo bench bench-store bench-authorize bench-review-files e2e image image-root image-test test-debian13 chart manifests schema man
.PHONY: deps deps-build deps-bench deps-soak deps-fuzz deps-e2e deps-image deps-format deps-debian13
.PHONY: debug run coverage certs install uninstall fmt fmt-check clean help FORCE

# ---- build ----

all: $(BUILD)/curfew ## build build/curfew

$(BUILD)/curfew: $(OBJS)
	$(call say,LD,$@)
	$(call link,$^)

$(BUILD)/src/%.o: src/%.c Makefile VERSION | deps-build
	$(call say,CC,$<)
	@mkdir -p $(@D)
	$(call compile)

# Only one object contains the revision, and is rebuilt when it changes.
$(BUILD)/src/base/process.o: CPPFLAGS += -DCF_REVISION='"$(REVISION)"'
$(BUILD)/src/base/process.o: $(BUILD)/revision
$(BUILD)/revision: FORCE
	@mkdir -p $(@D)
	@echo '$(VERSION) $(REVISION)' | cmp -s - $@ || echo '$(VERSION) $(REVISION)' > $@
FORCE:

$(BUILD)/libcurfew.a: $(LIB_OBJS)
	$(call say,AR,$@)
	@rm -f $@
	$(Q)$(AR) rcs $@ $^

# ---- development ----

# A build in its own folder; the sanitizers end the program at the first error.
with      = $(MAKE) --no-print-directory BUILD=build/$(1)
SANITIZE := -fsanitize=address,undefined -fno-sanitize-recover=all

debug: ## build the program and the tests in build/debug, with -Og, AddressSanitizer and UBSan
	+@$(call with,debug) CFLAGS='-Og -g3' EXTRA_CFLAGS='$(SANITIZE) -fno-omit-frame-pointer' \
	    EXTRA_LDFLAGS='$(SANITIZE)' tests

run: $(BUILD)/curfew certs ## serve on loopback with development certificates and sample objects (PORT=8443)
	@echo 'https://localhost:$(PORT), until Ctrl-C. In another terminal:'
	@echo '  curl --cacert certs/ca.crt --json @deploy/demo/worker.json https://localhost:$(PORT)/validate'
	@$(BUILD)/curfew serve --objects deploy/demo/objects.yaml --tls-cert certs/tls.crt \
	    --tls-key certs/tls.key --listen 127.0.0.1:$(PORT) --probe-listen 127.0.0.1:0 \
	    --metrics-listen 127.0.0.1:0 --drain-delay 0s --log-format text
PORT ?= 8443

coverage: ## print the share of lines that the tests run, for each folder of src/ (gcc)
	+@$(call with,coverage) CC=gcc CFLAGS='-O0 -g' \
	    EXTRA_CFLAGS='--coverage -fprofile-update=atomic -DCF_COVERAGE' EXTRA_LDFLAGS=--coverage tests
	@sh test/coverage.sh build/coverage $(COVERAGE)
COVERAGE ?= unit rules recorded property golden api fault http

# One JSON array: a comma before each entry but the first.
SOURCES = $(patsubst $(BUILD)/%.o,%.c,$(OBJS) $(UNIT_OBJS) $(CASE_OBJS) $(FIXTURE_OBJS) $(DEMO_OBJS) \
    $(BENCH_OBJS) $(FUZZ_OBJS))
compiled = {"directory": "$(CURDIR)", "file": "$(1)", "command": "$(subst ",\",$(CC) $(CPPFLAGS_ALL) \
    -DCF_REVISION='"$(REVISION)"' -Itest $(CFLAGS_ALL) -c $(1))"}
comma := ,
define newline


endef
compile_commands.json: FORCE | deps ## write the compile command of each source, for clangd
	$(file >$@,[$(call compiled,$(firstword $(SOURCES)))$(foreach source,$(wordlist 2,\
	    $(words $(SOURCES)),$(SOURCES)),$(comma)$(newline)$(call compiled,$(source)))])

# ---- tests ----

$(UNIT_OBJS) $(CASE_OBJS) $(FIXTURE_OBJS) $(DEMO_OBJS) $(BENCH_OBJS) $(FUZZ_OBJS): $(BUILD)/%.o: %.c Makefile | deps
	$(call say,CC,$<)
	@mkdir -p $(@D)
	$(call compile,-Itest -Itest/lib)

$(UNIT_BINS): $(BUILD)/unit/%: $(BUILD)/test/unit/%.o $(BUILD)/libcurfew.a
	$(call say,LD,$@)
	@mkdir -p $(@D)
	$(call link,$^ -lcmocka)

.SECONDEXPANSION:
$(CASE_BINS): $(BUILD)/%-test: $$(filter $(BUILD)/test/$$*/$$(PERCENT),$(CASE_OBJS)) $(FIXTURE_OBJS) $(BUILD)/libcurfew.a
	$(call say,LD,$@)
	$(call link,$^)
PERCENT := %

tests: $(TEST_BINS) $(BUILD)/curfew

# A test that does not compile counts as one failure; the others still run.
test: ## run the tests (under two minutes after a build)
	@$(MAKE) --no-print-directory -k tests || touch $(BUILD)/broken
	@sh test/all.sh $(BUILD) $(PARTS)
test-long: $(BUILD)/curfew | deps ## run slow clients, floods, memory ceilings, worst cases, sustained load (4 min.)
	@sh test/all.sh $(BUILD) $(PARTS_LONG)
test-all: ## run both
	@$(MAKE) --no-print-directory test PARTS='$(PARTS) $(PARTS_LONG)'

# Run one part: make unit, make rules, ... make unit T=store, make golden CASE=fix-pod. UPDATE=1 rewrites
# the expected results.
unit: $(if $(T),$(foreach program,$(UNIT_BINS),$(if $(findstring $(T),$(program)),$(program))),$(UNIT_BINS))
rules recorded property api fault: %: $(BUILD)/%-test
golden api fault http lint: $(BUILD)/curfew
lint: $(BUILD)/rules-test
soak: $(BUILD)/curfew | deps deps-soak ## sustained load during floods, reloads and a full disk (2 min.)
	@CURFEW=$(BUILD)/curfew TIMED=1 sh test/soak/run.sh $(SECONDS_EACH)
SECONDS_EACH ?= 15
lint: $(BUILD)/libcurfew.a ## check the rules of the project
unit rules recorded property golden api fault http lint: | deps
	@V=1 T='$(T)' CASE='$(CASE)' sh test/all.sh $(BUILD) $@ $(if $(filter lint,$@),selftest)

worst: $(BUILD)/curfew | deps ## the cost of every pair of worst-case reviews (15 min.)
	@ONLY=worst WORST=all sh test/http/run.sh $(BUILD)/curfew

yaml-oracle: $(BUILD)/oracle-test $(BUILD)/curfew | deps ## compare how kubectl and Curfew read YAML, value by value (Go; DIR=)
	@sh test/oracle/run.sh $(BUILD) $(DIR)

storm: $(BUILD)/fault-test | deps ## 1,000 random sequences of changes and faults, and 20,000 malformed objects (5 min.)
	@BUILD=$(BUILD) python3 test/fault/storm.py $(SEQUENCES)
	@BUILD=$(BUILD) python3 test/fault/objects.py $(OBJECTS)
SEQUENCES ?= 1000
OBJECTS   ?= 20000

scale: $(BUILD)/curfew | deps ## memory, time and completeness with large files (4 min.)
	@sh test/scale/run.sh $(BUILD)/curfew

# Both run `make test` and `make test-long`, but no lint.
asan: ## run the tests with AddressSanitizer and UBSan (clang)
	+@$(call with,asan) test CC=clang CFLAGS='-O1 -g' PARTS='$(filter-out lint selftest,$(PARTS) $(PARTS_LONG))' \
	    EXTRA_CFLAGS='$(SANITIZE) -fno-omit-frame-pointer' EXTRA_LDFLAGS='$(SANITIZE)'

tsan: ## run the tests of threads and of the server with ThreadSanitizer (clang)
	+@RATE=300 $(call with,tsan) test CC=clang CFLAGS='-O1 -g' PARTS='api http threads fault stress soak' \
	    EXTRA_CFLAGS='-fsanitize=thread' EXTRA_LDFLAGS='-fsanitize=thread'

# ---- fuzzing ----

# Each test/fuzz/NAME.c is a libFuzzer program; `make fuzz-build` runs these rules in a second make.
$(FUZZ_BINS): $(BUILD)/fuzz-%: $(BUILD)/test/fuzz/%.o $(FIXTURE_OBJS) $(BUILD)/libcurfew.a
	$(call say,LD,$@)
	$(call link,-fsanitize=fuzzer $^)
fuzz-bins: $(if $(TARGETS),$(patsubst %,$(BUILD)/fuzz-%,$(TARGETS)),$(FUZZ_BINS))

fuzz-build: | deps-fuzz
	@$(MAKE) --no-print-directory fuzz-bins BUILD=$(BUILD)/fuzz CC=clang CFLAGS='-O1 -g' \
	    EXTRA_CFLAGS='-fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer' \
	    EXTRA_LDFLAGS='-fsanitize=address,undefined'
fuzz: fuzz-build ## fuzz each target for T=30 seconds (clang)
	@sh test/fuzz/run.sh fuzz $(BUILD)/fuzz $(or $(T),30) $(TARGETS)
fuzz-regress: fuzz-build ## run each input of the fuzz corpus once
	@sh test/fuzz/run.sh regress $(BUILD)/fuzz $(TARGETS)
fuzz-min: fuzz-build ## add new inputs to test/fuzz/corpus
	@sh test/fuzz/run.sh min $(BUILD)/fuzz $(TARGETS)
fuzz-selftest: fuzz-build ## check that each fuzz target finds a planted bug (2 min.)
	+@sh test/fuzz/selftest.sh $(BUILD)/fuzz $(TARGETS)
TARGETS ?=

# ---- demo and benchmarks ----

$(BUILD)/demo/kubectl: $(DEMO_OBJS) $(FIXTURE_OBJS) $(BUILD)/libcurfew.a
	$(call say,LD,$@)
	@mkdir -p $(@D)
	$(call link,$^)

demo: $(BUILD)/curfew $(BUILD)/demo/kubectl ## show a denial, a repair and a warning, over verified TLS
	@sh deploy/demo/run.sh $(BUILD)

$(BENCH_BINS): $(BUILD)/bench/%: $(BUILD)/test/bench/%.o $(BUILD)/libcurfew.a
	$(call say,LD,$@)
	@mkdir -p $(@D)
	$(call link,$^)

bench-store: $(BUILD)/bench/store ## measure the store with 150,000 pods: memory, updates, queries
	@$(BUILD)/bench/store $(PODS) $(NODES)

bench-authorize: $(BUILD)/curfew $(BENCH_BINS) | deps-bench ## measure /authorize with 150,000 pods in the store
	@sh test/bench/authorize.sh $(BUILD)

bench: $(BUILD)/curfew bench-store | deps-bench ## measure reviews per second, compared with nginx; the store; /authorize
	@CURFEW=$(BUILD)/curfew sh test/bench/bench.sh
	@$(MAKE) --no-print-directory bench-authorize

bench-review-files: $(BUILD)/curfew | deps ## measure curfew review on 376 MB in 58,000 files, compared with libyaml and kubectl (5 min.)
	@BUILD=$(BUILD) CC='$(CC)' sh test/bench/review_files.sh

# ---- image and cluster ----

e2e: $(BUILD)/curfew image | deps-e2e ## run kubectl against a real single-node cluster (root, Go; it is built once)
	@bash test/e2e/run.sh $(BUILD) $(SCENARIOS)

image: | deps-image ## build the container image build/curfew-image.tar, without Docker
	+@sh deploy/image/build.sh $(BUILD)
image-root: | deps-image
	+@sh deploy/image/build.sh $(BUILD) root
image-test: image ## check the contents of the image, and run the server's tests with its libraries
	@sh test/image/run.sh $(BUILD)
test-debian13: | deps-debian13 ## run make test in a separate Debian 13 (root; it is downloaded once)
	@bash test/debian13.sh $(BUILD)
chart: $(BUILD)/curfew ## render and check the chart (Go; helm is built once)
	@V=1 sh test/all.sh $(BUILD) chart
schema: $(BUILD)/rules-test ## write the options of the rules into the schema of the chart
	@UPDATE=1 BUILD=$(BUILD) sh test/lint/chart.sh
manifests: ## generate deploy/manifests from the chart
	@sh test/chart/manifests.sh
man: $(BUILD)/curfew ## generate deploy/man from its .in files, the program's help and the example configuration
	@sh deploy/man/make.sh $(BUILD)/curfew deploy/man

# ---- dependencies, installation ----

deps: deps-build ## install missing dependencies to build and test (Debian 12, 13, Ubuntu 24.04)
	$(call deps,test)
deps-build:
	$(call deps,build)
deps-bench: deps-build
	$(call deps,bench)
deps-soak: deps-build
	$(call deps,soak)
deps-fuzz: deps-build
	$(call deps,fuzz)
deps-e2e: deps-build
	$(call deps,e2e)
deps-image: deps-build
	$(call deps,image)
deps-format:
	$(call deps,format)
deps-debian13:
	$(call deps,debian13)

certs: $(BUILD)/curfew ## create development certificates in certs/
	@CURFEW=$(BUILD)/curfew sh certs/make-dev-certs.sh

install: $(BUILD)/curfew ## install under PREFIX (/usr/local) and DESTDIR
	install -d $(DESTDIR)$(BINDIR) $(DESTDIR)$(MANDIR)/man1 $(DESTDIR)$(MANDIR)/man5
	install -m 755 $(BUILD)/curfew $(DESTDIR)$(BINDIR)/curfew
	ln -sf curfew $(DESTDIR)$(BINDIR)/kubectl-curfew
	install -m 644 $(wildcard deploy/man/*.1) $(DESTDIR)$(MANDIR)/man1
	install -m 644 $(wildcard deploy/man/*.5) $(DESTDIR)$(MANDIR)/man5

uninstall: ## remove the installed files
	rm -f $(DESTDIR)$(BINDIR)/curfew $(DESTDIR)$(BINDIR)/kubectl-curfew \
	    $(patsubst deploy/man/%,$(DESTDIR)$(MANDIR)/man1/%,$(wildcard deploy/man/*.1)) \
	    $(patsubst deploy/man/%,$(DESTDIR)$(MANDIR)/man5/%,$(wildcard deploy/man/*.5))

fmt: | deps-format ## format the C sources (clang-format 14.0.6)
	@FIX=1 sh test/lint/format.sh
fmt-check: | deps-format ## check the format of the C sources
	@STRICT=1 sh test/lint/format.sh

clean: ## remove the build directory
	rm -rf $(BUILD)

help: ## print this list
	@awk -F ':.*## ' '/^# ---- .* ----$$/ { gsub(/^# ---- | ----$$/, ""); group = $$0 } \
	    /^[a-z0-9_.-]+:.*## / { \
	        if (group != "") print "\n" group; \
	        group = ""; \
	        printf "  %-21s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

-include $(patsubst %.o,%.d,$(OBJS) $(UNIT_OBJS) $(CASE_OBJS) $(FIXTURE_OBJS) $(DEMO_OBJS) $(BENCH_OBJS) \
    $(FUZZ_OBJS))
