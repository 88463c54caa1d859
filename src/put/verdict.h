/*
 * What becomes of a file by a receipt: it is settled, with its line, or it is
 * to be tried again. It sends nothing.
 */
#ifndef PUT_VERDICT_H
#define PUT_VERDICT_H

#include "put/flight.h"
#include "put/queue.h"
#include "put/report.h"
#include "put/state.h"

#include <stdbool.h>

struct verdict {
	struct report *report; /* all borrowed */
	struct queue *queue;
	struct state *state;
	bool retrying;	 /* what may pass is tried again */
	bool progressed; /* a file was stored, or bytes were held */
};

/* By a true receipt for the oldest. */
void verdict_receipt(struct verdict *verdict, const struct awaited *oldest,
    const struct receipt *receipt);

/* The file has had its line. */
void verdict_settled(struct verdict *verdict, struct file *file);

#endif
