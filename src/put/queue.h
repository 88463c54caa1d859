/*
 * The FILEs of the command line, one after another. Those that cannot be sent
 * are told and passed over.
 */
#ifndef PUT_QUEUE_H
#define PUT_QUEUE_H

#include "put/report.h"
#include "put/source.h"

#include <stdbool.h>

struct queue {
	char **files; /* borrowed; ends with NULL */
	const char *name;
	struct report *report;
	struct source ready; /* opened, not taken yet; fd -1: none */
};

void queue_init(
    struct queue *queue, char **files, const char *name, struct report *report);
/* Whether a file can be taken: opens the next one, if none is ready. */
bool queue_has_next(struct queue *queue);
/* The file that is ready; the caller closes it. */
struct source queue_take(struct queue *queue);
/* Tells that every file that was not taken was not sent, and ends the queue. */
void queue_give_up(struct queue *queue);

#endif
