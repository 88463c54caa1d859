/*
 * An untrusted file name, judged. `struct name` exists only by name_parse(),
 * and the store takes nothing else. It touches no filesystem.
 */
#ifndef PUTD_NAME_H
#define PUTD_NAME_H

#include <stdbool.h>
#include <stddef.h>

struct name {
	char *text;  /* relative, owned, without a trailing slash */
	size_t base; /* where the last component starts */
};

/* What the server keeps below its root for itself; refused as a first
 * component in any case of letters. */
#define PRIVATE_DIRECTORY ".putd"

/* Judges a name by put-protocol(7) section 4. Returns 0, -EILSEQ for one that
 * is refused, -ENOMEM; *ret is untouched on failure. `text` is UTF-8. */
int name_parse(const char *text, bool allow_hidden, struct name *ret);
void name_free(struct name *name);

#endif
