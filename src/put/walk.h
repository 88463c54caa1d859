/*
 * From the FILEs of the command line to paths and the names they get on the
 * server: one after another, and with --recursive what is below a directory. It
 * opens directories only and judges no file.
 */
#ifndef PUT_WALK_H
#define PUT_WALK_H

#include "put/source.h"

#include <fts.h>
#include <stdbool.h>

struct walk_rules {
	const char *name; /* of the one FILE, or NULL */
	bool recursive, relative;
};

struct walk {
	char **files; /* borrowed; ends with NULL; those to come */
	struct walk_rules rules;
	FTS *tree;    /* the directory that is being walked, or NULL */
	size_t root;  /* bytes of its own path */
	char *prefix; /* of the names of what is in it; owned */
};

struct walked {
	const char *path; /* valid until the next step */
	char *name;	  /* owned by the caller; NULL with a flaw */
	enum source_flaw flaw;
	int error; /* with SOURCE_UNREADABLE */
};

void walk_begin(
    struct walk *walk, char **files, const struct walk_rules *rules);
void walk_end(struct walk *walk);

/* Returns 1 and sets *ret, 0 where there is no more, -ENOMEM. */
int walk_next(struct walk *walk, struct walked *ret);

#endif
