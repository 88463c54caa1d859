/*
 * See feed.h.
 */
#include "put/feed.h"

#include "put/child.h"
#include "put/clock.h"

#include "wire/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/wait.h>

struct feed *feed_of(int fd, bool digesting)
{
	struct feed *feed = calloc(1, sizeof(*feed));

	if (feed == NULL)
		return NULL;
	feed->fd = fd;
	feed->digesting = digesting;
	digest_begin(&feed->digest);
	return feed;
}

int feed_start(const char *command, bool digesting, struct feed **ret)
{
	CLEANUP_CLOSE int from = -1;
	CLEANUP_CLOSE int to = -1;
	int ends[2];
	struct feed *feed;
	int r;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return -errno;
	from = ends[0];
	to = ends[1];
	feed = feed_of(from, digesting);
	if (feed == NULL)
		return -ENOMEM;
	(void)take_fd(&from); /* it is the feed's */
	r = child_spawn(command, STDIN_FILENO, to, &feed->child);
	if (r < 0)
		feed_free(feed);
	else
		*ret = feed;
	return r;
}

/* A command that is still writing learns from its pipe that nobody reads. */
void feed_free(struct feed *feed)
{
	if (feed == NULL)
		return;
	close_fd(&feed->fd);
	for (size_t i = 0; i < FEED_BLOCKS; i++)
		free(feed->blocks[i].data);
	free(feed);
}

static struct feed_block *at(const struct feed *feed, size_t index)
{
	return (struct feed_block *)&feed
	    ->blocks[(feed->first + index) % FEED_BLOCKS];
}

static struct feed_block *last(const struct feed *feed)
{
	return feed->count > 0 ? at(feed, feed->count - 1) : NULL;
}

static bool takes_more(const struct feed_block *block)
{
	return block != NULL && !block->sealed;
}

bool feed_wants(const struct feed *feed)
{
	return feed->fd >= 0 &&
	       (takes_more(last(feed)) || feed->count < FEED_BLOCKS);
}

/* Memory is kept from block to block. */
static struct feed_block *open_block(struct feed *feed)
{
	struct feed_block *block = at(feed, feed->count);

	if (block->data == NULL)
		block->data = malloc(FEED_BLOCK);
	if (block->data == NULL)
		return NULL;
	block->at = feed->total;
	block->length = 0;
	block->sealed = false;
	feed->count++;
	return block;
}

/* The command has closed its output; what it says at its end decides. */
static void end(struct feed *feed, int error)
{
	close_fd(&feed->fd);
	if (takes_more(last(feed)))
		last(feed)->sealed = true;
	feed->error = error;
	if (feed->child != 0)
		while (waitpid(feed->child, &feed->status, 0) < 0 &&
		       errno == EINTR)
			;
	feed->child = 0;
	feed->failed = error != 0 || feed->status != 0;
}

int feed_read(struct feed *feed)
{
	struct feed_block *block = last(feed);
	ssize_t n;

	if (!takes_more(block))
		block = open_block(feed);
	if (block == NULL)
		return -ENOMEM;
	n = read(
	    feed->fd, block->data + block->length, FEED_BLOCK - block->length);
	if (n > 0) {
		if (feed->digesting)
			digest_add(&feed->digest, block->data + block->length,
			    (size_t)n);
		block->length += (size_t)n;
		block->sealed = block->length == FEED_BLOCK;
		feed->total += (uint64_t)n;
		feed->last = clock_ms();
	} else if (n == 0 || (errno != EINTR && errno != EAGAIN)) {
		end(feed, n == 0 ? 0 : errno);
	}
	return 0;
}

void feed_await(struct feed *feed)
{
	struct pollfd wait = {.fd = feed->fd, .events = POLLIN};

	if (feed->fd >= 0 && feed->count == 0)
		(void)poll(&wait, 1, -1);
}

int feed_linger(const struct feed *feed)
{
	const struct feed_block *block = last(feed);

	if (feed->fd < 0 || !takes_more(block) || block->length == 0)
		return -1;
	return clock_left(feed->last + FEED_LINGER_MS);
}

static const struct feed_block *holding(
    const struct feed *feed, uint64_t offset)
{
	for (size_t i = 0; i < feed->count; i++) {
		const struct feed_block *block = at(feed, i);

		if (offset >= block->at && offset < block->at + block->length)
			return block;
	}
	return NULL;
}

const char *feed_part(struct feed *feed, uint64_t offset, size_t *ret_length)
{
	struct feed_block *block = (struct feed_block *)holding(feed, offset);

	*ret_length = 0;
	if (block == NULL)
		return NULL;
	if (!block->sealed && feed_linger(feed) != 0)
		return NULL;
	block->sealed = true;
	*ret_length = (size_t)(block->at + block->length - offset);
	return block->data + (offset - block->at);
}

void feed_release(struct feed *feed, uint64_t offset)
{
	while (feed->count > 0 && at(feed, 0)->sealed &&
	       at(feed, 0)->at + at(feed, 0)->length <= offset) {
		feed->first = (feed->first + 1) % FEED_BLOCKS;
		feed->count--;
	}
}

bool feed_reaches(const struct feed *feed, uint64_t offset)
{
	uint64_t oldest = feed->count > 0 ? at(feed, 0)->at : feed->total;

	return offset >= oldest && offset <= feed->total;
}

bool feed_is_over(const struct feed *feed, uint64_t offset)
{
	return feed->fd < 0 && offset == feed->total;
}
