/*
 * A whole file: judged before its body comes, received into a temporary, handed
 * to the batch, and answered when that is flushed. Only the batch publishes.
 */
#include "putd/serve.h"

#include "putd/digest.h"
#include "putd/wait.h"

#include <errno.h>
#include <string.h>

/* A file on its way, and the digest of what has come of it. */
struct upload {
	struct pending file;
	struct digest_state digest;
};

static void log_settled(struct session *s, const struct pending *file,
    const struct stored *stored, const struct reason *reason)
{
	struct log_record record = {
	    .name = file->name.text,
	    .sha256 = stored->sha256,
	    .size = file->wish.size,
	    .ms = now_ms() - file->started,
	};

	if (reason->error == WIRE_OK) {
		record.stored = stored->as;
		log_stored(&s->log, &record);
	} else {
		record.error = wire_error_fact(reason->error)->name;
		record.cause = reason->cause;
		log_refused(&s->log, &record);
	}
}

static void count_settled(
    struct session *s, const struct pending *file, enum wire_error error)
{
	s->io_failed = s->io_failed || error == WIRE_IO;
	if (error != WIRE_OK) {
		s->counts.failed++;
		return;
	}
	s->counts.files++;
	s->counts.bytes += file->wish.size;
}

int serve_file_settled(void *context, const struct pending *file)
{
	struct session *s = context;
	struct reason reason = reason_of(file->error);
	char as[NAME_MAX_BYTES + NAME_COMPONENT_MAX + 2];
	char hex[SHA256_HEX + 1];
	struct stored stored = {
	    .command = "put",
	    .filename = file->name.text,
	    .as = as,
	    .size = file->wish.size,
	    .durable = s->store->durable,
	    .unchanged = file->outcome.unchanged,
	};
	struct refusal refusal = {.command = "put",
	    .error = reason.error,
	    .filename = file->name.text};

	if (reason.error == WIRE_BAD_NAME)
		refusal.filename = NULL;
	outcome_name(&file->outcome, &file->name, as, sizeof(as));
	if (file->tell_sha256) {
		digest_hex(file->sha256, hex);
		stored.sha256 = hex;
	}
	count_settled(s, file, reason.error);
	log_settled(s, file, &stored, &reason);
	if (!file->reply)
		return 0;
	return stream_queue(&s->stream, s->answer.text,
	    reason.error == WIRE_OK ? answer_stored(&s->answer, &stored)
				    : answer_refused(&s->answer, &refusal));
}

/* Under `reject` a taken name is refused at once, unless a digest was given: a
 * repeat of what stands there is well, and only the body can tell. */
static bool must_be_fresh(const struct wish *wish, const struct header *header)
{
	return wish->policy == POLICY_REJECT && header->digest != DIGEST_EXPECT;
}

/* The directory of the last file, or of one before it that is not settled: each
 * is flushed once for all its files. */
static int enter_directory(struct session *s, const struct name *name)
{
	struct directory *known;

	if (s->directory != NULL && directory_has(s->directory, name))
		return 0;
	known = batch_directory(&s->batch, name);
	if (known == NULL)
		return store_enter(s->store, name, &s->directory);
	directory_release(&s->directory);
	s->directory = directory_hold(known);
	return 0;
}

/* Whether the name need not be looked at before the body comes: it is here
 * already, and publishing it over whatever is there judges as soon. */
static bool is_judged_late(const struct session *s, const struct header *header,
    const struct pending *file)
{
	return file->wish.policy == POLICY_REPLACE &&
	       header->digest != DIGEST_EXPECT &&
	       header->filesize <= stream_held(&s->stream);
}

/* Before the body comes: what is wrong with the name is told, not what is wrong
 * with the size besides. */
static int admit(
    struct session *s, const struct header *header, const struct pending *file)
{
	bool late = is_judged_late(s, header, file);
	bool fresh = must_be_fresh(&file->wish, header);
	int name =
	    late ? 0 : store_admit_name(s->directory, &file->name, fresh);
	int size = 0;

	if (name == 0)
		size = store_admit_size(
		    s->store, header->filesize, header->filesize);
	if (late && size < 0)
		name = store_admit_name(s->directory, &file->name, fresh);
	return name < 0 ? name : size;
}

/* Judges the frame and opens where its file will stand: 0 or -errno. */
static int prepare_file(
    struct session *s, const struct header *header, struct pending *file)
{
	struct store *store = s->store;
	int policy = store_policy(store, header->if_exists);
	int r = name_parse(header->filename, store->hidden, &file->name);

	if (r < 0 || policy < 0)
		return r < 0 ? r : policy;
	file->wish.policy = (enum policy)policy;
	r = enter_directory(s, &file->name);
	if (r < 0)
		return r;
	r = admit(s, header, file);
	if (r < 0)
		return r;
	r = temporary_open(store, s->directory, &file->temporary);
	if (r < 0)
		return r;
	file->directory = directory_hold(s->directory);
	return 0;
}

static void taste_digest(void *context, const void *bytes, size_t n)
{
	digest_add(context, bytes, n);
}

static void note_progress(void *context, uint64_t left)
{
	(void)left;
	serve_report_progress(context);
}

static int receive(struct session *s, const struct header *header,
    struct upload *upload, struct body *body)
{
	int r;

	body->progress = note_progress;
	body->progress_context = s;
	if (header->digest != DIGEST_NONE) {
		digest_begin(&upload->digest);
		body->taste = taste_digest;
		body->taste_context = &upload->digest;
	}
	serve_begin_body(s, header, body);
	r = body_receive(&s->stream, upload->file.temporary.fd, body);
	serve_end_body(s);
	return r;
}

/* The bytes are there: their digest and time. 0, -EBADMSG where the digest is
 * another, -errno. */
static int finish_file(const struct header *header, struct upload *upload)
{
	struct pending *file = &upload->file;

	if (header->digest != DIGEST_NONE) {
		digest_end(&upload->digest, file->sha256);
		file->tell_sha256 = true;
	}
	if (header->digest == DIGEST_EXPECT) {
		if (memcmp(file->sha256, header->sha256, DIGEST_BYTES) != 0)
			return -EBADMSG;
		file->wish.has_sha256 = true;
		memcpy(file->wish.sha256, file->sha256, DIGEST_BYTES);
	}
	return wish_apply(file->temporary.fd, &file->wish);
}

static enum ending hand_over(struct session *s, const struct pending *file)
{
	int r = 0;

	batch_add(&s->batch, file);
	if (batch_full(&s->batch))
		r = serve_settle(s);
	return r < 0 ? inside_frame(r, END_IO) : GO_ON;
}

/* Frames have their effect in their order: a file that stands on the way to
 * this one is there before a directory of its name could be made. */
static enum ending clear_way(struct session *s, const struct header *header)
{
	int r = 0;

	if (batch_stands_on_way(&s->batch, header->filename))
		r = serve_settle(s);
	return r < 0 ? inside_frame(r, END_IO) : GO_ON;
}

static enum ending serve_whole_file(
    struct session *s, const struct header *header)
{
	struct upload upload = {
	    .file =
		{
		    .temporary = {.fd = -1},
		    .wish = {.size = header->filesize,
			.has_mtime = header->has_mtime,
			.mtime_usec = header->mtime_usec},
		    .started = s->started,
		    .reply = header->reply,
		},
	};
	struct body body = {.left = header->filesize};
	struct reason reason;
	enum ending ending = clear_way(s, header);

	if (ending != GO_ON)
		return ending;
	body.error = prepare_file(s, header, &upload.file);
	if (body.error == 0)
		ending = inside_frame(
		    receive(s, header, &upload, &body), END_CUT_BODY);
	if (ending == GO_ON && body.error == 0)
		body.error = finish_file(header, &upload);
	if (ending == GO_ON && body.error == 0)
		return hand_over(s, &upload.file);
	pending_forget(s->store, &upload.file);
	if (ending != GO_ON)
		return ending;
	reason = reason_of(body.error);
	return serve_refuse_and_skip(s, header, &reason, body.left);
}

enum ending serve_put(struct session *s, const struct header *header)
{
	return header->id != NULL ? serve_part(s, header)
				  : serve_whole_file(s, header);
}
