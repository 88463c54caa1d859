# putd: `make` builds, `make check` proves, `make run` serves ./file_upload,
# `make install` installs. Everything that is made is under build/.

VERSION := 0.1.0

PREFIX ?= /usr/local
DESTDIR ?=
BINDIR ?= $(PREFIX)/bin
LIBEXECDIR ?= $(PREFIX)/libexec
MANDIR ?= $(PREFIX)/share/man
DOCDIR ?= $(PREFIX)/share/doc/putd
SYSTEMDUNITDIR ?= $(or $(shell pkg-config --variable=systemdsystemunitdir systemd 2>/dev/null),/lib/systemd/system)
SYSUSERSDIR ?= /usr/lib/sysusers.d
TMPFILESDIR ?= /usr/lib/tmpfiles.d
CATALOGDIR ?= /usr/lib/systemd/catalog
BASHCOMPLETIONDIR ?= $(PREFIX)/share/bash-completion/completions
ZSHCOMPLETIONDIR ?= $(PREFIX)/share/zsh/site-functions
FISHCOMPLETIONDIR ?= $(PREFIX)/share/fish/vendor_completions.d

# B is where a build goes; `make B=build/asan SANITIZE=1` is another one.
B ?= build
CC ?= cc
INSTALL ?= install

# Ours stand apart from the user's CFLAGS, which are added last. (A field that an
# initializer leaves out is zero, and meant.)
CFLAGS ?= -O2 -g
WARNINGS := -Wall -Wextra -Wshadow -Wpointer-arith -Wstrict-prototypes \
	-Wmissing-prototypes -Wwrite-strings -Wvla -Wundef -Wformat=2 \
	-Wno-missing-field-initializers
HARDENING := -fPIE -fstack-protector-strong -fcf-protection \
	-fstack-clash-protection
LINK_HARDENING := -pie -Wl,-z,relro,-z,now -Wl,--as-needed
ifdef SANITIZE
HARDENING := -fPIE -fsanitize=address,undefined -fno-sanitize-recover=all \
	-fno-omit-frame-pointer
LINK_HARDENING := -pie -fsanitize=address,undefined
else
HARDENING += -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3
endif
ifdef WERROR
WARNINGS += -Werror
endif
# A call outside the sandbox's table kills, so that tests find it.
ifdef SANDBOX_KILL
CPPFLAGS += -DSANDBOX_KILL
endif
OUR_CFLAGS := -std=gnu11 -D_GNU_SOURCE -D_FILE_OFFSET_BITS=64 -Isrc \
	-DPUTD_VERSION='"$(VERSION)"' $(WARNINGS) $(HARDENING) -MMD -MP
COMMA := ,
# nettle costs a start 0.1 ms when it is linked dynamically, and nothing else.
NETTLE = $(if $(wildcard $(shell $(CC) -print-file-name=libnettle.a)),-l:libnettle.a $(CPUID),-lnettle)
# See src/wire/cpuid.c, which has the same condition.
CPUID = $(if $(shell echo '\#include <sys/platform/x86.h>' | $(CC) -E - 2>/dev/null),-Wl$(COMMA)--wrap=_nettle_cpuid)
OUR_LIBS := -lcjson
PUTD_LIBS = $(NETTLE)
PUT_LIBS = $(NETTLE)

Q := $(if $(V),,@)
SAY = $(if $(V),,@printf '  %-8s %s\n' $(1) $(2))

WIRE := $(patsubst src/%.c,$(B)/obj/%.o,$(wildcard src/wire/*.c))
PUTD := $(patsubst src/%.c,$(B)/obj/%.o,$(wildcard src/putd/*.c))
PUT := $(patsubst src/%.c,$(B)/obj/%.o,$(wildcard src/put/*.c))

all: $(B)/putd $(B)/put

$(B)/putd: $(PUTD) $(WIRE)
	$(call SAY,LD,$@)
	$(Q)$(CC) $(CFLAGS) $(LINK_HARDENING) $(LDFLAGS) -o $@ $^ $(OUR_LIBS) $(PUTD_LIBS) $(LIBS)

$(B)/put: $(PUT) $(WIRE)
	$(call SAY,LD,$@)
	$(Q)$(CC) $(CFLAGS) $(LINK_HARDENING) $(LDFLAGS) -o $@ $^ $(OUR_LIBS) $(PUT_LIBS) $(LIBS)

$(B)/obj/%.o: src/%.c Makefile | $(B)/obj/found
	$(call SAY,CC,$<)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(OUR_CFLAGS) $(CPPFLAGS) $(CFLAGS) -c -o $@ $<

# A compiler and the libraries' headers, or one line that says what to do.
$(B)/obj/found:
	$(Q)mkdir -p $(@D)
	@command -v $(firstword $(CC)) >$@.new || { \
		echo 'make: no $(firstword $(CC)) here; make deps installs what building needs' >&2; exit 1; }
	@printf '#include <%s>\n' cjson/cJSON.h nettle/sha2.h | \
		$(CC) $(CPPFLAGS) -E - >$@.new 2>&1 || { \
		echo 'make: cJSON or nettle is missing here; make deps installs what building needs' >&2; exit 1; }
	$(Q)mv $@.new $@

-include $(WIRE:.o=.d) $(PUTD:.o=.d) $(PUT:.o=.d)

# --- try it -----------------------------------------------------------------

RUN_DIRECTORY ?= file_upload
RUN_ADDRESS ?= 127.0.0.1:8080

run: all
	@units/try $(B) $(RUN_ADDRESS) $(RUN_DIRECTORY)

# --- what building and testing need ------------------------------------------
# Only packages that start nothing: daemons that tests need go elsewhere.

BUILD_PACKAGES := gcc libc6-dev make pkg-config libcjson-dev nettle-dev systemd
TEST_PACKAGES := bats clang clang-format clang-tidy clang-tools cppcheck gcovr libclang-rt-dev shellcheck shfmt \
	mandoc zsh fish python3 busybox netcat-openbsd netcat-traditional ncat socat \
	openssl util-linux iproute2 bsdutils procps strace git file debootstrap \
	e2fsprogs xfsprogs \
	acl bindfs qemu-system-x86 \
	build-essential debhelper lintian inotify-tools locales
# To run it is not to test it: `make deps run` installs less than `make deps`.
PACKAGES := $(BUILD_PACKAGES) $(if $(filter-out run all install,$(or \
	$(filter-out deps,$(MAKECMDGOALS)),check)),$(TEST_PACKAGES))
SUDO ?= $(if $(filter 0,$(shell id -u)),,sudo)

deps:
	@command -v apt-get >/dev/null || { \
		echo 'deps: this machine has no apt-get; install by hand what Debian 12 calls:'; \
		echo '  $(PACKAGES)'; exit 1; }
	$(SUDO) apt-get update -q
	$(SUDO) env DEBIAN_FRONTEND=noninteractive apt-get install -q -y \
		--no-install-recommends $(PACKAGES)

# `make deps check` installs first, also with -j.
ifneq ($(filter deps,$(MAKECMDGOALS)),)
$(B)/obj/found run check install: | deps
endif

# --- proofs -------------------------------------------------------------------

check:
	$(Q)MAKE='$(MAKE)' tests/check

check-quick: all
	$(Q)tests/run

# The long form of tests/torture.bats, as root.
torture: all
	$(Q)PUTD=$(abspath $(B))/putd tests/torture/run

# Three hosts and one replicated tree, and an object store; as root.
# (Their root is made first, which takes none of a file's time; where it cannot be
# made, the tests say so.)
scale-check: all
	$(Q)tests/rig/testroot scale >/dev/null || true
	$(Q)FILE_SECONDS=1800 tests/run tests/scale/*.bats

# What is measured, and against whom; as root. `make bench QUICK=1` takes 3 minutes
# instead of 20; BENCH_OPTIONS=--only=start,large takes some of it.
bench:
	$(Q)tests/bench/run $(if $(QUICK),--quick) $(BENCH_OPTIONS)

lint:
	$(Q)tests/lint

.PHONY: analyze coverage soak
analyze:
	$(Q)MAKE='$(MAKE)' tests/analyze

# By hand: tests and corpora together, a table of lines.
coverage:
	$(Q)MAKE='$(MAKE)' tests/coverage

# Mixed load, then every receipt is compared with the disk; an hour by hand.
SOAK_SECONDS ?= 60
soak: all
	$(Q)tests/soak $(B)/putd $(SOAK_SECONDS)

format:
	clang-format -i $$(tests/files '*.c' '*.h')

# Seconds for each fuzzer; the header parser is what every byte meets first.
FUZZ_SECONDS ?= 20
FUZZ_HEADER_SECONDS ?= 60
FUZZ_LONG_SECONDS ?= 3600
FUZZ_LONG_RUNS ?= 10000000
FUZZERS := $(patsubst tests/fuzz/%.c,%,$(wildcard tests/fuzz/*.c))
FUZZ_CC ?= clang
# address,undefined; or undefined alone, three times as fast.
FUZZ_SANITIZE ?= address,undefined
FUZZ_CFLAGS := -std=gnu11 -D_GNU_SOURCE -D_FILE_OFFSET_BITS=64 -Isrc \
	-Itests/fuzz -DPUTD_VERSION='"$(VERSION)"' -Wall -Wextra -g -O1 \
	-fsanitize=$(FUZZ_SANITIZE) -fno-sanitize-recover=all
# What is tested guides the fuzzer; the harnesses and the model do not.
FUZZ_GUIDED ?= -fsanitize=fuzzer-no-link
# Guided by lines alone: to trace comparisons, too, costs a third of the runs.
FUZZ_COUNTED := -fsanitize-coverage=inline-8bit-counters,pc-table
FUZZ_LINK ?= -fsanitize=fuzzer
FUZZ_OBJ = $(patsubst %.c,$(B)/fuzz/%.o,$(1))
# wait.c is part of the stream in memory, whose calls stand for the kernel's.
FUZZ_PUTD := $(filter-out %/putd.c %/wait.c,$(wildcard src/putd/*.c))
FUZZ_PUT := $(filter-out %/put.c %/say.c,$(wildcard src/put/*.c))
FUZZ_WIRE := $(wildcard src/wire/*.c)
FUZZ_SESSION := $(wildcard tests/fuzz/session/*.c)
FUZZ_WRAPPED := $(addprefix -Wl$(COMMA)--wrap=,recv send shutdown poll ppoll \
	sigprocmask clock_gettime getpeername getrlimit)

fuzz_parts_header := src/putd/name.c $(FUZZ_WIRE)
fuzz_parts_names := src/putd/name.c $(FUZZ_WIRE)
fuzz_parts_proxy := src/putd/proxy.c src/putd/network.c
fuzz_parts_words := src/put/words.c
fuzz_parts_receipts := $(FUZZ_PUT) $(FUZZ_WIRE)
fuzz_parts_session := $(FUZZ_SESSION) $(FUZZ_PUTD) $(FUZZ_WIRE)

$(B)/fuzz/src/%.o: src/%.c Makefile
	$(Q)mkdir -p $(@D)
	$(Q)$(FUZZ_CC) $(FUZZ_CFLAGS) $(FUZZ_GUIDED) -MMD -MP -c -o $@ $<

$(B)/fuzz/tests/%.o: tests/%.c Makefile
	$(Q)mkdir -p $(@D)
	$(Q)$(FUZZ_CC) $(FUZZ_CFLAGS) -MMD -MP -c -o $@ $<

.SECONDEXPANSION:
$(FUZZERS:%=$(B)/fuzz/%): $(B)/fuzz/%: \
		$$(call FUZZ_OBJ,tests/fuzz/$$*.c $$(fuzz_parts_$$*) $(FUZZ_MAIN))
	$(call SAY,FUZZ,$@)
	$(Q)$(FUZZ_CC) $(FUZZ_CFLAGS) $(FUZZ_LINK) -o $@ $^ \
		$(if $(filter session,$*),$(FUZZ_WRAPPED)) $(OUR_LIBS) $(NETTLE)

-include $(wildcard $(B)/fuzz/src/*/*.d $(B)/fuzz/tests/fuzz/*.d \
	$(B)/fuzz/tests/fuzz/session/*.d)

# All inputs once, by a compiler that has no fuzzer: what is known first, and
# with a driver that is not libFuzzer's.
FUZZ_REPLAY_CC ?= gcc
fuzz-replay:
	$(Q)$(MAKE) B=$(B)/replay FUZZ_CC=$(FUZZ_REPLAY_CC) FUZZ_GUIDED= FUZZ_LINK= \
		FUZZ_MAIN=tests/fuzz/replay/main.c $(FUZZERS:%=$(B)/replay/fuzz/%)
	$(Q)for f in $(FUZZERS); do \
		tests/fuzz/replay/run $$f $(B)/replay || exit 1; done

fuzz: fuzz-replay $(FUZZERS:%=$(B)/fuzz/%)
	$(Q)tests/fuzz/run header $(B) $(FUZZ_HEADER_SECONDS)
	$(Q)for f in $(filter-out header,$(FUZZERS)); do \
		tests/fuzz/run $$f $(B) $(FUZZ_SECONDS) || exit 1; done

# By hand: an hour of each, and ten million sessions without the sanitizers.
fuzz-long:
	$(Q)$(MAKE) fuzz FUZZ_SECONDS=$(FUZZ_LONG_SECONDS) \
		FUZZ_HEADER_SECONDS=$(FUZZ_LONG_SECONDS)
	$(Q)$(MAKE) B=$(B)/long FUZZ_SANITIZE=undefined \
		FUZZ_GUIDED=$(FUZZ_COUNTED) $(B)/long/fuzz/session
	$(Q)RUNS=$(FUZZ_LONG_RUNS) tests/fuzz/run session $(B)/long 0

# The same harnesses under AFL++, by hand: nothing else needs it, so `make deps`
# does not install it.
fuzz-afl:
	@command -v afl-clang-fast >/dev/null || { \
		echo 'fuzz-afl: no AFL++ here: apt-get install afl++'; exit 1; }
	$(Q)$(MAKE) B=$(B)/afl FUZZ_CC=afl-clang-fast FUZZ_GUIDED= \
		$(FUZZERS:%=$(B)/afl/fuzz/%)
	$(Q)for f in $(FUZZERS); do \
		tests/fuzz/run-afl $$f $(B)/afl $(FUZZ_SECONDS) || exit 1; done

# --- install --------------------------------------------------------------------

MAN1 := src/put/put.1
MAN7 := src/wire/put-protocol.7
MAN8 := src/putd/putd.8
DOCUMENTS := README.md SECURITY.md LICENSE

INSTALLED = $(BINDIR)/put $(LIBEXECDIR)/putd \
	$(MANDIR)/man1/put.1 $(MANDIR)/man7/put-protocol.7 $(MANDIR)/man8/putd.8 \
	$(SYSTEMDUNITDIR)/putd.socket $(SYSTEMDUNITDIR)/putd@.service \
	$(SYSUSERSDIR)/putd.conf $(TMPFILESDIR)/putd.conf \
	$(CATALOGDIR)/putd.catalog \
	$(BASHCOMPLETIONDIR)/put $(ZSHCOMPLETIONDIR)/_put \
	$(FISHCOMPLETIONDIR)/put.fish \
	$(addprefix $(DOCDIR)/,$(DOCUMENTS))

install: all
	$(INSTALL) -d $(addprefix $(DESTDIR),$(sort $(dir $(INSTALLED))))
	$(INSTALL) -m 755 $(B)/put $(DESTDIR)$(BINDIR)/put
	$(INSTALL) -m 755 $(B)/putd $(DESTDIR)$(LIBEXECDIR)/putd
	$(INSTALL) -m 644 $(MAN1) $(DESTDIR)$(MANDIR)/man1/put.1
	$(INSTALL) -m 644 $(MAN7) $(DESTDIR)$(MANDIR)/man7/put-protocol.7
	$(INSTALL) -m 644 $(MAN8) $(DESTDIR)$(MANDIR)/man8/putd.8
	$(INSTALL) -m 644 units/putd.socket $(DESTDIR)$(SYSTEMDUNITDIR)/putd.socket
	sed 's|@LIBEXECDIR@|$(LIBEXECDIR)|g' units/putd@.service.in > $(B)/putd@.service
	$(INSTALL) -m 644 $(B)/putd@.service $(DESTDIR)$(SYSTEMDUNITDIR)/putd@.service
	$(INSTALL) -m 644 units/putd.sysusers $(DESTDIR)$(SYSUSERSDIR)/putd.conf
	$(INSTALL) -m 644 units/putd.tmpfiles $(DESTDIR)$(TMPFILESDIR)/putd.conf
	$(INSTALL) -m 644 units/putd.catalog $(DESTDIR)$(CATALOGDIR)/putd.catalog
	$(INSTALL) -m 644 contrib/completion/put.bash $(DESTDIR)$(BASHCOMPLETIONDIR)/put
	$(INSTALL) -m 644 contrib/completion/_put $(DESTDIR)$(ZSHCOMPLETIONDIR)/_put
	$(INSTALL) -m 644 contrib/completion/put.fish $(DESTDIR)$(FISHCOMPLETIONDIR)/put.fish
	$(INSTALL) -m 644 $(DOCUMENTS) $(DESTDIR)$(DOCDIR)
	$(if $(DESTDIR),,$(Q)units/register installed)

# The user, the directory and what is in it stay.
uninstall:
	$(if $(DESTDIR),,$(Q)units/register removing)
	rm -f $(addprefix $(DESTDIR),$(INSTALLED))
	-rmdir $(DESTDIR)$(DOCDIR)
	$(if $(DESTDIR),,$(Q)units/register removed)

# --- release ----------------------------------------------------------------------

# Of the last change, for what is packed here.
SOURCE_DATE_EPOCH ?= $(shell if [ -e .git ]; then git log -1 --format=%ct; \
	else stat -c %Y Makefile; fi)
DIST := putd-$(VERSION)

# The same bytes every time, also from what it unpacks to.
dist:
	$(Q)mkdir -p $(B)
	$(Q)tests/files | LC_ALL=C tar -cf - -T - --format=ustar --no-recursion \
		--transform='s|^|$(DIST)/|' --owner=0 --group=0 --numeric-owner \
		--mode=u=rwX,go=rX --mtime=@$(SOURCE_DATE_EPOCH) | \
		gzip -n9 >$(B)/$(DIST).tar.gz
	@echo $(B)/$(DIST).tar.gz

deb:
	$(Q)contrib/debian/build $(VERSION) $(SOURCE_DATE_EPOCH) $(abspath $(B))/deb

clean:
	rm -rf build

.PHONY: all run deps check check-quick torture scale-check bench lint format \
	fuzz fuzz-replay fuzz-long fuzz-afl install uninstall dist deb clean
.DELETE_ON_ERROR:
