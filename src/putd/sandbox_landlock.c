/*
 * Landlock (landlock(7)): of all files, only those below the root, to be read,
 * written, linked, renamed and removed; no TCP, no abstract Unix socket, no
 * signal to others, where the kernel knows of these.
 */
#include "putd/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

/* What <linux/landlock.h> of Linux 6.1 does not know yet. */
#define FS_REFER     (UINT64_C(1) << 13) /* interface 2 */
#define FS_TRUNCATE  (UINT64_C(1) << 14) /* 3 */
#define FS_IOCTL_DEV (UINT64_C(1) << 15) /* 5 */
#define NET_TCP	     UINT64_C(3)	 /* 4: bind and connect */
#define SCOPES	     UINT64_C(3)	 /* 6: abstract sockets and signals */

struct attributes {
	uint64_t fs, net, scoped;
};

/* The thirteen rights of interface 1, execute to make_sym. */
#define FS_FIRST (FS_REFER - 1)

#define FS_NEEDED                                                              \
	(LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR |          \
	    LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_MAKE_REG |      \
	    LANDLOCK_ACCESS_FS_MAKE_DIR | LANDLOCK_ACCESS_FS_REMOVE_FILE |     \
	    FS_REFER | FS_TRUNCATE)

int sandbox_landlock_abi(void)
{
	long abi = syscall(SYS_landlock_create_ruleset, NULL, 0,
	    LANDLOCK_CREATE_RULESET_VERSION);

	if (abi >= 0)
		return (int)abi;
	return errno == ENOSYS || errno == EOPNOTSUPP ? 0 : -errno;
}

/* All that this kernel can forbid; returns the size it knows of them. */
static size_t all_rights(int abi, struct attributes *ret)
{
	*ret = (struct attributes){.fs = FS_FIRST};
	if (abi >= 2)
		ret->fs |= FS_REFER;
	if (abi >= 3)
		ret->fs |= FS_TRUNCATE;
	if (abi >= 4)
		ret->net = NET_TCP;
	if (abi >= 5)
		ret->fs |= FS_IOCTL_DEV;
	if (abi >= 6)
		ret->scoped = SCOPES;
	if (abi >= 6)
		return sizeof(*ret);
	return abi >= 4 ? offsetof(struct attributes, scoped)
			: offsetof(struct attributes, net);
}

static int restrict_to(int ruleset, int root, uint64_t handled)
{
	struct landlock_path_beneath_attr below = {
	    .allowed_access = FS_NEEDED & handled,
	    .parent_fd = root,
	};

	if (syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH,
		&below, 0) < 0 ||
	    syscall(SYS_landlock_restrict_self, ruleset, 0) < 0)
		return -errno;
	return 0;
}

/* Interface 1 forbids every link and rename between directories, which a file
 * replaced in a subdirectory needs: such a kernel (5.13 to 5.18) counts as one
 * without Landlock. */
int sandbox_landlock(int root)
{
	struct attributes attributes;
	int abi = sandbox_landlock_abi();
	size_t size;
	long ruleset;
	int r;

	if (abi < 2)
		return abi < 0 ? abi : -ENOSYS;
	size = all_rights(abi, &attributes);
	ruleset = syscall(SYS_landlock_create_ruleset, &attributes, size, 0);
	if (ruleset < 0)
		return -errno;
	r = restrict_to((int)ruleset, root, attributes.fs);
	(void)close((int)ruleset);
	return r;
}
