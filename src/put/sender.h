/*
 * Which frame comes next on one connection: the files of the queue, one after
 * another, each as a whole or by id, and then `end`. sender_ask.c makes the
 * frames; moving their bytes is session.c's.
 */
#ifndef PUT_SENDER_H
#define PUT_SENDER_H

#include "put/digest.h"
#include "put/frame.h"
#include "put/receipts.h"

/* Bytes of a part: the server flushes after each, so not too few; and what is
 * refused has to be sent or cut off, so not too many. */
#define PART_MOST (UINT64_C(128) * 1024 * 1024)

struct sender {
	const struct options *options; /* all borrowed */
	struct verdict *verdict;
	struct receipts *receipts;

	struct file *file;	    /* being sent; held; NULL: none */
	struct source source;	    /* its */
	bool asked;		    /* its stat was sent, or none is needed */
	bool started;		    /* its offset is known */
	uint64_t at;		    /* the offset of its next part */
	struct digest_state digest; /* of what is before that */

	bool sending;	    /* `frame` is begun and not done */
	bool hello, ending; /* these were begun */
	enum ask what;	    /* the frame is, unless it is `end` */
	uint64_t announced; /* bytes of all bodies */
	struct frame frame;
};

void sender_begin(struct sender *sender, const struct options *options,
    struct verdict *verdict, struct receipts *receipts);
/* Lets go of the file that was being sent. */
void sender_end(struct sender *sender);

/* Begins a frame if none is being sent and one can be. Returns 0, -ENOMEM, or
 * -ECANCELED where the file's frame cannot even begin (frame.broken). */
int sender_next(struct sender *sender);
/* The frame is done. */
void sender_frame_done(struct sender *sender);

/* The one that was asked for, or the server's own. */
enum policy sender_policy(const struct sender *sender);
/* Of the file that is being sent. */
bool sender_is_stream(const struct sender *sender);

/* The feed that must bring bytes before there is more to send, or NULL. */
struct feed *sender_feed(const struct sender *sender);

#endif
