/*
 * See flight.h.
 */
#include "put/flight.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const char *const commands[] = {
    [ASK_HELLO] = "hello",
    [ASK_PUT] = "put",
    [ASK_PART] = "put",
    [ASK_STAT] = "stat",
    [ASK_COMMIT] = "commit",
    [ASK_ABORT] = "abort",
};

static struct awaited *at(const struct flight *flight, size_t index)
{
	return &flight->ring[(flight->first + index) % FLIGHT_FRAMES];
}

bool flight_has_room(const struct flight *flight)
{
	return flight->count == 0 ||
	       (flight->count < FLIGHT_FRAMES && flight->bytes < FLIGHT_BYTES);
}

int flight_add(struct flight *flight, const struct awaited *awaited)
{
	if (flight->ring == NULL)
		flight->ring = calloc(FLIGHT_FRAMES, sizeof(*flight->ring));
	if (flight->ring == NULL)
		return -ENOMEM;
	*at(flight, flight->count++) = *awaited;
	flight->bytes += awaited->bytes;
	if (awaited->file != NULL)
		(void)file_hold(awaited->file);
	return 0;
}

void flight_sent(struct flight *flight)
{
	if (flight->count > 0)
		at(flight, flight->count - 1)->whole = true;
}

struct awaited *flight_oldest(const struct flight *flight)
{
	return flight->count > 0 ? at(flight, 0) : NULL;
}

void flight_drop(struct flight *flight)
{
	struct awaited *oldest = at(flight, 0);

	flight->bytes -= oldest->bytes;
	flight->count--;
	flight->first = (flight->first + 1) % FLIGHT_FRAMES;
	file_release(&oldest->file);
}

/* Only the last can be on its way still. */
size_t flight_awaited(const struct flight *flight)
{
	bool sending =
	    flight->count > 0 && !at(flight, flight->count - 1)->whole;

	return flight->count - (sending ? 1 : 0);
}

void flight_clear(struct flight *flight)
{
	while (flight->count > 0)
		flight_drop(flight);
	free(flight->ring);
	*flight = (struct flight){0};
}

static const char *doubt_digest(
    const struct file *file, const struct receipt *receipt)
{
	if (file->sha256[0] == '\0')
		return NULL;
	if (receipt->sha256 == NULL)
		return "it tells no digest";
	return strcmp(receipt->sha256, file->sha256) == 0
		   ? NULL
		   : "it tells another digest";
}

/* Of a whole put, a commit, or a stat of one that has been. */
static const char *doubt_stored(
    const struct awaited *oldest, const struct receipt *receipt)
{
	bool put = oldest->what == ASK_PUT;

	if (oldest->file == NULL || receipt->filename == NULL)
		return "it tells no file name";
	if (!json_has(&receipt->json, put ? "filesize" : "size") ||
	    (put ? receipt->filesize : receipt->size) != oldest->file->size)
		return "it tells another size";
	if (receipt->stored == NULL || *receipt->stored == '\0')
		return "it does not tell the name it stored";
	if (!oldest->whole)
		return "it came before the file was sent";
	return oldest->what == ASK_STAT ? NULL
					: doubt_digest(oldest->file, receipt);
}

static const char *doubt_part(
    const struct awaited *oldest, const struct receipt *receipt)
{
	if (oldest->file == NULL || receipt->id == NULL ||
	    strcmp(receipt->id, oldest->file->id) != 0)
		return "it tells another id";
	if (!receipt->has_offset || receipt->offset != oldest->end)
		return "it tells another offset";
	return oldest->whole ? NULL : "it came before the part was sent";
}

static const char *doubt_stat(
    const struct awaited *oldest, const struct receipt *receipt)
{
	if (receipt->state == NULL)
		return "it tells no state";
	if (strcmp(receipt->state, "stored") == 0)
		return doubt_stored(oldest, receipt);
	if (strcmp(receipt->state, "partial") != 0)
		return "it tells a state that is not known here";
	return receipt->has_offset ? NULL : "it tells no offset";
}

static const char *doubt_ok(
    const struct awaited *oldest, const struct receipt *receipt)
{
	switch (oldest->what) {
	case ASK_PUT:
	case ASK_COMMIT:
		return doubt_stored(oldest, receipt);
	case ASK_PART:
		return doubt_part(oldest, receipt);
	case ASK_STAT:
		return doubt_stat(oldest, receipt);
	default:
		return NULL;
	}
}

/* Whether a receipt for `command` may be the next. */
static const char *doubt_order(
    const struct awaited *oldest, const char *command)
{
	if (oldest != NULL && strcmp(command, commands[oldest->what]) == 0)
		return NULL;
	if (strcmp(command, "put") == 0 || strcmp(command, "commit") == 0)
		return "it is for no file that was sent";
	return "it is for a command that was not sent";
}

const char *flight_doubt(
    const struct flight *flight, const struct receipt *receipt)
{
	const struct awaited *oldest = flight_oldest(flight);
	const char *doubt = doubt_order(oldest, receipt->command);

	if (doubt != NULL)
		return doubt;
	if (receipt->filename != NULL && oldest->file != NULL &&
	    strcmp(receipt->filename, oldest->file->name) != 0)
		return "it tells another file name";
	if (receipt->ok)
		return doubt_ok(oldest, receipt);
	return receipt->error != NULL ? NULL : "it tells no error";
}

const char *flight_doubt_end(
    const struct flight *flight, const struct receipt *receipt)
{
	const struct json *json = &receipt->json;

	if (flight->count > 0)
		return "it came before the receipt of a file";
	if (!json_has(json, "files") || !json_has(json, "failed") ||
	    !json_has(json, "bytes"))
		return "a count is missing";
	if (receipt->files != flight->stored)
		return "it counts other files stored";
	if (receipt->failed != flight->refused)
		return "it counts other files refused";
	if (receipt->bytes != flight->stored_bytes)
		return "it counts other bytes stored";
	if (receipt->ok && receipt->failed > 0)
		return "it is ok though files were refused";
	return NULL;
}

/* Whole puts and commits; and a hello that the server does not know. */
void flight_count(struct flight *flight, const struct receipt *receipt)
{
	const struct awaited *oldest = flight_oldest(flight);
	bool file;

	if (oldest == NULL)
		return;
	file = oldest->file != NULL &&
	       (oldest->what == ASK_PUT || oldest->what == ASK_COMMIT);
	if (!receipt->ok) {
		flight->refused += file || oldest->what == ASK_HELLO ? 1 : 0;
	} else if (file) {
		flight->stored++;
		flight->stored_bytes += oldest->file->size;
	}
}
