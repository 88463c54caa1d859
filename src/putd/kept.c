/*
 * See kept.h.
 */
#include "putd/kept.h"

#include "putd/partial.h"
#include "putd/publish.h"
#include "wire/cleanup.h"
#include "wire/json.h"
#include "wire/json_write.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define KEPT_MAX 32768 /* bytes: two names, escaped, and a little more */

static int copy_string(const struct json *json, const char *key, char **ret)
{
	const char *value;

	if (json_string(json, key, &value) <= 0)
		return -EIO;
	*ret = strdup(value);
	return *ret != NULL ? 0 : -ENOMEM;
}

/* It is our own file: whatever does not fit is damage. */
static int parse(char *text, size_t length, struct kept *ret)
{
	struct json json;
	const char *sha256 = NULL;
	bool done = false;
	int r = json_read(text, length, &json);

	if (r < 0)
		return r == -ENOMEM ? r : -EIO;
	r = copy_string(&json, "filename", &ret->filename);
	if (r == 0)
		r = copy_string(&json, "stored", &ret->stored);
	if (json_boolean(&json, "done", &done) <= 0 ||
	    json_integer(&json, "size", &ret->size) <= 0 ||
	    json_boolean(&json, "unchanged", &ret->unchanged) <= 0 ||
	    json_string(&json, "sha256", &sha256) < 0)
		r = r < 0 ? r : -EIO;
	ret->state = done ? KEPT_STORED : KEPT_INTENT;
	if (sha256 != NULL && strlen(sha256) == SHA256_HEX) {
		ret->has_sha256 = true;
		memcpy(ret->sha256, sha256, SHA256_HEX + 1);
	}
	json_free(&json);
	return r;
}

/* Nothing in it is no record: it was not flushed (--sync=none), and then the
 * power went. */
static int read_record(int fd, struct kept *ret)
{
	char *text = malloc(KEPT_MAX);
	ssize_t n = text != NULL ? pread(fd, text, KEPT_MAX, 0) : -1;
	int r = n < 0 ? -errno : 0;

	if (n > 0)
		r = parse(text, (size_t)n, ret);
	free(text);
	return r;
}

int kept_read(struct store *store, const char *id, struct kept *ret)
{
	CLEANUP_CLOSE int fd = -1;
	struct kept kept = {.state = KEPT_NONE};
	int private_fd = store_private(store);
	char name[PRIVATE_FILE];
	int r = 0;

	if (private_fd < 0)
		return private_fd;
	private_file(name, id, "done");
	fd = openat(private_fd, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (fd >= 0)
		r = read_record(fd, &kept);
	else if (errno != ENOENT)
		r = -errno;
	if (r < 0)
		kept_free(&kept);
	else
		*ret = kept;
	return r;
}

static size_t format(const struct kept *kept, char *text)
{
	struct json_writer writer;

	json_begin(&writer, text, KEPT_MAX);
	json_add_boolean(&writer, "done", kept->state == KEPT_STORED);
	json_add_string(&writer, "filename", kept->filename);
	json_add_string(&writer, "stored", kept->stored);
	json_add_integer(&writer, "size", kept->size);
	json_add_boolean(&writer, "unchanged", kept->unchanged);
	if (kept->has_sha256)
		json_add_string(&writer, "sha256", kept->sha256);
	return json_end(&writer);
}

static int write_all(int fd, const char *text, size_t length, bool flush)
{
	ssize_t n = write(fd, text, length);

	if (n < 0)
		return -errno;
	if ((size_t)n != length)
		return -ENOSPC;
	return flush && fdatasync(fd) < 0 ? -errno : 0;
}

/* Under a name of its own first: what is there is there as a whole. */
static int replace(
    struct store *store, const char *id, const char *text, size_t length)
{
	CLEANUP_CLOSE int fd = -1;
	int private_fd = store_private(store);
	char new_name[PRIVATE_NAME], name[PRIVATE_FILE];
	int r = private_name(new_name);

	if (private_fd < 0)
		return private_fd;
	if (r < 0)
		return r;
	private_file(name, id, "done");
	fd = openat(private_fd, new_name,
	    O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	r = write_all(fd, text, length, store->durable);
	if (r == 0 && renameat(private_fd, new_name, private_fd, name) < 0)
		r = -errno;
	if (r < 0)
		(void)unlinkat(private_fd, new_name, 0);
	else
		r = store_flush_private(store);
	return r;
}

int kept_write(struct store *store, const char *id, const struct kept *kept)
{
	CLEANUP_FREE char *text = malloc(KEPT_MAX);

	if (text == NULL)
		return -ENOMEM;
	return replace(store, id, text, format(kept, text));
}

int kept_drop_intent(struct store *store, const char *id)
{
	CLEANUP(kept_free) struct kept kept = {.state = KEPT_NONE};
	char name[PRIVATE_FILE];
	int r = kept_read(store, id, &kept);

	if (r < 0 || kept.state != KEPT_INTENT)
		return r;
	private_file(name, id, "done");
	if (unlinkat(store->private_fd, name, 0) < 0 && errno != ENOENT)
		return -errno;
	return store_flush_private(store);
}

void kept_free(struct kept *kept)
{
	free(kept->filename);
	free(kept->stored);
	*kept = (struct kept){.state = KEPT_NONE};
}
