/*
 * See commit.h.
 */
#include "putd/commit.h"

#include "putd/flush.h"
#include "wire/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* What an attempt at one name needs. */
struct attempt {
	struct store *store;
	struct partial *partial;
	const struct directory *directory;
	const struct name *name;
	struct kept *kept;
};

/* The intent names where the file is about to stand, and is durable before. */
static int write_intent(struct attempt *attempt, const char *base)
{
	struct kept *kept = attempt->kept;
	size_t size = attempt->name->base + strlen(base) + 1;

	free(kept->stored);
	kept->stored = malloc(size);
	if (kept->stored == NULL)
		return -ENOMEM;
	(void)snprintf(kept->stored, size, "%.*s%s", (int)attempt->name->base,
	    attempt->name->text, base);
	kept->state = KEPT_INTENT;
	return kept_write(attempt->store, attempt->partial->id, kept);
}

static int link_and_unlink(
    struct attempt *attempt, const char *part, const char *base)
{
	int private_fd = attempt->store->private_fd;

	if (linkat(private_fd, part, attempt->directory->fd, base, 0) < 0)
		return -errno;
	return unlinkat(private_fd, part, 0) < 0 ? -EIO : 0;
}

static int attempt_name(void *context, const char *base)
{
	struct attempt *attempt = context;
	struct store *store = attempt->store;
	char part[PRIVATE_FILE];
	int r = write_intent(attempt, base);

	if (r < 0)
		return r;
	private_file(part, attempt->partial->id, "part");
	if (!store_can_noreplace(store))
		return link_and_unlink(attempt, part, base);
	if (renameat2(store->private_fd, part, attempt->directory->fd, base,
		RENAME_NOREPLACE) < 0)
		return rename_error(errno);
	return 0;
}

static int replace_name(struct attempt *attempt, const char *base)
{
	char part[PRIVATE_FILE];
	int r = write_intent(attempt, base);

	if (r < 0)
		return r;
	private_file(part, attempt->partial->id, "part");
	if (renameat(attempt->store->private_fd, part, attempt->directory->fd,
		base) < 0)
		return rename_error(errno);
	return 0;
}

static int flush_names(
    const struct store *store, const struct directory *directory)
{
	if (!store->durable)
		return 0;
	return flush_directory(directory->fd) < 0 ||
		       flush_directory(store->private_fd) < 0
		   ? -EIO
		   : 0;
}

/* The name by the policy, or none where the same file stands there already. */
static int publish_by_policy(struct attempt *attempt, const struct wish *wish)
{
	const char *base = attempt->name->text + attempt->name->base;
	char kept_as[NAME_COMPONENT_MAX + 1];
	int r = 0;

	if (wish->has_sha256)
		r = publish_is_same(
		    attempt->store, attempt->directory, base, wish);
	if (r > 0) {
		attempt->kept->unchanged = true;
		return write_intent(attempt, base);
	}
	if (r < 0)
		return r;
	if (wish->policy == POLICY_REPLACE)
		return replace_error(replace_name(attempt, base),
		    attempt->directory, attempt->name);
	if (wish->policy == POLICY_KEEP)
		return keep_number(attempt->directory, attempt->name, kept_as,
		    attempt_name, attempt);
	return attempt_name(attempt, base);
}

/* What the destination gives a file, and what was wished; durable. */
static int dress(struct store *store, struct partial *partial,
    const struct directory *directory, const struct wish *wish)
{
	char part[PRIVATE_FILE];
	int r = partial->broken ? -EIO : 0;

	if (r == 0)
		r = file_move_in(store, partial->fd, partial->note, directory);
	if (r > 0) {
		private_file(part, partial->id, "part");
		r = file_remake(store, &partial->fd, part, directory);
	}
	if (r == 0)
		r = wish_apply(partial->fd, wish);
	if (r == 0 && store->durable && fsync(partial->fd) < 0) {
		r = -errno;
		partial->broken = true;
	}
	return r;
}

/* Whether the partial file has its name, and no other. */
static bool is_private(const struct store *store, const struct partial *partial)
{
	char name[PRIVATE_FILE];
	struct stat named, opened;

	private_file(name, partial->id, "part");
	return fstatat(store->private_fd, name, &named, AT_SYMLINK_NOFOLLOW) ==
		   0 &&
	       fstat(partial->fd, &opened) == 0 && opened.st_nlink == 1 &&
	       named.st_ino == opened.st_ino && named.st_dev == opened.st_dev;
}

/*
 * The attempt failed: no intent may outlive it, and the file's time is again
 * that of an upload that somebody works on. Where the failure came after all
 * was done (a network filesystem that repeats a rename says so), the intent
 * stays: the next look at the id resolves it.
 */
static int undo(struct store *store, struct partial *partial, int error)
{
	if (is_private(store, partial)) {
		(void)futimens(partial->fd, NULL);
		if (kept_drop_intent(store, partial->id) < 0)
			error = -EIO;
	} else {
		partial->broken = true;
		error = -EIO;
	}
	if (partial->broken)
		partial_close(partial);
	return error;
}

int commit_publish(struct store *store, struct partial *partial,
    const struct directory *directory, const struct name *name,
    const struct wish *wish, struct kept *kept)
{
	struct attempt attempt = {store, partial, directory, name, kept};
	int r = partial_checkpoint(store, partial);

	if (r == 0)
		r = dress(store, partial, directory, wish);
	if (r == 0)
		r = publish_by_policy(&attempt, wish);
	if (r < 0)
		return undo(store, partial, r);
	r = flush_names(store, directory);
	if (r == 0) {
		kept->state = KEPT_STORED;
		r = kept_write(store, partial->id, kept);
	}
	/* It may be the published file now: nothing of ours touches it. */
	if (r == 0)
		(void)partial_remove(store, partial);
	else
		partial_close(partial);
	return r < 0 ? -EIO : 0;
}

int commit_forget(struct store *store, struct partial *partial)
{
	int r = kept_drop_intent(store, partial->id);

	if (r == 0)
		return partial_remove(store, partial);
	partial_close(partial);
	return r;
}

/* Whether the partial file has been linked to its name already. */
static bool is_linked(const struct partial *partial)
{
	struct stat status;

	return partial_is_open(partial) && fstat(partial->fd, &status) == 0 &&
	       status.st_nlink > 1;
}

/* The name may not be durable yet: the crash may have been ours alone. */
static int flush_published(struct store *store, const struct kept *kept)
{
	CLEANUP(directory_release) struct directory *directory = NULL;
	CLEANUP(name_free) struct name name = {0};
	int r = name_parse(kept->stored, true, &name);

	if (r == 0)
		r = store_enter_made(store, &name, &directory);
	/* The consumer may have moved even the directory away. */
	if (r < 0 || directory == NULL)
		return r == -EILSEQ || r == -ENOENT ? 0 : r;
	return flush_names(store, directory);
}

int commit_resume(struct store *store, const char *id, struct partial *partial,
    struct kept *kept)
{
	struct partial own = PARTIAL_NONE;
	int r;

	if (kept->state != KEPT_INTENT)
		return 0;
	if (partial_is_open(partial) && !is_linked(partial)) {
		kept_free(kept);
		return 0;
	}
	r = flush_published(store, kept);
	if (r < 0)
		return r;
	kept->state = KEPT_STORED;
	r = kept_write(store, id, kept);
	if (r < 0)
		return r;
	if (partial_is_open(partial))
		own = *partial;
	else
		(void)snprintf(own.id, sizeof(own.id), "%s", id);
	*partial = PARTIAL_NONE;
	return partial_remove(store, &own);
}
