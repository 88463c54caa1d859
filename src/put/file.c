/*
 * See file.h.
 */
#include "put/file.h"

#include "put/feed.h"

#include <stdlib.h>
#include <string.h>

struct file *file_new(const char *path, const char *name)
{
	struct file *file = calloc(1, sizeof(*file));

	if (file == NULL)
		return NULL;
	file->holders = 1;
	file->path = strdup(path);
	file->name = strdup(name);
	if (file->path == NULL || file->name == NULL)
		file_release(&file);
	return file;
}

struct file *file_hold(struct file *file)
{
	file->holders++;
	return file;
}

void file_release(struct file **file)
{
	struct file *gone = *file;

	*file = NULL;
	if (gone == NULL || --gone->holders > 0)
		return;
	feed_free(gone->feed);
	free(gone->path);
	free(gone->name);
	free(gone);
}
