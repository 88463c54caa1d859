/*
 * Receipts, as they come on one connection: read, matched with what is in
 * flight, and judged (verdict.h). It sends nothing.
 */
#ifndef PUT_RECEIPTS_H
#define PUT_RECEIPTS_H

#include "put/flight.h"
#include "put/hello.h"
#include "put/inbox.h"
#include "put/report.h"
#include "put/verdict.h"

struct receipts {
	struct report *report;	 /* borrowed */
	struct verdict *verdict; /* borrowed */
	struct inbox inbox;
	struct flight flight; /* frames are added by who sends them */
	struct hello hello;   /* once greeted */
	bool greeted;	      /* `hello` was answered */
	bool end_sent;	      /* set by who sends: `end` is out */
	bool answered;	      /* a receipt came */
	bool summary;	      /* the receipt of `end` came: all is said */
};

void receipts_begin(
    struct receipts *receipts, struct report *report, struct verdict *verdict);
void receipts_end(struct receipts *receipts);

/*
 * One read(2) and every line that it completes. Returns the number of receipts
 * that were taken; -ENODATA at the end of the stream; -EBADMSG where a line is
 * no receipt or is untrue, -ECONNABORTED where it ends the stream, which is
 * told; -ENOMEM; another negative errno of the connection.
 */
int receipts_read(struct receipts *receipts, int fd);

#endif
