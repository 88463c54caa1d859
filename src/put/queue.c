/*
 * See queue.h.
 */
#include "put/queue.h"

#include "put/feed.h"

#include "wire/cleanup.h"

#include <errno.h>
#include <stddef.h>

void queue_begin(
    struct queue *queue, const struct options *options, struct report *report)
{
	struct walk_rules rules = {
	    .name = options->name,
	    .recursive = options->recursive,
	    .relative = options->relative,
	};

	*queue = (struct queue){
	    .options = options,
	    .report = report,
	    .command = options->command != NULL,
	    .source = SOURCE_NONE,
	};
	queue->again_end = &queue->again;
	walk_begin(&queue->walk, options->files, &rules);
}

/* The next that is tried again, unopened; NULL: there is none. */
static struct file *take_now(struct queue *queue)
{
	struct file *file = queue->now;

	if (file != NULL) {
		queue->now = file->next;
		file->next = NULL;
	}
	return file;
}

void queue_begin_round(struct queue *queue)
{
	*queue->again_end = queue->now;
	queue->now = queue->again;
	queue->again = NULL;
	queue->again_end = &queue->again;
}

void queue_end(struct queue *queue)
{
	struct file *file;

	queue_begin_round(queue);
	while ((file = take_now(queue)) != NULL)
		file_release(&file);
	file_release(&queue->ready);
	source_close(&queue->source);
	walk_end(&queue->walk);
}

/* Streams are taken over by a feed, which lives as long as its file. */
static int begin_stream(struct queue *queue, struct file *file)
{
	if (file->feed != NULL || !queue->source.endless)
		return 0;
	file->way = WAY_STREAM;
	file->feed = feed_of(queue->source.fd, queue->options->checksum);
	if (file->feed == NULL)
		return -ENOMEM;
	queue->source = SOURCE_NONE;
	return 0;
}

/* Opens the file. What cannot be sent is told; true if it is ready now. */
static bool make_ready(struct queue *queue, struct file *file)
{
	enum source_flaw flaw = SOURCE_GOOD;
	int error = 0;

	if (file->feed == NULL)
		flaw = source_open(file->path, &queue->source, &error);
	if (flaw == SOURCE_GOOD)
		flaw = source_name_flaw(file->name);
	if (flaw != SOURCE_GOOD) {
		source_close(&queue->source);
		report_flaw(queue->report, file->path, flaw, error);
		file_release(&file);
		return false;
	}
	if (begin_stream(queue, file) < 0) {
		report_no_memory(queue->report);
		file_release(&file);
		return false;
	}
	if (file->way != WAY_STREAM)
		file->size = queue->source.size;
	queue->ready = file;
	return true;
}

/* The file that is a command's output. */
static struct file *begin_command(struct queue *queue)
{
	const struct options *options = queue->options;
	struct file *file = file_new(options->name, options->name);
	int r = -ENOMEM;

	queue->command = false;
	if (file != NULL)
		r = feed_start(
		    options->command, options->checksum, &file->feed);
	if (r < 0) {
		report_command_not_run(queue->report, file, -r);
		file_release(&file);
		return NULL;
	}
	file->way = WAY_STREAM;
	return file;
}

/* Of the command line. Returns 1 with *ret set, 0 where this one was told, -1
 * where there is no more. */
static int next_walked(struct queue *queue, struct file **ret)
{
	struct walked found;
	int r = walk_next(&queue->walk, &found);

	if (r < 0)
		report_no_memory(queue->report);
	if (r <= 0)
		return -1;
	if (found.flaw != SOURCE_GOOD) {
		report_flaw(queue->report, found.path, found.flaw, found.error);
		return 0;
	}
	*ret = file_new(found.path, found.name);
	free(found.name);
	if (*ret == NULL)
		report_no_memory(queue->report);
	return *ret != NULL ? 1 : -1;
}

bool queue_has_next(struct queue *queue)
{
	while (queue->ready == NULL) {
		struct file *file = take_now(queue);
		int r = 1;

		if (file == NULL && queue->command) {
			file = begin_command(queue);
			r = file != NULL ? 1 : 0;
		} else if (file == NULL) {
			r = next_walked(queue, &file);
		}
		if (r < 0)
			return false;
		if (r > 0)
			(void)make_ready(queue, file);
	}
	return true;
}

struct file *queue_take(struct queue *queue, struct source *ret_source)
{
	struct file *file = queue->ready;

	*ret_source = queue->source;
	queue->source = SOURCE_NONE;
	queue->ready = NULL;
	file->state = FILE_OPEN;
	return file;
}

void queue_again(struct queue *queue, struct file *file)
{
	file->state = FILE_AGAIN;
	file->next = NULL;
	*queue->again_end = file_hold(file);
	queue->again_end = &file->next;
}

void queue_give_up(struct queue *queue)
{
	struct walked found;
	struct file *file;

	if (queue->ready != NULL)
		report_gave_up(queue->report, queue->ready);
	file_release(&queue->ready);
	source_close(&queue->source);
	queue_begin_round(queue);
	while ((file = take_now(queue)) != NULL) {
		report_gave_up(queue->report, file);
		file_release(&file);
	}
	while (walk_next(&queue->walk, &found) > 0) {
		report_unsent(queue->report, found.path);
		free(found.name);
	}
}
