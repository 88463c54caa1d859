/*
 * See check.h.
 */
#include "putd/check.h"

#include "putd/log.h"
#include "putd/publish.h"
#include "putd/sandbox.h"
#include "wire/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <inttypes.h>
#include <linux/magic.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <unistd.h>

#define BLOCK	4096 /* bytes; what O_DIRECT is tried with */
#define SAY_MAX 1024 /* bytes of a line */

static void say(const char *what, const char *how)
{
	char text[SAY_MAX];

	log_escape(how, text, sizeof(text));
	printf("%-20s %s\n", what, text);
}

static void say_owner(const struct store *store)
{
	const struct passwd *user;
	const struct group *group;
	struct stat status;
	char uid[12], gid[12], text[160];

	if (fstat(store->root, &status) < 0)
		return;
	user = getpwuid(status.st_uid);
	group = getgrgid(status.st_gid);
	(void)snprintf(uid, sizeof(uid), "%u", (unsigned)status.st_uid);
	(void)snprintf(gid, sizeof(gid), "%u", (unsigned)status.st_gid);
	(void)snprintf(text, sizeof(text), "%.60s:%.60s, mode %04o",
	    user != NULL ? user->pw_name : uid,
	    group != NULL ? group->gr_name : gid,
	    (unsigned)status.st_mode & 07777);
	say("owner", text);
}

/* By the filesystem's number: memory forgets, whatever fsync(2) says. */
static bool is_memory(int fd)
{
	struct statfs fs;

	return fstatfs(fd, &fs) == 0 &&
	       (fs.f_type == TMPFS_MAGIC || fs.f_type == RAMFS_MAGIC);
}

static const char *try_direct(int fd)
{
	const char *answer = "no";
	void *block = mmap(NULL, BLOCK, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (block == MAP_FAILED)
		return answer;
	if (fcntl(fd, F_SETFL, O_DIRECT) == 0 &&
	    pwrite(fd, block, BLOCK, 0) == BLOCK)
		answer = "yes";
	(void)munmap(block, BLOCK);
	return answer;
}

/* 0 or -errno: without a flush that works nothing can be stored. */
static int try_flush(const struct store *store, int fd)
{
	int r = fdatasync(fd) < 0 ? -errno : 0;

	if (!store->durable)
		say("durable", "no: --sync=none");
	else if (r < 0)
		say("durable", "no: the flush fails");
	else if (is_memory(store->root))
		say("durable", "no: this filesystem is memory");
	else
		say("durable", "yes");
	return store->durable ? r : 0;
}

/* Stores nothing, but goes the way of a file up to its name. */
static int try_file(struct store *store)
{
	static const struct name name = {.text = (char *)"probe", .base = 0};
	struct directory *directory = NULL;
	struct temporary temporary;
	int r = store_enter(store, &name, &directory);

	if (r < 0)
		return r;
	r = temporary_open(store, directory, &temporary);
	if (r == 0) {
		say("unnamed temporaries", store->named ? "no" : "yes");
		r = try_flush(store, temporary.fd);
		say("O_DIRECT", try_direct(temporary.fd));
		temporary_discard(store, &temporary);
	}
	directory_release(&directory);
	return r;
}

static int check_free_space(struct store *store)
{
	struct space space;
	char text[160];
	int r = store_space(store, store->root, &space);

	if (r < 0)
		return r;
	(void)snprintf(text, sizeof(text),
	    "%" PRIu64 " MiB, the floor is %" PRIu64 " MiB", space.free >> 20,
	    space.floor >> 20);
	say("free space", text);
	return space.free > space.floor ? 0 : -ENOSPC;
}

static enum exit_status check_sandbox(const struct store *store)
{
	int abi = sandbox_landlock_abi(); /* cannot be asked from inside */
	const char *part, *missing;
	char text[160];
	int r = sandbox_enter(store->root, &part, &missing);

	(void)snprintf(text, sizeof(text), "interface %d", abi);
	say("Landlock", abi > 0 ? text : "no");
	if (r < 0)
		(void)snprintf(
		    text, sizeof(text), "%s refused: %s", part, strerror(-r));
	else if (missing != NULL)
		(void)snprintf(text, sizeof(text), "without %s", missing);
	else
		(void)snprintf(text, sizeof(text), "Landlock and seccomp");
	say("sandbox", text);
	return r < 0 || missing != NULL ? EXIT_SANDBOX : EXIT_SERVED;
}

enum exit_status check_print(const struct options *options, struct store *store)
{
	enum exit_status status;
	int r;

	say("directory", options->directory);
	say_owner(store);
	r = try_file(store);
	if (r == 0)
		r = check_free_space(store);
	if (r < 0)
		say("files", strerror(-r));
	status = check_sandbox(store);
	return r < 0 ? EXIT_DIRECTORY : status;
}
