/*
 * The cage that the process puts itself into before the first byte of a peer
 * is read: files only below the root, no new privileges, only the system calls
 * that serving needs. Every launcher gets the same one. What must be opened
 * outside (libsystemd, the syslog socket, the time zone) is opened before.
 */
#ifndef PUTD_SANDBOX_H
#define PUTD_SANDBOX_H

/*
 * Enters the sandbox for good. `root` is the held directory. Returns 0; -errno
 * where the kernel has a mechanism and refuses it; on failure *ret_part names
 * the part. Where the kernel lacks one, *ret_missing names it (else NULL) and
 * the other is entered: the caller warns.
 */
int sandbox_enter(int root, const char **ret_part, const char **ret_missing);

/* The mechanisms. Each returns 0, -ENOSYS where the kernel lacks it, -errno. */
int sandbox_landlock(int root);
int sandbox_seccomp(void);

/* The version of Landlock's interface, 0 where the kernel lacks it, -errno
 * where it will not tell. */
int sandbox_landlock_abi(void);

#endif
