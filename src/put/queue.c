/*
 * See queue.h.
 */
#include "put/queue.h"

#include <stddef.h>

void queue_init(
    struct queue *queue, char **files, const char *name, struct report *report)
{
	*queue = (struct queue){
	    .files = files,
	    .name = name,
	    .report = report,
	    .ready = SOURCE_NONE,
	};
}

bool queue_has_next(struct queue *queue)
{
	while (queue->ready.fd < 0 && *queue->files != NULL) {
		const char *path = *queue->files++;
		int error = 0;
		enum source_flaw flaw =
		    source_open(path, queue->name, &queue->ready, &error);

		if (flaw != SOURCE_GOOD)
			report_flaw(queue->report, path, flaw, error);
	}
	return queue->ready.fd >= 0;
}

struct source queue_take(struct queue *queue)
{
	struct source source = queue->ready;

	queue->ready = SOURCE_NONE;
	return source;
}

void queue_give_up(struct queue *queue)
{
	if (queue->ready.fd >= 0)
		report_unsent(queue->report, queue->ready.path);
	source_close(&queue->ready);
	for (; *queue->files != NULL; queue->files++)
		report_unsent(queue->report, *queue->files);
}
