/*
 * A part of an upload by id: its bytes go behind those that are held. What came
 * of one that breaks off is kept. Nothing is published here.
 */
#include "putd/bounds.h"
#include "putd/room.h"
#include "putd/serve_id.h"
#include "wire/cleanup.h"

#include <errno.h>
#include <string.h>

/* Whether a part of this size may be added: 0 or -errno. All partial files are
 * looked at when what was seen to be free is used up, not for each part. */
static int admit_part(struct session *s, const struct header *header)
{
	bool make = !partial_is_open(&s->partial);
	uint64_t held = make ? 0 : s->partial.held;
	int r = store_admit_size(
	    s->store, held + header->filesize, header->filesize);

	if (r == 0 && (make || header->filesize > s->room))
		r = partial_make_room(
		    s->store, header->filesize, make, &s->room);
	if (r == 0)
		s->room -= header->filesize;
	return r;
}

static enum ending answer_taken(struct session *s, const struct header *header)
{
	struct reason reason;
	uint64_t held;
	int r = serve_settle(s);

	if (r < 0)
		return inside_frame(r, END_IO);
	if (!header->reply)
		return GO_ON;
	r = id_release(s, &held);
	if (r < 0) {
		reason = reason_of(r);
		return serve_refuse(s, header, &reason);
	}
	return serve_send(
	    s, answer_part(&s->answer, header->id, held, s->store->durable));
}

/* What is written counts as held, and is recorded now and then. */
static void note_progress(void *context, uint64_t left)
{
	struct session *s = context;

	s->partial.held = s->header->offset + (s->header->filesize - left);
	partial_checkpoint_if_due(s->store, &s->partial);
	serve_report_progress(s);
}

static enum ending receive_part(struct session *s, const struct header *header)
{
	struct body body = {
	    .left = header->filesize,
	    .offset = s->partial.held,
	    .keep_prefix = true,
	    .progress = note_progress,
	    .progress_context = s,
	};
	struct reason reason;
	enum ending ending;

	serve_begin_body(s, header, &body);
	s->in_part = true;
	ending = inside_frame(
	    body_receive(&s->stream, s->partial.fd, &body), END_CUT_BODY);
	s->in_part = false;
	serve_end_body(s);
	s->partial.held = body.offset;
	if (s->partial.broken && body.error == 0)
		body.error = -EIO;
	if (s->partial.broken)
		partial_close(&s->partial);
	if (ending != GO_ON)
		return ending;
	if (body.error == 0)
		return answer_taken(s, header);
	reason = reason_of(body.error);
	return serve_refuse_and_skip(s, header, &reason, body.left);
}

static enum ending refuse_offset(struct session *s, const struct header *header)
{
	struct reason reason = {
	    .error = WIRE_BAD_OFFSET,
	    .has_offset = true,
	};
	int r = id_release(s, &reason.offset);

	return r < 0 ? id_refuse_error(s, header, r)
		     : id_refuse(s, header, &reason);
}

/* Makes the upload. Between our look and our lock another connection may have
 * made it, and even committed it: then it is busy for us, and the client asks
 * again. */
static int make_upload(struct session *s, const char *id)
{
	CLEANUP(kept_free) struct kept kept = {.state = KEPT_NONE};
	int r = id_acquire(s, id, true);

	if (r < 0)
		return r;
	r = kept_read(s->store, id, &kept);
	if (r == 0 && s->partial.made && kept.state == KEPT_NONE)
		return 0;
	if (s->partial.made)
		(void)partial_remove(s->store, &s->partial);
	return r < 0 ? r : -EBUSY;
}

enum ending serve_part(struct session *s, const struct header *header)
{
	CLEANUP(kept_free) struct kept kept = {.state = KEPT_NONE};
	struct reason stored = {.error = WIRE_EXISTS, .is_stored = true};
	bool make;
	int r = 0;

	if (!partial_is_open(&s->partial) ||
	    strcmp(s->partial.id, header->id) != 0)
		r = id_look_up(s, header->id, &kept);
	if (r < 0)
		return id_refuse_error(s, header, r);
	if (kept.state == KEPT_STORED)
		return id_refuse(s, header, &stored);
	make = !partial_is_open(&s->partial);
	if (header->offset != (make ? 0 : s->partial.held))
		return refuse_offset(s, header);
	r = admit_part(s, header);
	if (r == 0 && make)
		r = make_upload(s, header->id);
	if (r < 0)
		return id_refuse_error(s, header, r);
	return receive_part(s, header);
}
