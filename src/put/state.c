/*
 * See state.h. The device of a file is not one of its facts: on many
 * filesystems it is another number after a reboot.
 */
#include "put/state.h"

#include "put/digest.h"

#include "wire/cleanup.h"

#include <errno.h>
#include <inttypes.h>
#include <nettle/hmac.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#include "put/state_files.h"

#define NONCE_BYTES 16

static int random_bytes(void *bytes, size_t n)
{
	return getrandom(bytes, n, 0) == (ssize_t)n ? 0 : -EIO;
}

static void state_open(struct state *state)
{
	state->opened = true;
	state->uploads = state_directory(state->secret, &state->why);
}

/* HMAC over `purpose`, the facts and `more`, as many digits as an id has. */
static void code(const struct state *state, const char *purpose,
    const struct state_facts *facts, const char *more, char out[UPLOAD_ID + 1])
{
	const struct source *source = facts->source;
	struct hmac_sha256_ctx context;
	uint8_t bytes[UPLOAD_ID / 2];
	char numbers[128];
	int length = snprintf(numbers, sizeof(numbers),
	    "%" PRIu64 " %" PRIu64 " %" PRIu64 " %lld.%09ld", source->base,
	    source->size, (uint64_t)source->inode,
	    (long long)source->mtime.tv_sec, source->mtime.tv_nsec);

	hmac_sha256_set_key(&context, STATE_SECRET, state->secret);
	/* The NUL of each string keeps one from running into the next. */
	for (int i = 0; i < 4; i++) {
		const char *const texts[] = {
		    purpose, facts->server, facts->name, more};

		hmac_sha256_update(
		    &context, strlen(texts[i]) + 1, (const uint8_t *)texts[i]);
	}
	hmac_sha256_update(&context, (size_t)length, (const uint8_t *)numbers);
	hmac_sha256_digest(&context, sizeof(bytes), bytes);
	hex_write(bytes, sizeof(bytes), out);
}

int state_random_id(struct file *file)
{
	uint8_t bytes[UPLOAD_ID / 2];
	int r = random_bytes(bytes, sizeof(bytes));

	if (r == 0)
		hex_write(bytes, sizeof(bytes), file->id);
	return r;
}

/* The digits of this attempt: found, or made. *ret_found tells which. */
static int nonce_of(const struct state *state, const char *entry,
    char nonce[NONCE_BYTES * 2 + 1], bool *ret_found)
{
	uint8_t bytes[NONCE_BYTES];
	size_t length = NONCE_BYTES * 2;
	int r = random_bytes(bytes, sizeof(bytes));

	if (r < 0)
		return r;
	hex_write(bytes, sizeof(bytes), nonce);
	r = state_install(state->uploads, entry, nonce, length);
	*ret_found = r == -EEXIST;
	if (r == -EEXIST)
		r = state_read(state->uploads, entry, nonce, length);
	return r;
}

/* Where the file is. Standard input has no path: its inode stands for it. */
static void place_of(const struct state *state, const struct state_facts *facts,
    char place[UPLOAD_ID + 1])
{
	CLEANUP_FREE char *path = NULL;
	struct source source = SOURCE_NONE;
	const struct state_facts where = {
	    .server = facts->server,
	    .name = facts->name,
	    .source = &source,
	};

	if (strcmp(facts->path, SOURCE_STDIN) == 0)
		source.inode = facts->source->inode;
	else
		path = realpath(facts->path, NULL);
	code(state, "place", &where, path != NULL ? path : facts->path, place);
}

/* What is in a PLACE: who was there last. */
struct tenant {
	char entry[UPLOAD_ID + 1];
	char id[UPLOAD_ID + 1];
};

/* The upload takes its place; what was begun there with another content is
 * stale. */
static void take_place(struct state *state, struct file *file)
{
	struct tenant old, own = {0};

	memcpy(own.entry, file->entry, UPLOAD_ID);
	memcpy(own.id, file->id, UPLOAD_ID);
	if (state_install(state->uploads, file->place, &own, sizeof(own)) !=
		-EEXIST ||
	    state_read(state->uploads, file->place, &old, sizeof(old)) < 0 ||
	    memcmp(&old, &own, sizeof(own)) == 0)
		return;
	old.entry[UPLOAD_ID] = old.id[UPLOAD_ID] = '\0';
	memcpy(file->stale, old.id, sizeof(file->stale));
	state_remove(state->uploads, old.entry);
	state_remove(state->uploads, file->place);
	(void)state_install(state->uploads, file->place, &own, sizeof(own));
}

/* With the digits of this attempt; or, where nothing can be kept, none. */
static int give_id(
    struct state *state, const struct state_facts *facts, struct file *file)
{
	char nonce[NONCE_BYTES * 2 + 1] = "";
	bool found = false;
	int r = -ENOENT;

	if (state->uploads >= 0)
		r = nonce_of(state, file->entry, nonce, &found);
	file->known = found;
	/* `most` stays: what was there once under another id is no progress. */
	file->held = file->resumed = 0;
	if (r < 0)
		return state_random_id(file);
	code(state, "id", facts, nonce, file->id);
	/* Of a small one what is left over there is not worth a note. */
	if (facts->source->size >= SOURCE_SMALL) {
		place_of(state, facts, file->place);
		take_place(state, file);
	}
	return 0;
}

int state_name_upload(
    struct state *state, const struct state_facts *facts, struct file *file)
{
	char entry[UPLOAD_ID + 1];

	if (!state->opened)
		state_open(state);
	code(state, "entry", facts, "", entry);
	if (file->id[0] != '\0' && strcmp(entry, file->entry) == 0) {
		file->known = true;
		return 0;
	}
	if (file->id[0] != '\0')
		state_drop_upload(state, file);
	/* Also without a directory: it tells changed facts from the same. */
	memcpy(file->entry, entry, sizeof(entry));
	return give_id(state, facts, file);
}

void state_forget_upload(struct state *state, struct file *file)
{
	if (state->uploads >= 0 && file->entry[0] != '\0')
		state_remove(state->uploads, file->entry);
	if (state->uploads >= 0 && file->place[0] != '\0')
		state_remove(state->uploads, file->place);
	file->entry[0] = file->place[0] = file->id[0] = '\0';
}

void state_drop_upload(struct state *state, struct file *file)
{
	memcpy(file->stale, file->id, sizeof(file->stale));
	state_forget_upload(state, file);
}

void state_close(struct state *state)
{
	close_fd(&state->uploads);
	explicit_bzero(state->secret, sizeof(state->secret));
}
