/*
 * See serve_id.h. An id that a part opened stays open, and locked, while frames
 * of it follow each other without a wait and without an answer.
 */
#include "putd/serve_id.h"

#include "putd/commit.h"

#include <errno.h>
#include <string.h>

int id_acquire(struct session *s, const char *id, bool make)
{
	int r;

	if (partial_is_open(&s->partial) && strcmp(s->partial.id, id) == 0)
		return 0;
	r = serve_release_partial(s);
	return r < 0 ? r : partial_open(s->store, id, make, &s->partial);
}

int id_look_up(struct session *s, const char *id, struct kept *kept)
{
	int r = id_acquire(s, id, false);

	if (r < 0 && r != -ENOENT)
		return r;
	r = kept_read(s->store, id, kept);
	if (r == 0)
		r = commit_resume(s->store, id, &s->partial, kept);
	return r;
}

enum ending id_refuse(
    struct session *s, const struct header *header, const struct reason *reason)
{
	return serve_refuse_and_skip(s, header, reason,
	    header->command == COMMAND_PUT ? header->filesize : 0);
}

enum ending id_refuse_error(
    struct session *s, const struct header *header, int error)
{
	struct reason reason = reason_of(error);

	return id_refuse(s, header, &reason);
}

int id_release(struct session *s, uint64_t *ret_held)
{
	*ret_held = partial_is_open(&s->partial) ? s->partial.held : 0;
	return serve_release_partial(s);
}
