/*
 * Escape attempts with files (see escape.c).
 */
#define _GNU_SOURCE
#include "escape.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

ATTEMPT(read_passwd)
{
	return open_path("/etc/passwd", O_RDONLY);
}

ATTEMPT(read_memory)
{
	return open_path("/proc/self/mem", O_RDWR);
}

ATTEMPT(read_environment)
{
	return open_path("/proc/self/environ", O_RDONLY);
}

ATTEMPT(list_outside)
{
	return open_path(getenv("ESCAPE_OUTSIDE"), O_RDONLY | O_DIRECTORY);
}

ATTEMPT(write_outside)
{
	return open_path(outside("file"), O_WRONLY);
}

ATTEMPT(truncate_outside)
{
	return open_path(outside("file"), O_WRONLY | O_TRUNC);
}

ATTEMPT(truncate_by_name)
{
	return truncate(outside("file"), 0);
}

ATTEMPT(create_outside)
{
	return open_path(outside("new"), O_WRONLY | O_CREAT | O_EXCL);
}

ATTEMPT(create_unnamed_outside)
{
	return open_path(getenv("ESCAPE_OUTSIDE"), O_WRONLY | O_TMPFILE);
}

ATTEMPT(creat_outside)
{
	return (int)syscall(SYS_creat, outside("new"), 0600);
}

ATTEMPT(through_parent)
{
	return openat(root(), "../outside/file", O_RDONLY | O_CLOEXEC);
}

ATTEMPT(through_link)
{
	return openat(root(), "out/file", O_RDONLY | O_CLOEXEC);
}

ATTEMPT(unlink_outside)
{
	return unlinkat(AT_FDCWD, outside("file"), 0);
}

ATTEMPT(unlink_by_name)
{
	return (int)syscall(SYS_unlink, outside("file"));
}

ATTEMPT(rmdir_outside)
{
	return unlinkat(AT_FDCWD, outside("directory"), AT_REMOVEDIR);
}

ATTEMPT(rename_outside)
{
	return renameat(AT_FDCWD, outside("file"), AT_FDCWD, outside("moved"));
}

ATTEMPT(rename_out)
{
	return renameat(root(), "inside", AT_FDCWD, outside("moved"));
}

ATTEMPT(rename_in)
{
	return renameat(AT_FDCWD, outside("file"), root(), "moved");
}

ATTEMPT(link_out)
{
	return linkat(root(), "inside", AT_FDCWD, outside("linked"), 0);
}

ATTEMPT(link_in)
{
	return linkat(AT_FDCWD, outside("file"), root(), "linked", 0);
}

ATTEMPT(mkdir_outside)
{
	return mkdirat(AT_FDCWD, outside("new"), 0700);
}

ATTEMPT(symlink_outside)
{
	return symlinkat("/etc", AT_FDCWD, outside("new"));
}

ATTEMPT(symlink_inside)
{
	return symlinkat("/etc", root(), "new");
}

ATTEMPT(fifo_inside)
{
	return mknodat(root(), "new", S_IFIFO | 0600, 0);
}

ATTEMPT(device_inside)
{
	return mknodat(root(), "new", S_IFCHR | 0600, makedev(1, 3));
}

ATTEMPT(chmod_outside)
{
	return fchmodat(AT_FDCWD, outside("file"), 0777, 0);
}

ATTEMPT(chown_outside)
{
	return fchownat(AT_FDCWD, outside("file"), 0, 0, 0);
}

ATTEMPT(touch_outside)
{
	return utimensat(AT_FDCWD, outside("file"), NULL, 0);
}

ATTEMPT(mark_outside)
{
	return setxattr(outside("file"), "user.escape", "1", 1, 0);
}

ATTEMPT(change_directory)
{
	return chdir(getenv("ESCAPE_OUTSIDE"));
}

ATTEMPT(change_root)
{
	return chroot(getenv("ESCAPE_OUTSIDE"));
}

ATTEMPT(watch)
{
	return (int)syscall(SYS_inotify_init1, 0);
}
