/*
 * Receipts, as they come on one connection: read, matched with the files in
 * flight, judged and told. It sends nothing.
 */
#ifndef PUT_RECEIPTS_H
#define PUT_RECEIPTS_H

#include "put/flight.h"
#include "put/inbox.h"
#include "put/report.h"

struct receipts {
	struct report *report; /* borrowed */
	struct inbox inbox;
	struct flight flight; /* files are added by who sends them */
	bool end_sent;	      /* set by who sends: `end` is out */
	bool answered;	      /* a receipt came */
	bool summary;	      /* the receipt of `end` came: all is said */
};

void receipts_begin(struct receipts *receipts, struct report *report);
void receipts_end(struct receipts *receipts);

/*
 * One read(2) and every line that it completes. Returns the number of receipts
 * that were taken; -ENODATA at the end of the stream; -EBADMSG where a line is
 * no receipt, is untrue or ends the stream, which is told; -ENOMEM; another
 * negative errno of the connection.
 */
int receipts_read(struct receipts *receipts, int fd);

#endif
