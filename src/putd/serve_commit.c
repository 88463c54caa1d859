/*
 * Commit, stat and abort of an upload by id. Frames in, answers out: never a
 * path.
 */
#include "putd/commit.h"
#include "putd/serve_id.h"
#include "putd/wait.h"
#include "wire/cleanup.h"

#include <errno.h>
#include <string.h>

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
		return id_refuse(s, header, &other);
	s->counts.files++;
	s->counts.bytes += kept->size;
	return answer_kept(s, header, kept);
}

/* Under `reject`, as with a whole put: see serve_put.c. */
static bool must_be_fresh(enum policy policy, const struct header *header)
{
	return policy == POLICY_REJECT && header->digest != DIGEST_EXPECT;
}

/* Where a commit puts its file: judged, and entered. 0 or -errno. */
static int admit_commit(struct session *s, const struct header *header,
    struct name *name, struct wish *wish)
{
	int policy = store_policy(s->store, header->if_exists);
	int r = name_parse(header->filename, s->store->hidden, name);

	if (r < 0 || policy < 0)
		return r < 0 ? r : policy;
	wish->policy = (enum policy)policy;
	r = store_enter(s->store, name, &s->directory);
	if (r < 0)
		return r;
	r = store_admit_name(
	    s->directory, name, must_be_fresh(wish->policy, header));
	return r < 0 ? r : store_admit_size(s->store, header->size, 0);
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
	int r = admit_commit(s, header, &name, &wish);

	if (r < 0)
		return r;
	r = judge_digest(s, header, &wish, kept);
	if (r == -EBADMSG)
		(void)commit_forget(s->store, &s->partial);
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
		r = id_release(s, &size.offset);
		return r < 0 ? id_refuse_error(s, header, r)
			     : id_refuse(s, header, &size);
	}
	r = commit(s, header, &kept);
	if (r < 0)
		return id_refuse_error(s, header, r);
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
	r = id_look_up(s, header->id, &kept);
	if (r < 0)
		return id_refuse_error(s, header, r);
	if (kept.state == KEPT_STORED)
		return repeat_commit(s, header, &kept);
	if (!partial_is_open(&s->partial))
		return id_refuse(s, header, &unknown);
	return carry_out(s, header);
}

/* Whether a commit to this name would be refused already; nothing is made. */
static int admit_name_early(
    struct session *s, const struct header *header, enum policy policy)
{
	CLEANUP(name_free) struct name name = {0};
	int r = name_parse(header->filename, s->store->hidden, &name);

	if (r == 0)
		r = store_can_enter(s->store, &name);
	if (r == 0)
		r = store_enter_made(s->store, &name, &s->directory);
	if (r < 0)
		return r == -ENOENT ? 0 : r;
	r = store_admit_name(
	    s->directory, &name, must_be_fresh(policy, header));
	if (r == 0 && policy == POLICY_KEEP)
		r = keep_has_number(s->directory, &name);
	return r;
}

/* As far as the keys tell: 0 or -errno. */
static int admit_early(
    struct session *s, const struct header *header, uint64_t held)
{
	int policy = store_policy(s->store, header->if_exists);
	uint64_t coming = header->size > held ? header->size - held : 0;
	int r = 0;

	if (policy < 0)
		return policy;
	if (header->filename != NULL)
		r = admit_name_early(s, header, (enum policy)policy);
	if (r == 0 && header->has_size)
		r = store_admit_size(s->store, header->size, coming);
	return r;
}

enum ending serve_stat(struct session *s, const struct header *header)
{
	CLEANUP(kept_free) struct kept kept = {.state = KEPT_NONE};
	struct refusal unknown = {
	    .error = WIRE_UNKNOWN_ID,
	    .command = header->command_text,
	};
	enum ending ending = serve_skip_unused(s, header);
	uint64_t held = 0;
	bool known;
	int r;

	if (ending != GO_ON)
		return ending;
	r = id_look_up(s, header->id, &kept);
	if (r == 0 && kept.state == KEPT_STORED)
		return answer_kept(s, header, &kept);
	known = partial_is_open(&s->partial);
	if (r == 0)
		r = id_release(s, &held);
	if (r == 0)
		r = admit_early(s, header, held);
	if (r < 0)
		return id_refuse_error(s, header, r);
	if (!header->reply)
		return GO_ON;
	/* A question with the answer no: nothing was refused, and so nothing
	 * is logged. */
	return serve_send(s, known ? answer_partial(&s->answer, held)
				   : answer_refused(&s->answer, &unknown));
}

enum ending serve_abort(struct session *s, const struct header *header)
{
	enum ending ending = serve_skip_unused(s, header);
	int r;

	if (ending != GO_ON)
		return ending;
	r = id_acquire(s, header->id, false);
	if (r == 0)
		r = commit_forget(s->store, &s->partial);
	if (r < 0 && r != -ENOENT)
		return id_refuse_error(s, header, r);
	if (!header->reply)
		return GO_ON;
	return serve_send(s, answer_abort(&s->answer));
}
