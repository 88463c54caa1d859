/*
 * See acl.h. The form is that of <linux/posix_acl_xattr.h>, little-endian; the
 * rule for the mode is posix_acl_create(3)'s, as in the kernel's
 * posix_acl_create_masq().
 */
#include "putd/acl.h"

#include <endian.h>
#include <errno.h>
#include <linux/posix_acl.h>
#include <linux/posix_acl_xattr.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/xattr.h>

#define ENTRIES_MAX 128

struct acl {
	struct posix_acl_xattr_header header;
	struct posix_acl_xattr_entry entries[ENTRIES_MAX];
};

static bool has_mask(const struct acl *acl, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (le16toh(acl->entries[i].e_tag) == ACL_MASK)
			return true;
	return false;
}

/* The bits of `mode` that bound an entry; all where none do. */
static unsigned bound(unsigned tag, bool mask, mode_t mode)
{
	switch (tag) {
	case ACL_USER_OBJ:
		return mode >> 6 & 7;
	case ACL_MASK:
		return mode >> 3 & 7;
	case ACL_GROUP_OBJ:
		return mask ? 7 : mode >> 3 & 7;
	case ACL_OTHER:
		return mode & 7;
	default:
		return 7;
	}
}

static int remove_attribute(int fd, const char *name)
{
	if (fremovexattr(fd, name) < 0 && errno != ENODATA &&
	    errno != EOPNOTSUPP)
		return -errno;
	return 0;
}

int acl_drop_default(int directory)
{
	return remove_attribute(directory, "system.posix_acl_default");
}

int acl_inherit(int directory, int file, mode_t mode)
{
	struct acl acl;
	ssize_t size =
	    fgetxattr(directory, "system.posix_acl_default", &acl, sizeof(acl));
	size_t count;
	bool mask;

	if (size < 0 && (errno == ENODATA || errno == EOPNOTSUPP))
		return remove_attribute(file, "system.posix_acl_access");
	if (size < 0)
		return -errno;
	if ((size_t)size < sizeof(acl.header))
		return 0;
	count = ((size_t)size - sizeof(acl.header)) / sizeof(acl.entries[0]);
	mask = has_mask(&acl, count);
	for (size_t i = 0; i < count; i++) {
		struct posix_acl_xattr_entry *entry = &acl.entries[i];
		unsigned bits = bound(le16toh(entry->e_tag), mask, mode);

		entry->e_perm =
		    htole16((uint16_t)(le16toh(entry->e_perm) & bits));
	}
	if (fsetxattr(file, "system.posix_acl_access", &acl, (size_t)size, 0) <
	    0)
		return -errno;
	return 1;
}
