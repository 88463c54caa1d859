/*
 * What put keeps between its runs so that an upload that broke off can go on:
 * a secret of the user's, and one small file for each upload begun and not
 * confirmed. It knows the directory and nothing of servers.
 *
 *   secret          32 random bytes, 0600
 *   uploads/ENTRY   ENTRY is an HMAC of the facts; in it, random digits that
 *                   make the id of this attempt; gone once the file is stored,
 *                   so the same file put once more is another upload
 *   uploads/PLACE   PLACE is an HMAC of server, name and path; in it, the ENTRY
 *                   and the id of what was sent from there last: a file that
 *                   changed has another ENTRY, and the old id can be aborted
 */
#ifndef PUT_STATE_H
#define PUT_STATE_H

#include "put/file.h"

#include <stdbool.h>
#include <stdint.h>

#define STATE_SECRET 32 /* bytes */

struct state {
	bool opened;	 /* or tried to */
	int uploads;	 /* the directory; -1: nothing can be kept */
	const char *why; /* then; static text */
	uint8_t secret[STATE_SECRET];
};

#define STATE_NONE ((struct state){.uploads = -1})

/* What makes a file the same file. */
struct state_facts {
	const char *server; /* as the user wrote it */
	const char *name;
	const char *path;
	const struct source *source;
};

/*
 * Sets the file's id, its entry and whether the id is known. Facts that have
 * changed since the file got its id, or since a former run, give it another
 * one; the old one is in file->stale then. Where nothing can be kept the id is
 * random. Returns 0, or a negative errno where there is no randomness.
 */
int state_name_upload(
    struct state *state, const struct state_facts *facts, struct file *file);
/* An id that nobody can ask for again. */
int state_random_id(struct file *file);
/* The upload is over: nothing of it is to be asked again. */
void state_forget_upload(struct state *state, struct file *file);
/* The same, and what the server has of it is to be aborted. */
void state_drop_upload(struct state *state, struct file *file);
void state_close(struct state *state);

#endif
