/*
 * What the rooms of a session share: its state, how a frame or the connection
 * ends, and how a frame is answered. session.c reads frames; each serve_*.c
 * serves some commands.
 */
#ifndef PUTD_SERVE_H
#define PUTD_SERVE_H

#include "putd/answer.h"
#include "putd/batch.h"
#include "putd/body.h"
#include "putd/log.h"
#include "putd/options.h"
#include "putd/partial.h"
#include "putd/peer.h"
#include "putd/store.h"
#include "putd/stream.h"
#include "wire/header.h"

#include <stdbool.h>
#include <stdint.h>

/* Why a frame, or the connection, goes no further. */
enum ending {
	GO_ON,
	END_CLEAN,	/* the peer is done, or asked us to be */
	END_TERMINATED, /* SIGTERM */
	END_IDLE,	/* a deadline between frames */
	END_TIMEOUT,	/* a deadline inside a frame */
	END_NO_PROXY,	/* a proxy did not say whom it speaks for */
	END_BAD_FRAME,
	END_CUT_HEADER, /* the stream ended inside a header */
	END_CUT_BODY,	/* or inside a body */
	END_SESSION,	/* more bytes than a connection may bring */
	END_IO,		/* the connection's descriptor failed */
};

struct session {
	const struct options *options;
	struct log log;
	struct peer peer;
	struct store *store;
	struct stream stream;
	struct batch batch;
	struct directory *directory; /* of the last file, or NULL */
	struct partial partial;	     /* the upload by id that is open */
	struct counts counts;
	uint64_t announced; /* bytes of all bodies so far */
	uint64_t room;	    /* bytes seen to be free for parts */
	int64_t started;    /* now_ms() at the current frame's header */
	int64_t reported;   /* and when systemd was last told of its body */
	const struct header *header; /* of the body that is being received */
	const struct body *body;     /* and that body, or NULL */
	bool in_part;	/* that body is a part of an upload by id */
	bool asked;	/* a receipt, on this connection */
	bool io_failed; /* the store did, at least once */
	bool told;	/* the frame that ended the stream has its receipt */
	bool recorded;	/* and its line in the log */
	struct answer answer;
};

/* What stream_need() and its kin returned, inside a frame; `cut` is what an
 * end of the stream means there. */
enum ending inside_frame(int r, enum ending cut);

/* Makes the batch durable and answers it. Returns 0 or stream_push()'s. */
int serve_settle(struct session *s);

/* Sends s->answer. What was sent before it is the caller's business. */
enum ending serve_send(struct session *s, size_t length);

/* Why a frame is refused. */
struct reason {
	enum wire_error error;
	const char *cause; /* for the log; NULL: the error says it */
	bool has_offset;
	uint64_t offset;
	bool is_stored, final;
};

/* The reason that a negative errno of the store is. */
struct reason reason_of(int error);

/* Settles what was before, writes the log and, where asked, the receipt. */
enum ending serve_refuse(struct session *s, const struct header *header,
    const struct reason *reason);

/* The same, counted as a failure, and then `left` bytes of body are skipped:
 * the client may also end the stream instead of sending them. */
enum ending serve_refuse_and_skip(struct session *s,
    const struct header *header, const struct reason *reason, uint64_t left);

/* The body of a command that has no use for one, all before it settled. */
enum ending serve_skip_unused(struct session *s, const struct header *header);

/* A body is received between these two; meanwhile its progress can be reported
 * to systemd, where that listens. */
void serve_begin_body(
    struct session *s, const struct header *header, const struct body *body);
void serve_end_body(struct session *s);
void serve_report_progress(struct session *s);

/* Closes the upload by id, what came of it recorded. Returns 0 or -errno. */
int serve_release_partial(struct session *s);

/* The commands. */
enum ending serve_put(struct session *s, const struct header *header);
enum ending serve_commit(struct session *s, const struct header *header);
enum ending serve_stat(struct session *s, const struct header *header);
enum ending serve_abort(struct session *s, const struct header *header);
enum ending serve_hello(struct session *s, const struct header *header);
enum ending serve_end(struct session *s, const struct header *header);
enum ending serve_part(struct session *s, const struct header *header);

/* The batch's: one file's fate is settled. */
int serve_file_settled(void *context, const struct pending *file);

#endif
