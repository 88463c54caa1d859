/*
 * See header.h; the rules are those of put-protocol(7) sections 1 and 2. What
 * breaks the framing is judged first, then what is refused: the command, what
 * `need` names, then the type and range of each key.
 */
#include "wire/header.h"

#include "wire/cleanup.h"
#include "wire/json_write.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static const char *const command_names[COMMANDS] = {
    [COMMAND_PUT] = "put",
    [COMMAND_COMMIT] = "commit",
    [COMMAND_STAT] = "stat",
    [COMMAND_ABORT] = "abort",
    [COMMAND_END] = "end",
    [COMMAND_HELLO] = "hello",
};

static const char *const known_keys[] = {"cmd", "filesize", "reply", "need",
    "filename", "sha256", "mtime", "if_exists", "id", "offset", "size"};

int header_length(const uint8_t bytes[FRAME_LENGTH_SIZE], size_t *ret)
{
	uint32_t length = (uint32_t)bytes[0] | (uint32_t)bytes[1] << 8 |
			  (uint32_t)bytes[2] << 16 | (uint32_t)bytes[3] << 24;

	/* Negative as int32 is above HEADER_MAX as uint32. */
	if (length < HEADER_MIN || length > HEADER_MAX)
		return -EBADMSG;
	*ret = length;
	return 0;
}

static enum command command_by_name(const char *name)
{
	for (enum command c = COMMAND_PUT; c < COMMANDS; c++)
		if (strcmp(name, command_names[c]) == 0)
			return c;
	return COMMAND_UNKNOWN;
}

/* Of `need`: 0 where the key is known, -ENOTSUP where not. */
static int check_needed(const char *key, void *context)
{
	(void)context;
	for (size_t i = 0; i < ARRAY_LENGTH(known_keys); i++)
		if (strcmp(key, known_keys[i]) == 0)
			return 0;
	return -ENOTSUP;
}

/* Of 16 to 64 characters a-z 0-9 _ - */
static bool id_valid(const char *id)
{
	size_t length = strlen(id);

	return length >= ID_MIN && length <= ID_MAX &&
	       strspn(id, "abcdefghijklmnopqrstuvwxyz0123456789_-") == length;
}

static int hex_value(char digit)
{
	if (digit >= '0' && digit <= '9')
		return digit - '0';
	if (digit >= 'a' && digit <= 'f')
		return digit - 'a' + 10;
	if (digit >= 'A' && digit <= 'F')
		return digit - 'A' + 10;
	return -1;
}

static bool read_hex(const char *hex, uint8_t *out)
{
	if (strlen(hex) != SHA256_HEX)
		return false;
	for (size_t i = 0; i < SHA256_HEX / 2; i++) {
		int high = hex_value(hex[2 * i]);
		int low = hex_value(hex[2 * i + 1]);

		if (high < 0 || low < 0)
			return false;
		out[i] = (uint8_t)(high << 4 | low);
	}
	return true;
}

/* `sha256`: 64 hex digits, or true. */
static bool read_digest(struct header *header)
{
	const char *hex;
	bool tell = false;

	if (!json_has(&header->json, "sha256"))
		return true;
	if (json_boolean(&header->json, "sha256", &tell) > 0) {
		header->digest = DIGEST_TELL;
		return tell;
	}
	header->digest = DIGEST_EXPECT;
	return json_string(&header->json, "sha256", &hex) > 0 &&
	       read_hex(hex, header->sha256);
}

static const char *const policy_names[] = {
    [POLICY_REPLACE] = "replace",
    [POLICY_KEEP] = "keep",
    [POLICY_REJECT] = "reject",
};

const char *policy_name(enum policy policy)
{
	return policy_names[policy];
}

bool policy_read(const char *word, enum policy *ret)
{
	for (enum policy p = POLICY_REPLACE; p <= POLICY_REJECT; p++)
		if (strcmp(word, policy_names[p]) == 0) {
			*ret = p;
			return true;
		}
	return false;
}

static bool read_policy(struct header *header)
{
	const char *word = NULL;
	int r = json_string(&header->json, "if_exists", &word);

	return r == 0 || (r > 0 && policy_read(word, &header->if_exists));
}

/* Every known key has its type and range, whatever the command. The name comes
 * first: it is told back also where another key is wrong. */
static bool read_keys(struct header *header)
{
	const struct json *json = &header->json;
	bool names = json_string(json, "filename", &header->filename) >= 0;
	int mtime = json_seconds(json, "mtime", &header->mtime_usec);
	int size = json_integer(json, "size", &header->size);

	header->has_mtime = mtime > 0;
	header->has_size = size > 0;
	return names && mtime >= 0 && size >= 0 &&
	       json_string(json, "id", &header->id) >= 0 &&
	       (header->id == NULL || id_valid(header->id)) &&
	       json_integer(json, "offset", &header->offset) >= 0 &&
	       read_digest(header) && read_policy(header);
}

/* A whole file has a filename; a part has id and offset; nothing in between. */
static bool put_keys_fit(const struct header *header)
{
	bool offset = json_has(&header->json, "offset");

	if (header->id == NULL)
		return header->filename != NULL && !offset;
	return header->filename == NULL && offset && !header->has_mtime &&
	       header->digest == DIGEST_NONE &&
	       header->if_exists == POLICY_ABSENT;
}

static bool keys_fit(const struct header *header)
{
	switch (header->command) {
	case COMMAND_PUT:
		return put_keys_fit(header);
	case COMMAND_COMMIT:
		return header->id != NULL && header->filename != NULL &&
		       header->has_size;
	case COMMAND_STAT:
	case COMMAND_ABORT:
		return header->id != NULL;
	default:
		return true;
	}
}

static enum wire_error judge(struct header *header)
{
	const char *name = NULL;
	bool keys = read_keys(header);
	int cmd = json_string(&header->json, "cmd", &name);
	int reply = json_boolean(&header->json, "reply", &header->reply);
	int need = json_strings(&header->json, "need", check_needed, NULL);

	if (cmd > 0) {
		header->command_text = name;
		header->command = command_by_name(name);
	}
	if (cmd <= 0 || reply < 0 || need == -EINVAL)
		return WIRE_BAD_HEADER;
	if (header->command == COMMAND_UNKNOWN)
		return WIRE_UNKNOWN_CMD;
	if (need < 0)
		return WIRE_UNSUPPORTED;
	return keys && keys_fit(header) ? WIRE_OK : WIRE_BAD_HEADER;
}

int header_parse(char *text, size_t length, struct header *ret)
{
	struct header header = {.command_text = ""};
	int r = json_read(text, length, &header.json);
	int filesize;

	if (r < 0)
		return r;
	header.refusal = judge(&header);
	filesize = json_integer(&header.json, "filesize", &header.filesize);
	if (filesize < 0 || (filesize == 0 && header.command == COMMAND_PUT)) {
		json_free(&header.json);
		return -EBADMSG;
	}
	*ret = header;
	return 0;
}

void header_free(struct header *header)
{
	json_free(&header->json);
	*header = (struct header){.command_text = ""};
}

static void add_mtime(struct json_writer *writer, uint64_t usec)
{
	char seconds[32];

	(void)snprintf(seconds, sizeof(seconds), "%" PRIu64 ".%06" PRIu64,
	    usec / 1000000, usec % 1000000);
	json_add_raw(writer, "mtime", seconds);
}

static void add_keys(struct json_writer *writer, const struct header_text *what)
{
	json_add_string(writer, "cmd", what->command);
	if (what->id != NULL)
		json_add_string(writer, "id", what->id);
	if (what->filename != NULL)
		json_add_string(writer, "filename", what->filename);
	if (what->has_offset)
		json_add_integer(writer, "offset", what->offset);
	if (what->has_filesize)
		json_add_integer(writer, "filesize", what->filesize);
	if (what->has_size)
		json_add_integer(writer, "size", what->size);
	if (what->sha256 != NULL)
		json_add_string(writer, "sha256", what->sha256);
	if (what->has_mtime)
		add_mtime(writer, what->mtime_usec);
	if (what->if_exists != POLICY_ABSENT)
		json_add_string(
		    writer, "if_exists", policy_name(what->if_exists));
	if (what->reply)
		json_add_boolean(writer, "reply", true);
}

long header_format(const struct header_text *what, char *out, size_t size)
{
	struct json_writer writer;
	size_t length;

	if (size < FRAME_LENGTH_SIZE)
		return -EMSGSIZE;
	json_begin(&writer, out + FRAME_LENGTH_SIZE, size - FRAME_LENGTH_SIZE);
	add_keys(&writer, what);
	length = json_end(&writer);
	if (length == 0 || length > HEADER_MAX)
		return -EMSGSIZE;
	for (int i = 0; i < FRAME_LENGTH_SIZE; i++)
		out[i] = (char)(length >> (8 * i) & 0xff);
	return (long)(FRAME_LENGTH_SIZE + length);
}
