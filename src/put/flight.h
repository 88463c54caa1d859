/*
 * The files whose frames went out on one connection and whose receipts did not
 * come yet, in order; and what a true receipt must say. Touches no descriptor
 * and prints nothing.
 */
#ifndef PUT_FLIGHT_H
#define PUT_FLIGHT_H

#include "put/source.h"

#include "wire/receipt.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* No further file is begun while so much has no receipt: it is what a broken
 * connection leaves in doubt. Larger than a server's own batch. */
#define FLIGHT_FILES 1024
#define FLIGHT_BYTES (UINT64_C(256) * 1024 * 1024)

struct flown {
	char *path; /* as given */
	char *name; /* as sent */
	uint64_t size;
	enum source_change change;
	bool whole; /* the last byte of its body was sent */
};

struct flight {
	struct flown *files; /* a ring of FLIGHT_FILES */
	size_t first, count;
	uint64_t bytes; /* of them all */
	/* As the connection's summary must tell them. */
	uint64_t stored, refused, stored_bytes;
};

bool flight_has_room(const struct flight *flight);
/* A file whose frame begins. Returns 0 or -ENOMEM. */
int flight_add(struct flight *flight, const struct source *source);
/* The frame of the last file added is sent, if it is still there. */
void flight_sent(struct flight *flight, enum source_change change);
/* The oldest, NULL where there is none; to be dropped with flight_drop(). */
struct flown *flight_oldest(const struct flight *flight);
void flight_drop(struct flight *flight);
/* Files that were sent whole. */
size_t flight_awaited(const struct flight *flight);
/* Ready for another connection; all memory is freed. */
void flight_clear(struct flight *flight);

/* What is untrue in a receipt, as static text; NULL where nothing is. The first
 * is for the oldest file. */
const char *flight_doubt_put(
    const struct flight *flight, const struct receipt *receipt);
const char *flight_doubt_end(
    const struct flight *flight, const struct receipt *receipt);

/* Counts the receipt of the oldest file, which stays. */
void flight_count(struct flight *flight, const struct receipt *receipt);

#endif
