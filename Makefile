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

# B is where a build goes; `make B=build/asan SANITIZE=1` is another one.
B ?= build
CC ?= cc
INSTALL ?= install

# Ours stand apart from the user's CFLAGS, which are added last.
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
OUR_CFLAGS := -std=gnu11 -D_GNU_SOURCE -D_FILE_OFFSET_BITS=64 -Isrc \
	-DPUTD_VERSION='"$(VERSION)"' $(WARNINGS) $(HARDENING) -MMD -MP
OUR_LIBS := -lcjson

Q := $(if $(V),,@)
SAY = $(if $(V),,@printf '  %-8s %s\n' $(1) $(2))

WIRE := $(patsubst src/%.c,$(B)/obj/%.o,$(wildcard src/wire/*.c))
PUTD := $(patsubst src/%.c,$(B)/obj/%.o,$(wildcard src/putd/*.c))
PUT := $(patsubst src/%.c,$(B)/obj/%.o,$(wildcard src/put/*.c))

all: $(B)/putd $(B)/put

$(B)/putd: $(PUTD) $(WIRE)
	$(call SAY,LD,$@)
	$(Q)$(CC) $(CFLAGS) $(LINK_HARDENING) $(LDFLAGS) -o $@ $^ $(OUR_LIBS) $(LIBS)

$(B)/put: $(PUT) $(WIRE)
	$(call SAY,LD,$@)
	$(Q)$(CC) $(CFLAGS) $(LINK_HARDENING) $(LDFLAGS) -o $@ $^ $(OUR_LIBS) $(LIBS)

$(B)/obj/%.o: src/%.c Makefile
	$(call SAY,CC,$<)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(OUR_CFLAGS) $(CPPFLAGS) $(CFLAGS) -c -o $@ $<

-include $(WIRE:.o=.d) $(PUTD:.o=.d) $(PUT:.o=.d)

clean:
	rm -rf build

.PHONY: all clean
