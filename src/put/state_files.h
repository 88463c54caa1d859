/*
 * The directory of state.h: where it is, and small files in it that come into
 * being whole. For state.c only.
 */
#ifndef PUT_STATE_FILES_H
#define PUT_STATE_FILES_H

#include "put/state.h"

#include <stddef.h>

/* Makes what is missing, and reads the secret. Returns the directory of
 * uploads, or a negative errno with the reason, which is static text. */
int state_directory(uint8_t secret[STATE_SECRET], const char **ret_why);

/* Writes a file of this name unless there is one (-EEXIST). 0 or -errno. */
int state_install(int directory, const char *name, const void *bytes, size_t n);
/* Reads a private file of exactly n bytes, and marks it as used. 0 or -errno;
 * -EPERM where others could read or write it. */
int state_read(int directory, const char *name, void *bytes, size_t n);
void state_remove(int directory, const char *name);

#endif
