/*
 * See systemd.h. dlopen(3) runs before the sandbox, which allows no file
 * outside the root; the handle stays open for the life of the process.
 */
#include "putd/systemd.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static struct {
	int (*listen_fds)(int unset_environment);
	int (*journal_sendv)(const struct iovec *fields, int count);
	int (*notify)(int unset_environment, const char *state);
} library;

static bool is_set(const char *variable)
{
	const char *value = getenv(variable);

	return value != NULL && value[0] != '\0';
}

int systemd_open(bool wanted)
{
	void *handle;

	if (!wanted && !is_set("LISTEN_FDS") && !is_set("NOTIFY_SOCKET") &&
	    !is_set("JOURNAL_STREAM"))
		return 0;
	handle = dlopen("libsystemd.so.0", RTLD_NOW | RTLD_LOCAL);
	if (handle == NULL)
		return -ELIBACC;
	/* POSIX wants this way of writing it: ISO C has no such cast. */
	*(void **)&library.listen_fds = dlsym(handle, "sd_listen_fds");
	*(void **)&library.journal_sendv = dlsym(handle, "sd_journal_sendv");
	*(void **)&library.notify = dlsym(handle, "sd_notify");
	return 0;
}

int systemd_sockets(void)
{
	if (library.listen_fds == NULL)
		return is_set("LISTEN_FDS") ? -ELIBACC : 0;
	return library.listen_fds(1);
}

/* JOURNAL_STREAM is DEVICE:INODE of the stream (systemd.exec(5)); a child
 * whose stderr was redirected since inherits the variable all the same. */
bool systemd_has_journal(void)
{
	unsigned long long device, inode;
	struct stat status;

	/* systemd writes it; numbers that do not fit are another file's. */
	/* NOLINTBEGIN(cert-err34-c) */
	return library.journal_sendv != NULL && is_set("JOURNAL_STREAM") &&
	       sscanf(getenv("JOURNAL_STREAM"), "%llu:%llu", &device, &inode) ==
		   2 &&
	       fstat(STDERR_FILENO, &status) == 0 && status.st_dev == device &&
	       status.st_ino == inode;
	/* NOLINTEND(cert-err34-c) */
}

bool systemd_is_open(void)
{
	return library.journal_sendv != NULL;
}

void systemd_journal(const struct iovec *fields, int count)
{
	if (library.journal_sendv != NULL)
		(void)library.journal_sendv(fields, count);
}

bool systemd_has_status(void)
{
	return library.notify != NULL && is_set("NOTIFY_SOCKET");
}

void systemd_status(const char *text)
{
	char state[512];

	(void)snprintf(state, sizeof(state), "STATUS=%.480s", text);
	if (systemd_has_status())
		(void)library.notify(0, state);
}
