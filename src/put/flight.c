/*
 * See flight.h.
 */
#include "put/flight.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static struct flown *at(const struct flight *flight, size_t index)
{
	return &flight->files[(flight->first + index) % FLIGHT_FILES];
}

bool flight_has_room(const struct flight *flight)
{
	return flight->count == 0 ||
	       (flight->count < FLIGHT_FILES && flight->bytes < FLIGHT_BYTES);
}

int flight_add(struct flight *flight, const struct source *source)
{
	struct flown file = {.size = source->size};

	if (flight->files == NULL)
		flight->files = calloc(FLIGHT_FILES, sizeof(*flight->files));
	file.path = strdup(source->path);
	file.name = strdup(source->name);
	if (flight->files == NULL || file.path == NULL || file.name == NULL) {
		free(file.path);
		free(file.name);
		return -ENOMEM;
	}
	*at(flight, flight->count++) = file;
	flight->bytes += file.size;
	return 0;
}

void flight_sent(struct flight *flight, enum source_change change)
{
	struct flown *last;

	if (flight->count == 0)
		return;
	last = at(flight, flight->count - 1);
	last->whole = true;
	last->change = change;
}

struct flown *flight_oldest(const struct flight *flight)
{
	return flight->count > 0 ? at(flight, 0) : NULL;
}

void flight_drop(struct flight *flight)
{
	struct flown *file = flight_oldest(flight);

	flight->bytes -= file->size;
	flight->count--;
	flight->first = (flight->first + 1) % FLIGHT_FILES;
	free(file->path);
	free(file->name);
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
	free(flight->files);
	*flight = (struct flight){0};
}

const char *flight_doubt_put(
    const struct flight *flight, const struct receipt *receipt)
{
	const struct flown *file = flight_oldest(flight);

	if (file == NULL)
		return "it is for no file that was sent";
	if (receipt->filename != NULL &&
	    strcmp(receipt->filename, file->name) != 0)
		return "it tells another file name";
	if (!receipt->ok)
		return receipt->error != NULL ? NULL : "it tells no error";
	if (receipt->filename == NULL)
		return "it tells no file name";
	if (!json_has(&receipt->json, "filesize") ||
	    receipt->filesize != file->size)
		return "it tells another size";
	if (receipt->stored == NULL || *receipt->stored == '\0')
		return "it does not tell the name it stored";
	if (!file->whole)
		return "it came before the file was sent";
	return NULL;
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

void flight_count(struct flight *flight, const struct receipt *receipt)
{
	if (receipt->ok) {
		flight->stored++;
		flight->stored_bytes += flight_oldest(flight)->size;
	} else {
		flight->refused++;
	}
}
