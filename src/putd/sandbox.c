/*
 * See sandbox.h.
 */
#include "putd/sandbox.h"

#include <errno.h>
#include <stddef.h>
#include <sys/prctl.h>

int sandbox_enter(int root, const char **ret_part, const char **ret_missing)
{
	int r;

	*ret_missing = NULL;
	*ret_part = "no_new_privs";
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return -errno;
	*ret_part = "Landlock";
	r = sandbox_landlock(root);
	if (r < 0 && r != -ENOSYS)
		return r;
	if (r == -ENOSYS)
		*ret_missing = "Landlock";
	*ret_part = "seccomp";
	r = sandbox_seccomp();
	if (r < 0 && r != -ENOSYS)
		return r;
	if (r == -ENOSYS)
		*ret_missing =
		    *ret_missing != NULL ? "Landlock or seccomp" : "seccomp";
	return 0;
}
