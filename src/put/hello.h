/*
 * What a server says of itself, as far as it matters here. It reads a receipt
 * and sends nothing.
 */
#ifndef PUT_HELLO_H
#define PUT_HELLO_H

#include "wire/header.h"
#include "wire/receipt.h"

#include <stdbool.h>
#include <stdint.h>

/* Where a server does not tell. */
#define HELLO_STALL 60 /* seconds */
/* Whatever it tells, nobody waits longer than this for it. */
#define HELLO_STALL_MOST 3600 /* seconds */

struct hello {
	bool uploads;	      /* it takes parts and commits */
	enum policy policy;   /* of its own */
	uint64_t stall;	      /* seconds until it gives up a silent peer */
	uint64_t max_session; /* bytes of bodies a connection; 0: no bound */
};

/* The framing that is spoken here. */
#define HELLO_PROTOCOL 1

/* What is wrong with a receipt for `hello`, as static text; or NULL. */
const char *hello_doubt(const struct receipt *receipt);
/* A server that refuses `hello` takes whole files only. */
void hello_read(const struct receipt *receipt, struct hello *ret);

#endif
