/*
 * See batch.h. The order is that of the promise: no name before its data is on
 * disk, no receipt before its name is. A file that fails one step takes part
 * in none of those after it.
 */
#include "putd/batch.h"

#include "putd/flush.h"
#include "putd/turn.h"

#include <errno.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

void batch_init(struct batch *batch, struct store *store)
{
	batch->store = store;
	batch->count = 0;
	batch->open = 0;
	batch->limit = 0; /* asked for at the first file */
}

static size_t descriptor_limit(void)
{
	struct rlimit files;

	if (getrlimit(RLIMIT_NOFILE, &files) < 0 ||
	    files.rlim_cur >= DESCRIPTORS_MAX + DESCRIPTORS)
		return DESCRIPTORS_MAX;
	return files.rlim_cur > DESCRIPTORS ? files.rlim_cur - DESCRIPTORS : 1;
}

struct directory *batch_directory(
    const struct batch *batch, const struct name *name)
{
	for (size_t i = batch->count; i > 0; i--)
		if (directory_has(batch->files[i - 1].directory, name))
			return batch->files[i - 1].directory;
	return NULL;
}

bool batch_stands_on_way(const struct batch *batch, const char *filename)
{
	if (strchr(filename, '/') == NULL)
		return false;
	for (size_t i = 0; i < batch->count; i++) {
		const char *text = batch->files[i].name.text;
		size_t length = strlen(text);

		if (strncmp(filename, text, length) == 0 &&
		    filename[length] == '/')
			return true;
	}
	return false;
}

/* A file is one descriptor, and its directory another, unless files before it
 * hold that already: one reference is the session's, one is its own. */
void batch_add(struct batch *batch, const struct pending *file)
{
	if (batch->limit == 0)
		batch->limit = descriptor_limit();
	batch->open += file->directory->references > 2 ? 1 : 2;
	batch->files[batch->count++] = *file;
}

bool batch_full(const struct batch *batch)
{
	return batch->count == BATCH_FILES || batch->open + 2 > batch->limit;
}

static void flush_data(struct batch *batch)
{
	int fds[BATCH_FILES], errors[BATCH_FILES];

	for (size_t i = 0; i < batch->count; i++)
		fds[i] = batch->files[i].temporary.fd;
	flush_files(&batch->store->flusher, fds, errors, batch->count);
	for (size_t i = 0; i < batch->count; i++)
		batch->files[i].error = errors[i];
}

static void publish_all(struct batch *batch)
{
	for (size_t i = 0; i < batch->count; i++) {
		struct pending *file = &batch->files[i];

		if (file->error == 0)
			file->error = publish(batch->store, &file->temporary,
			    file->directory, &file->name, &file->wish,
			    &file->outcome);
		if (file->error == 0)
			file->directory->changed = true;
	}
}

/* Each directory once, however many files went into it. */
static void flush_directories(struct batch *batch)
{
	for (size_t i = 0; i < batch->count; i++) {
		struct pending *file = &batch->files[i];
		struct directory *directory = file->directory;

		if (directory->changed)
			/* Whatever it says: the name is there already. */
			directory->error =
			    flush_directory(directory->fd) < 0 ? -EIO : 0;
		directory->changed = false;
		if (file->error == 0)
			file->error = directory->error;
	}
}

static void by_turns(struct batch *batch, void (*flush)(struct batch *))
{
	struct store *store = batch->store;
	bool ours = turn_begin(&store->turn, store->root, batch->count);

	flush(batch);
	if (ours)
		turn_end(store->root);
}

void pending_forget(struct store *store, struct pending *file)
{
	temporary_discard(store, &file->temporary);
	directory_release(&file->directory);
	name_free(&file->name);
}

int batch_flush(struct batch *batch)
{
	int first = 0;

	if (batch->store->durable)
		by_turns(batch, flush_data);
	publish_all(batch);
	if (batch->store->durable)
		by_turns(batch, flush_directories);
	for (size_t i = 0; i < batch->count; i++) {
		int r = batch->settled(batch->context, &batch->files[i]);

		if (r < 0 && first == 0)
			first = r;
		pending_forget(batch->store, &batch->files[i]);
	}
	batch->count = 0;
	batch->open = 0;
	store_forget_free(batch->store);
	return first;
}
