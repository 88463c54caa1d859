/*
 * The files to be sent, one after another: those that a connection left undone
 * first, then those of the command line. What cannot be sent is told and passed
 * over. It opens files and never a connection.
 */
#ifndef PUT_QUEUE_H
#define PUT_QUEUE_H

#include "put/file.h"
#include "put/options.h"
#include "put/report.h"
#include "put/source.h"
#include "put/walk.h"

#include <stdbool.h>

struct queue {
	const struct options *options;
	struct report *report;
	struct walk walk;
	bool command;	    /* whose output is the one file was not begun */
	struct file *now;   /* a list: those that are tried again */
	struct file *again; /* a list: those of the next round */
	struct file **again_end;
	struct file *ready;   /* opened, not taken yet; NULL: none */
	struct source source; /* its */
};

void queue_begin(
    struct queue *queue, const struct options *options, struct report *report);
/* All that is still in it is forgotten. */
void queue_end(struct queue *queue);

/* What was put back is to be taken again from now on, before all else. */
void queue_begin_round(struct queue *queue);
/* Whether a file can be taken: opens the next one, if none is ready. */
bool queue_has_next(struct queue *queue);
/* The file that is ready, and its source; the caller's from now on. Of a
 * stream the source is none. */
struct file *queue_take(struct queue *queue, struct source *ret_source);
/* Puts a file back for the next round; holds it. */
void queue_again(struct queue *queue, struct file *file);
/* Tells of every file that is left what is known of it, and ends the queue. */
void queue_give_up(struct queue *queue);

#endif
