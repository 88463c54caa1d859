/*
 * The receipts that are awaited on one connection, in order, and what a true
 * one must say. Touches no descriptor and prints nothing.
 */
#ifndef PUT_FLIGHT_H
#define PUT_FLIGHT_H

#include "put/file.h"

#include "wire/receipt.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* No further frame is begun while so much has no receipt: it is what a broken
 * connection leaves in doubt. Larger than a server's own batch. */
#define FLIGHT_FRAMES 1024
#define FLIGHT_BYTES  (UINT64_C(256) * 1024 * 1024)

enum ask { ASK_HELLO, ASK_PUT, ASK_PART, ASK_STAT, ASK_COMMIT, ASK_ABORT };

struct awaited {
	enum ask what;
	struct file *file; /* held; NULL for ASK_HELLO and ASK_ABORT */
	uint64_t bytes;	   /* of the body */
	uint64_t end;	   /* of a part: what the server holds after it */
	bool whole;	   /* the last byte of its frame was sent */
};

struct flight {
	struct awaited *ring; /* of FLIGHT_FRAMES */
	size_t first, count;
	uint64_t bytes; /* of them all */
	/* As the connection's summary must tell them. */
	uint64_t stored, refused, stored_bytes;
};

bool flight_has_room(const struct flight *flight);
/* A frame that begins; it is copied and its file is held. 0 or -ENOMEM. */
int flight_add(struct flight *flight, const struct awaited *awaited);
/* The frame added last is sent, if it is still there. */
void flight_sent(struct flight *flight);
/* The oldest, NULL where there is none; to be dropped with flight_drop(). */
struct awaited *flight_oldest(const struct flight *flight);
void flight_drop(struct flight *flight);
/* Frames that were sent whole. */
size_t flight_awaited(const struct flight *flight);
/* Ready for another connection; all memory is freed. */
void flight_clear(struct flight *flight);

/* What is untrue in a receipt, as static text; NULL where nothing is. The first
 * is for the oldest. */
const char *flight_doubt(
    const struct flight *flight, const struct receipt *receipt);
const char *flight_doubt_end(
    const struct flight *flight, const struct receipt *receipt);

/* Counts the receipt of the oldest, which stays. */
void flight_count(struct flight *flight, const struct receipt *receipt);

#endif
