/*
 * One connection to a server that answers: frames out, receipts in, at the same
 * time, for as many files of the queue as it carries. It never tries again:
 * what is left undone is the caller's.
 */
#ifndef PUT_SESSION_H
#define PUT_SESSION_H

#include "put/pace.h"
#include "put/sender.h"
#include "put/server.h"

enum session_end {
	SESSION_DONE,	   /* with its summary, or cut on purpose */
	SESSION_IDLE,	   /* closed while a stream had nothing to send */
	SESSION_LOST,	   /* told; another connection may do better */
	SESSION_FAILED,	   /* told; another one would not */
	SESSION_NO_SERVER, /* told; there was no connection */
};

struct session {
	const struct options *options; /* borrowed, as all that are pointers */
	struct report *report;
	struct verdict *verdict;
	struct pace *pace;
	struct server server;
	struct receipts receipts;
	struct sender sender;
	bool cutting;	  /* the frame is broken, or not worth its end */
	int write_error;  /* nothing more can be sent; receipts may come */
	int64_t deadline; /* without progress */
	bool greeted;	  /* the server answered */
	bool silent;	  /* it let the time pass */
};

/*
 * Files that it leaves undone are in the queue again afterwards. The session is
 * zeroed memory with its pointers set.
 */
enum session_end session_run(struct session *session);

#endif
