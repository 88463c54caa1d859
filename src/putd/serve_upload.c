/*
 * Uploads by id: part, commit, stat and abort. An id that a part opened stays
 * open, and locked, while frames of it follow each other without a wait.
 */
#include "putd/serve.h"

#include "putd/commit.h"
#include "putd/kept.h"
#include "putd/wait.h"
#include "wire/cleanup.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

int serve_release_partial(struct session *s)
{
	int r = 0;

	if (!partial_is_open(&s->partial))
		return 0;
	r = partial_checkpoint(s->store, &s->partial);
	partial_close(&s->partial);
	return r;
}

/* Opens the upload of this id, if it is not the one that is open. Returns as
 * partial_open(). */
static int acquire(struct session *s, const char *id, bool make)
{
	int r;

	if (partial_is_open(&s->partial) && strcmp(s->partial.id, id) == 0)
		return 0;
	r = serve_release_partial(s);
	return r < 0 ? r : partial_open(s->store, id, make, &s->partial);
}

/*
 * What is known of an id: its commit, or its partial file, or neither. Returns
 * 0; -EBUSY; -errno. kept->state is never KEPT_INTENT afterwards; s->partial
 * is open if there is one and the commit has not been.
 */
static int look_up(struct session *s, const char *id, struct kept *kept)
{
	int r = acquire(s, id, false);

	if (r < 0 && r != -ENOENT)
		return r;
	r = kept_read(s->store, id, kept);
	if (r == 0)
		r = commit_resume(s->store, id, &s->partial, kept);
	return r;
}

/* A part's body is still to come; that of another command has been skipped. */
static enum ending refuse(
    struct session *s, const struct header *header, const struct reason *reason)
{
	return serve_refuse_and_skip(s, header, reason,
	    header->command == COMMAND_PUT ? header->filesize : 0);
}

static enum ending refuse_error(
    struct session *s, const struct header *header, int error)
{
	struct reason reason = reason_of(error);

	return refuse(s, header, &reason);
}

/* --- part ----------------------------------------------------------------- */

/* Whether a part of this size may be added: 0 or -errno. A scan of all partial
 * files for every small part would be work for nothing. */
static int admit_part(struct session *s, const struct header *header, bool made)
{
	uint64_t held = partial_is_open(&s->partial) ? s->partial.held : 0;
	int r = store_admit_size(
	    s->store, held + header->filesize, header->filesize);

	if (r < 0)
		return r;
	s->unscanned += header->filesize;
	if (!made && s->unscanned < CHECKPOINT_BYTES)
		return 0;
	s->unscanned = 0;
	return partial_make_room(s->store, header->filesize, made);
}

static enum ending answer_taken(struct session *s, const struct header *header)
{
	struct reason reason;
	int r = serve_settle(s);

	if (r < 0)
		return inside_frame(r, END_IO);
	if (!header->reply)
		return GO_ON;
	r = partial_checkpoint(s->store, &s->partial);
	if (r < 0) {
		reason = reason_of(r);
		return serve_refuse(s, header, &reason);
	}
	return serve_send(s, answer_part(&s->answer, header->id,
				 s->partial.held, s->store->durable));
}

/* What is written counts as held, and is recorded now and then. */
static void note_progress(void *context, uint64_t left)
{
	struct session *s = context;

	s->partial.held = s->header->offset + (s->header->filesize - left);
	partial_checkpoint_if_due(s->store, &s->partial);
	serve_report_progress(s, left);
}

static enum ending receive_part(struct session *s, const struct header *header)
{
	struct body body = {
	    .left = header->filesize,
	    .offset = s->partial.held,
	    .keep_prefix = true,
	};
	struct reason reason;
	enum ending ending;

	s->header = header;
	s->in_part = true;
	body.progress = note_progress;
	body.progress_context = s;
	ending = inside_frame(
	    body_receive(&s->stream, s->partial.fd, &body), END_CUT_BODY);
	s->in_part = false;
	s->partial.held = body.offset;
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

	if (partial_is_open(&s->partial)) {
		int r = partial_checkpoint(s->store, &s->partial);

		if (r < 0)
			return refuse_error(s, header, r);
		reason.offset = s->partial.held;
	}
	return refuse(s, header, &reason);
}

enum ending serve_part(struct session *s, const struct header *header)
{
	CLEANUP(kept_free) struct kept kept = {.state = KEPT_NONE};
	struct reason stored = {.error = WIRE_EXISTS, .is_stored = true};
	bool make;
	int r = 0;

	if (!partial_is_open(&s->partial) ||
	    strcmp(s->partial.id, header->id) != 0)
		r = look_up(s, header->id, &kept);
	if (r < 0)
		return refuse_error(s, header, r);
	if (kept.state == KEPT_STORED)
		return refuse(s, header, &stored);
	make = !partial_is_open(&s->partial);
	if (header->offset != (make ? 0 : s->partial.held))
		return refuse_offset(s, header);
	r = admit_part(s, header, make);
	if (r == 0 && make)
		r = acquire(s, header->id, true);
	if (r < 0)
		return refuse_error(s, header, r);
	return receive_part(s, header);
}

/* --- commit --------------------------------------------------------------- */

static enum ending answer_kept(
    struct session *s, const struct header *header, const struct kept *kept)
{
	struct stored stored = {
	    .command = header->command_text,
	    .filename = kept->filename,
	    .as = kept->stored,
	    .size = kept->size,
	    .durable = s->store->durable,
	    .unchanged = kept->unchanged,
	    .sha256 = kept->has_sha256 ? kept->sha256 : NULL,
	};

	if (!header->reply)
		return GO_ON;
	return serve_send(s, answer_stored(&s->answer, &stored));
}

/* The commit has been: the same receipt for the same wish, else mismatch. */
static enum ending repeat_commit(
    struct session *s, const struct header *header, const struct kept *kept)
{
	struct reason other = {.error = WIRE_MISMATCH, .final = true};
	char hex[SHA256_HEX + 1];

	digest_hex(header->sha256, hex);
	if (strcmp(kept->filename, header->filename) != 0 ||
	    kept->size != header->size ||
	    (header->digest == DIGEST_EXPECT && kept->has_sha256 &&
		strcmp(kept->sha256, hex) != 0))
		return refuse(s, header, &other);
	s->counts.files++;
	s->counts.bytes += kept->size;
	return answer_kept(s, header, kept);
}

/* Where a commit would put its file: judged, and entered. 0 or -errno. */
static int admit_commit(struct session *s, const struct header *header,
    uint64_t size, uint64_t coming, struct name *name, struct wish *wish)
{
	int policy = store_policy(s->store, header->if_exists);
	bool fresh;
	int r = 0;

	if (header->filename != NULL)
		r = name_parse(header->filename, s->store->hidden, name);
	if (r < 0 || policy < 0)
		return r < 0 ? r : policy;
	wish->policy = (enum policy)policy;
	if (header->filename == NULL)
		return store_admit_size(s->store, size, coming);
	r = store_enter(s->store, name, &s->directory);
	if (r < 0)
		return r;
	fresh =
	    wish->policy == POLICY_REJECT && header->digest != DIGEST_EXPECT;
	return store_admit(s->store, s->directory, name, fresh, size, coming);
}

/* The digest over the whole file, where one is asked or announced: 0, -EBADMSG
 * where it is another, -errno. */
static int judge_digest(struct session *s, const struct header *header,
    struct wish *wish, struct kept *kept)
{
	int r;

	if (header->digest == DIGEST_NONE)
		return 0;
	r = digest_file(s->partial.fd, wish->sha256);
	if (r < 0)
		return r;
	kept->has_sha256 = true;
	digest_hex(wish->sha256, kept->sha256);
	if (header->digest == DIGEST_TELL)
		return 0;
	wish->has_sha256 = true;
	return memcmp(wish->sha256, header->sha256, DIGEST_BYTES) == 0
		   ? 0
		   : -EBADMSG;
}

static int commit(
    struct session *s, const struct header *header, struct kept *kept)
{
	CLEANUP(name_free) struct name name = {0};
	struct wish wish = {
	    .has_mtime = header->has_mtime,
	    .mtime_usec = header->mtime_usec,
	    .size = header->size,
	};
	int r = admit_commit(s, header, header->size, 0, &name, &wish);

	if (r < 0)
		return r;
	r = judge_digest(s, header, &wish, kept);
	if (r == -EBADMSG)
		(void)partial_forget(s->store, &s->partial);
	if (r < 0)
		return r;
	kept->size = header->size;
	kept->filename = strdup(header->filename);
	if (kept->filename == NULL)
		return -ENOMEM;
	return commit_publish(
	    s->store, &s->partial, s->directory, &name, &wish, kept);
}

static void log_committed(struct session *s, const struct kept *kept)
{
	struct log_record record = {
	    .name = kept->filename,
	    .stored = kept->stored,
	    .sha256 = kept->has_sha256 ? kept->sha256 : NULL,
	    .size = kept->size,
	    .ms = now_ms() - s->started,
	};

	log_stored(&s->log, &record);
}

static enum ending carry_out(struct session *s, const struct header *header)
{
	CLEANUP(kept_free) struct kept kept = {.state = KEPT_NONE};
	struct reason size = {.error = WIRE_MISMATCH, .has_offset = true};
	int r;

	if (header->size != s->partial.held) {
		r = partial_checkpoint(s->store, &s->partial);
		size.offset = s->partial.held;
		return r < 0 ? refuse_error(s, header, r)
			     : refuse(s, header, &size);
	}
	r = commit(s, header, &kept);
	if (r < 0)
		return refuse_error(s, header, r);
	s->counts.files++;
	s->counts.bytes += kept.size;
	log_committed(s, &kept);
	return answer_kept(s, header, &kept);
}

enum ending serve_commit(struct session *s, const struct header *header)
{
	CLEANUP(kept_free) struct kept kept = {.state = KEPT_NONE};
	struct reason unknown = {.error = WIRE_UNKNOWN_ID};
	enum ending ending = serve_skip_unused(s, header);
	int r;

	if (ending != GO_ON)
		return ending;
	r = look_up(s, header->id, &kept);
	if (r < 0)
		return refuse_error(s, header, r);
	if (kept.state == KEPT_STORED)
		return repeat_commit(s, header, &kept);
	if (!partial_is_open(&s->partial))
		return refuse(s, header, &unknown);
	return carry_out(s, header);
}

/* --- stat, abort ---------------------------------------------------------- */

/* Whether a commit with these keys would be refused already: 0 or -errno. */
static int admit_early(struct session *s, const struct header *header)
{
	CLEANUP(name_free) struct name name = {0};
	struct wish wish;
	uint64_t held = partial_is_open(&s->partial) ? s->partial.held : 0;
	uint64_t coming = header->size > held ? header->size - held : 0;

	return admit_commit(s, header, header->size, coming, &name, &wish);
}

enum ending serve_stat(struct session *s, const struct header *header)
{
	CLEANUP(kept_free) struct kept kept = {.state = KEPT_NONE};
	struct reason unknown = {.error = WIRE_UNKNOWN_ID};
	enum ending ending = serve_skip_unused(s, header);
	int r;

	if (ending != GO_ON)
		return ending;
	r = look_up(s, header->id, &kept);
	if (r == 0 && kept.state == KEPT_STORED)
		return answer_kept(s, header, &kept);
	if (r == 0 && partial_is_open(&s->partial))
		r = partial_checkpoint(s->store, &s->partial);
	if (r == 0)
		r = admit_early(s, header);
	if (r < 0)
		return refuse_error(s, header, r);
	if (!partial_is_open(&s->partial))
		return refuse(s, header, &unknown);
	if (!header->reply)
		return GO_ON;
	return serve_send(s, answer_partial(&s->answer, s->partial.held));
}

enum ending serve_abort(struct session *s, const struct header *header)
{
	enum ending ending = serve_skip_unused(s, header);
	int r;

	if (ending != GO_ON)
		return ending;
	r = acquire(s, header->id, false);
	if (r == 0)
		r = partial_forget(s->store, &s->partial);
	if (r < 0 && r != -ENOENT)
		return refuse_error(s, header, r);
	if (!header->reply)
		return GO_ON;
	return serve_send(s, answer_abort(&s->answer));
}
