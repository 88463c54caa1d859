/*
 * One file between the command line and its last word: stored, or not. It is
 * held by whoever still needs it: the queue, who sends it, each receipt that is
 * awaited. It touches no descriptor but those of a stream it owns.
 */
#ifndef PUT_FILE_H
#define PUT_FILE_H

#include "put/source.h"

#include "wire/limits.h"

#include <stdbool.h>
#include <stdint.h>

enum file_way {
	WAY_WHOLE,  /* one frame */
	WAY_UPLOAD, /* by id, of a known size */
	WAY_STREAM, /* by id, until it ends */
};

/* What a connection made of it. */
enum file_state {
	FILE_OPEN,    /* nothing yet */
	FILE_AGAIN,   /* to be tried on another connection */
	FILE_SETTLED, /* it has had its line */
};

#define UPLOAD_ID      40  /* characters; 160 bits */
#define UPLOAD_REFUSAL 256 /* bytes of an error and its message */

struct file {
	struct file *next; /* of those to be tried again */
	int holders;
	char *path; /* as given; owned */
	char *name; /* on the server; owned */
	enum file_way way;
	enum file_state state;
	uint64_t size;
	char sha256[SHA256_HEX + 1]; /* as announced; "": not */
	enum source_change change;
	bool sent;    /* all that it takes to store it */
	bool begun;   /* some of it was sent, on the last connection */
	bool waiting; /* for the answer to a stat, before anything is sent */

	/* By id. */
	char id[UPLOAD_ID + 1];	   /* "": none yet */
	char entry[UPLOAD_ID + 1]; /* what the state has of it; "": nothing */
	char place[UPLOAD_ID + 1]; /* and of where it is; "": nothing */
	char stale[UPLOAD_ID + 1]; /* an id to be aborted; "": none */
	bool known;	   /* the server may have heard of the id: ask it */
	uint64_t held;	   /* bytes that the server is known to hold */
	uint64_t most;	   /* that it ever held of any id: more is progress */
	uint64_t resumed;  /* bytes that were there before this run */
	bool placed;	   /* that is known */
	struct feed *feed; /* of a stream; owned */

	/* Why it is tried again: the server's error and message; "": no answer
	 * came. */
	char refusal[UPLOAD_REFUSAL];
	bool busy;
	unsigned attempts; /* connections that began it */
	uint64_t shown;	   /* bytes of it that progress.c counts in its total */
};

/* Held by the caller; NULL where there is no memory. Both are copied. */
struct file *file_new(const char *path, const char *name);
struct file *file_hold(struct file *file);
/* Lets go of *file, which may be NULL, and sets it to NULL. */
void file_release(struct file **file);

#endif
