/*
 * What the attempts of escape.c share.
 */
#ifndef ESCAPE_H
#define ESCAPE_H

/* Found by its name, so that no list of them is needed. It returns what a
 * system call does: -1 and errno where it failed. */
#define ATTEMPT(name)                                                          \
	int escape_##name(void);                                               \
	int escape_##name(void)

#define PATH_BYTES 108 /* as in sockaddr_un */

/* A path below the directory outside, in one of two static buffers. */
const char *outside(const char *name);

/* The handler's root: a directory on one of its descriptors. */
int root(void);

/* Close-on-exec, and for whom a new file is made. */
int open_path(const char *path, int flags);

#endif
