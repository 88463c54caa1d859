/*
 * The default ACL of a directory, acl(5), given to a file that was made
 * elsewhere. It knows the kernel's form of an ACL as an extended attribute, and
 * needs no library for it.
 */
#ifndef PUTD_ACL_H
#define PUTD_ACL_H

#include <sys/types.h>

/*
 * What the kernel does at open(2) with O_CREAT and `mode` in `directory`: its
 * default ACL becomes the file's, no permission beyond `mode`. Returns 1 where
 * that was done; 0 where there is no default ACL, or this filesystem has none
 * at all: then the file has no ACL either; -errno.
 */
int acl_inherit(int directory, int file, mode_t mode);

/* Takes a directory's default ACL away, so that what is made in it has none.
 * Returns 0, also where there is none, or -errno. */
int acl_drop_default(int directory);

#endif
