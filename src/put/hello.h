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

struct hello {
	bool uploads;	      /* it takes parts and commits */
	enum policy policy;   /* of its own */
	uint64_t stall;	      /* seconds until it gives up a silent peer */
	uint64_t max_session; /* bytes of bodies a connection; 0: no bound */
};

/* A server that refuses `hello` takes whole files only. */
void hello_read(const struct receipt *receipt, struct hello *ret);

#endif
