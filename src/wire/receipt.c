/*
 * See receipt.h. A server can lie, so nothing here is believed but its type.
 */
#include "wire/receipt.h"

#include <errno.h>

static bool read_strings(struct receipt *receipt)
{
	const struct json *json = &receipt->json;

	return json_string(json, "cmd", &receipt->command) >= 0 &&
	       json_string(json, "error", &receipt->error) >= 0 &&
	       json_string(json, "message", &receipt->message) >= 0 &&
	       json_string(json, "filename", &receipt->filename) >= 0 &&
	       json_string(json, "stored", &receipt->stored) >= 0 &&
	       json_string(json, "sha256", &receipt->sha256) >= 0 &&
	       json_string(json, "state", &receipt->state) >= 0 &&
	       json_string(json, "id", &receipt->id) >= 0 &&
	       json_string(json, "if_exists", &receipt->if_exists) >= 0;
}

static bool read_numbers(struct receipt *receipt)
{
	const struct json *json = &receipt->json;
	int offset = json_integer(json, "offset", &receipt->offset);

	receipt->has_offset = offset > 0;
	return offset >= 0 &&
	       json_integer(json, "filesize", &receipt->filesize) >= 0 &&
	       json_integer(json, "size", &receipt->size) >= 0 &&
	       json_integer(json, "stall", &receipt->stall) >= 0 &&
	       json_integer(json, "keep", &receipt->keep) >= 0 &&
	       json_integer(json, "max_session", &receipt->max_session) >= 0 &&
	       json_integer(json, "files", &receipt->files) >= 0 &&
	       json_integer(json, "failed", &receipt->failed) >= 0 &&
	       json_integer(json, "bytes", &receipt->bytes) >= 0;
}

static bool read_booleans(struct receipt *receipt)
{
	const struct json *json = &receipt->json;

	return json_boolean(json, "ok", &receipt->ok) > 0 &&
	       json_boolean(json, "retry", &receipt->retry) >= 0 &&
	       json_boolean(json, "durable", &receipt->durable) >= 0 &&
	       json_boolean(json, "unchanged", &receipt->unchanged) >= 0;
}

/* `end` may be not ok without an error of its own: its counts say why. */
static bool error_told(const struct receipt *receipt)
{
	return receipt->ok || receipt->error != NULL ||
	       json_has(&receipt->json, "failed");
}

int receipt_parse(char *line, size_t length, struct receipt *ret)
{
	struct receipt receipt = {0};
	int r = json_read(line, length, &receipt.json);

	if (r < 0)
		return r;
	if (!read_booleans(&receipt) || !read_strings(&receipt) ||
	    !read_numbers(&receipt) || !error_told(&receipt)) {
		json_free(&receipt.json);
		return -EBADMSG;
	}
	*ret = receipt;
	return 0;
}

void receipt_free(struct receipt *receipt)
{
	json_free(&receipt->json);
	*receipt = (struct receipt){0};
}
