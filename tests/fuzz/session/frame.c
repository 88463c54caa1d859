/*
 * See frame.h.
 */
#include "frame.h"

#include "stream.h"

#include <inttypes.h>
#include <nettle/sha2.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HEADER_MAX  65536
#define HEADER_ROOM (HEADER_MAX + 5)
#define BODY_MAX    (1200 * 1024)

static char header[HEADER_ROOM];
static size_t length;

unsigned choose(struct reader *reader, unsigned choices)
{
	return reader->at == reader->end ? 0 : *reader->at++ % choices;
}

static void write_text(const char *format, ...)
    __attribute__((format(printf, 1, 2)));

static void write_text(const char *format, ...)
{
	va_list arguments;
	int n;

	va_start(arguments, format);
	n = vsnprintf(header + length, HEADER_ROOM - length, format, arguments);
	va_end(arguments);
	if (n < 0 || (size_t)n >= HEADER_ROOM - length)
		abort();
	length += (size_t)n;
}

#define ID_OF_65                                                               \
	"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0"

/* Frames that are refused before anything is looked at. */
static const struct refused {
	const char *keys, *command, *error;
} refused[] = {
    {"\"cmd\":\"zap\"", "zap", "unknown-cmd"},
    {"\"cmd\":\"PUT\",\"filename\":\"a\"", "PUT", "unknown-cmd"},
    {"\"cmd\":\"\\u0070utt\"", "putt", "unknown-cmd"},
    {"\"cmd\":null", "", "bad-header"},
    {"\"x\":1", "", "bad-header"},
    {"\"cmd\":\"put\"", "put", "bad-header"},
    {"\"cmd\":\"put\",\"filename\":7", "put", "bad-header"},
    {"\"cmd\":\"put\",\"filename\":\"a\",\"sha256\":\"00\"", "put",
	"bad-header"},
    {"\"cmd\":\"put\",\"id\":\"0123456789abcdef\"", "put", "bad-header"},
    {"\"cmd\":\"put\",\"id\":\"0123456789abcde\",\"offset\":0", "put",
	"bad-header"},
    {"\"cmd\":\"put\",\"id\":\"0123456789abcdeF\",\"offset\":0", "put",
	"bad-header"},
    {"\"cmd\":\"put\",\"id\":\"0123456789abcdef\",\"offset\":0,"
     "\"mtime\":1",
	"put", "bad-header"},
    {"\"cmd\":\"put\",\"id\":\"0123456789abcdef\",\"offset\":-1", "put",
	"bad-header"},
    {"\"cmd\":\"commit\",\"id\":\"0123456789abcdef\"", "commit", "bad-header"},
    {"\"cmd\":\"commit\",\"id\":\"0123456789abcdef\",\"filename\":\".putd\","
     "\"size\":1e3",
	"commit", "bad-header"},
    {"\"cmd\":\"stat\",\"sha256\":false,\"id\":\"0123456789abcdef\"", "stat",
	"bad-header"},
    {"\"cmd\":\"abort\",\"if_exists\":\"other\",\"id\":\"0123456789abcdef\"",
	"abort", "bad-header"},
    {"\"cmd\":\"end\",\"mtime\":8589934592", "end", "bad-header"},
    {"\"cmd\":\"hello\",\"need\":[\"cmd\",\"zap\"]", "hello", "unsupported"},
    {"\"cmd\":\"hello\",\"need\":[1]", "hello", "bad-header"},
    {"\"cmd\":\"hello\",\"need\":null", "hello", "bad-header"},
    {"\"cmd\":\"put\",\"need\":[\"sha512\"],\"id\":7", "put", "unsupported"},
    {"\"cmd\":\"\\u0001\\ud83d\\udc18\\\"\"", "\\u0001\\ud83d\\udc18\\\"",
	"unknown-cmd"},
    {"\"cmd\":\"put\",\"filename\":\"a\",\"offset\":0", "put", "bad-header"},
    {"\"cmd\":\"put\",\"filename\":\"a\",\"offset\":0,"
     "\"id\":\"0123456789abcdef\"",
	"put", "bad-header"},
    {"\"cmd\":\"put\",\"id\":\"0123456789abcdef\",\"offset\":0,"
     "\"sha256\":true",
	"put", "bad-header"},
    {"\"cmd\":\"put\",\"id\":\"0123456789abcdef\",\"offset\":0,"
     "\"if_exists\":\"reject\"",
	"put", "bad-header"},
    {"\"cmd\":\"put\",\"offset\":0,\"id\":\"" ID_OF_65 "\"", "put",
	"bad-header"},
    {"\"cmd\":\"commit\",\"id\":\"0123456789abcdef\",\"filename\":\"a\"",
	"commit", "bad-header"},
    {"\"cmd\":\"commit\",\"id\":\"0123456789abcdef\",\"size\":0", "commit",
	"bad-header"},
    {"\"cmd\":\"commit\",\"filename\":\"a\",\"size\":0", "commit",
	"bad-header"},
    {"\"cmd\":\"stat\",\"filename\":\"a\"", "stat", "bad-header"},
    {"\"cmd\":\"abort\"", "abort", "bad-header"},
    {"\"cmd\":\"put\",\"filename\":\"a\",\"reply\":1", "put", "bad-header"},
    {"\"cmd\":\"put\",\"filename\":\"a\",\"mtime\":-1", "put", "bad-header"},
};

/* Headers that cannot be read with one meaning. */
static const char *const broken[] = {
    "",
    "{",
    "[]",
    "{}x",
    "{}{}",
    "\v{}",
    "\xef\xbb\xbf{}",
    "{\"cmd\":\"put\",\"filename\":\"a\"}",
    "{\"cmd\":\"put\",\"filename\":\"a\",\"filesize\":-1}",
    "{\"cmd\":\"put\",\"filename\":\"a\",\"filesize\":1.0}",
    "{\"cmd\":\"put\",\"filename\":\"a\",\"filesize\":01}",
    "{\"cmd\":\"put\",\"filename\":\"a\",\"filesize\":9007199254740992}",
    "{\"cmd\":\"put\",\"filename\":\"a\",\"filesize\":1e999}",
    "{\"cmd\":\"put\",\"filename\":\"a\",\"filesize\":\"1\"}",
    "{\"cmd\":\"end\",\"filesize\":null}",
    "{\"cmd\":\"end\",\"\\u0063md\":\"end\"}",
    "{\"x\":{\"y\":1,\"y\":2},\"cmd\":\"end\"}",
    "{\"cmd\":\"e\\u0000nd\"}",
    "{\"cmd\":\"\\ud800\"}",
    "{\"cmd\":\"\xc0\x80\"}",
    "{\"cmd\":\"\xed\xa0\x80\"}",
    "{\"cmd\":\"a\tb\"}",
    "{\"x\":[[[[[[[[]]]]]]]]}",
    "{\"cmd\":\"end\",}",
    "{'cmd':'end'}",
    "{\"cmd\":\"end\"",
};

static const struct {
	const char *text;
	uint64_t usec;
} times[] = {
    {"0", 0},
    {"1234567890", UINT64_C(1234567890000000)},
    {"1234567890.25", UINT64_C(1234567890250000)},
    {"8589934591.999999", UINT64_C(8589934591999999)},
    {"1e3", UINT64_C(1000000000)},
};

static const char *const policies[] = {NULL, "replace", "keep", "reject"};

static const uint8_t *make_body(struct reader *reader, size_t *ret_size)
{
	static const size_t sizes[] = {
	    0, 1, 5, 64, 700, 4096, 65536, 1024 * 1024, 1024 * 1024 + 5000};
	static uint8_t bytes[BODY_MAX];
	unsigned which = choose(reader, 128);
	uint8_t start = (uint8_t)choose(reader, 3);

	*ret_size = which;
	if (which >= 100)
		*ret_size = sizes[which % 5];
	else if (which >= 64)
		*ret_size = sizes[which == 99 ? 5u + start : which % 4];
	/* Large ones take time: one on a connection is enough. */
	if (*ret_size > 4096 && memory.length > 4096)
		*ret_size %= 100;
	/* Few bodies, so that some are the same. */
	for (size_t i = 0; i < *ret_size; i++)
		bytes[i] = (uint8_t)(start + i * 7);
	return bytes;
}

static void write_digest(
    struct reader *reader, struct frame *frame, const void *bytes, size_t n)
{
	struct sha256_ctx context;

	frame->digest = (enum digest_mode)choose(reader, DIGEST_MODES);
	if (frame->digest == TELL)
		write_text(",\"sha256\":true");
	if (frame->digest < RIGHT)
		return;
	sha256_init(&context);
	sha256_update(&context, n, bytes);
	sha256_digest(&context, sizeof(frame->sha256), frame->sha256);
	if (frame->digest == WRONG)
		frame->sha256[31] ^= 1;
	write_text(",\"sha256\":\"");
	for (size_t i = 0; i < sizeof(frame->sha256); i++)
		write_text(frame->digest == RIGHT_UPPER ? "%02X" : "%02x",
		    frame->sha256[i]);
	write_text("\"");
}

static void write_name(struct reader *reader, struct frame *frame)
{
	frame->name = &names[choose(reader, NAMES)];
	write_text(",\"filename\":\"");
	if (frame->name->written != NULL)
		write_text("%s", frame->name->written);
	else
		write_text("%s", frame->name->text);
	write_text("\"");
}

static void write_policy(struct reader *reader, struct frame *frame)
{
	frame->if_exists = (enum if_exists)choose(reader, 4);
	if (frame->if_exists != ABSENT)
		write_text(",\"if_exists\":\"%s\"", policies[frame->if_exists]);
}

static void write_wish(struct reader *reader, struct frame *frame)
{
	unsigned time = choose(reader, 2 * sizeof(times) / sizeof(*times));

	write_policy(reader, frame);
	frame->has_mtime = time < sizeof(times) / sizeof(*times);
	if (!frame->has_mtime)
		return;
	frame->mtime_usec = times[time].usec;
	write_text(",\"mtime\":%s", times[time].text);
}

static void write_size(struct reader *reader, struct frame *frame, size_t right)
{
	static const uint64_t others[] = {0, 39, 41, 1 << 24};
	unsigned which = choose(reader, 8);

	frame->has_size = true;
	frame->size = which < 4 ? right : others[which - 4];
	write_text(",\"size\":%" PRIu64, frame->size);
}

static void write_id(struct reader *reader, struct frame *frame)
{
	frame->id = choose(reader, IDS);
	write_text(",\"id\":\"%s\"", ids[frame->id]);
}

static void write_put(struct reader *reader, struct frame *frame)
{
	write_text("\"cmd\":\"put\",\"filesize\":%zu", frame->filesize);
	write_name(reader, frame);
	write_digest(reader, frame, frame->body, frame->filesize);
	write_wish(reader, frame);
}

static void write_part(struct reader *reader, struct frame *frame,
    const struct upload_view uploads[IDS])
{
	unsigned offset = choose(reader, 8);

	write_text("\"cmd\":\"put\",\"filesize\":%zu", frame->filesize);
	write_id(reader, frame);
	frame->offset = uploads[frame->id].size;
	if (offset == 7)
		frame->offset = 0;
	else if (offset == 6)
		frame->offset++;
	write_text(",\"offset\":%" PRIu64, frame->offset);
}

static void write_commit(struct reader *reader, struct frame *frame,
    const struct upload_view uploads[IDS])
{
	const struct upload_view *upload;

	write_text("\"cmd\":\"commit\"");
	write_id(reader, frame);
	upload = &uploads[frame->id];
	write_name(reader, frame);
	write_size(reader, frame, upload->size);
	write_digest(reader, frame, upload->bytes, upload->size);
	write_wish(reader, frame);
}

static void write_stat(struct reader *reader, struct frame *frame,
    const struct upload_view uploads[IDS])
{
	unsigned keys = choose(reader, 8);

	write_text("\"cmd\":\"stat\"");
	write_id(reader, frame);
	if (keys & 1)
		write_name(reader, frame);
	if (keys & 2)
		write_size(reader, frame, uploads[frame->id].size);
	if (keys & 4)
		write_policy(reader, frame);
}

static void write_refused(struct reader *reader, struct frame *frame)
{
	const struct refused *row =
	    &refused[choose(reader, sizeof(refused) / sizeof(*refused))];

	frame->command = row->command;
	frame->error = row->error;
	frame->reply_told = strstr(row->keys, "\"reply\"") != NULL;
	/* Of a put the framing wants it. */
	write_text("%s,\"filesize\":%zu", row->keys, frame->filesize);
	if (strstr(row->keys, "filename\":\"a\"") != NULL &&
	    (strcmp(row->command, "put") == 0 ||
		strcmp(row->command, "commit") == 0))
		frame->name = &names[0];
}

static void write_broken(struct reader *reader)
{
	static const int32_t lengths[] = {0, 1, -1, 65537, INT32_MIN};
	unsigned which = choose(reader, sizeof(broken) / sizeof(*broken) + 5);
	int32_t n;

	if (which >= 5)
		write_text("%s", broken[which - 5]);
	n = which < 5 ? lengths[which] : (int32_t)(length - 4);
	if (which == 5)
		n = 0; /* of nothing */
	memcpy(header, &n, sizeof(n));
}

static void write_keys(struct reader *reader, struct frame *frame,
    const struct upload_view uploads[IDS])
{
	static const char *const plain[] = {
	    [FRAME_HELLO] = "hello", [FRAME_END] = "end"};

	switch (frame->kind) {
	case FRAME_PUT:
		write_put(reader, frame);
		break;
	case FRAME_PART:
		write_part(reader, frame, uploads);
		break;
	case FRAME_COMMIT:
		write_commit(reader, frame, uploads);
		break;
	case FRAME_STAT:
		write_stat(reader, frame, uploads);
		break;
	case FRAME_ABORT:
		write_text("\"cmd\":\"abort\"");
		write_id(reader, frame);
		break;
	case FRAME_REFUSED:
		write_refused(reader, frame);
		break;
	default:
		write_text("\"cmd\":\"%s\"", plain[frame->kind]);
	}
}

/* The commands that need no body may carry one all the same. */
static void write_rest(struct reader *reader, struct frame *frame)
{
	unsigned style = choose(reader, 16);
	bool told = frame->kind == FRAME_PUT || frame->kind == FRAME_PART ||
		    frame->kind == FRAME_REFUSED;
	int32_t n;

	frame->reply = (style & 1) == 0 && !frame->reply_told;
	if (frame->reply)
		write_text(",\"reply\":true");
	else if (style & 2 && !frame->reply_told)
		write_text(",\"reply\":false");
	if (!told && (style & 4) == 0)
		frame->filesize = 0;
	else if (!told)
		write_text(",\"filesize\":%zu", frame->filesize);
	if (style & 8)
		write_text(",\"x y\":[1,{\"y\":null}]");
	if (style & 8 && frame->kind != FRAME_REFUSED)
		write_text(",\"need\":[\"id\"]");
	write_text("}");
	/* Up to the longest header, once: it takes time, too. */
	if (style == 15)
		write_text("%*s",
		    memory.length < 4096 ? HEADER_MAX - (int)(length - 4) : 40,
		    "\n");
	n = (int32_t)(length - 4);
	memcpy(header, &n, sizeof(n));
}

static enum frame_kind choose_kind(struct reader *reader)
{
	static const enum frame_kind kinds[] = {FRAME_PUT, FRAME_PUT, FRAME_PUT,
	    FRAME_PUT, FRAME_PUT, FRAME_PART, FRAME_PART, FRAME_PART,
	    FRAME_PART, FRAME_COMMIT, FRAME_COMMIT, FRAME_COMMIT, FRAME_STAT,
	    FRAME_STAT, FRAME_ABORT, FRAME_HELLO, FRAME_REFUSED, FRAME_REFUSED,
	    FRAME_END, FRAME_BROKEN};

	return kinds[choose(reader, sizeof(kinds) / sizeof(*kinds))];
}

void frame_make(struct reader *reader, const struct upload_view uploads[IDS],
    struct frame *ret)
{
	struct frame frame = {.kind = choose_kind(reader)};

	length = 4;
	frame.start = memory.length;
	if (frame.kind == FRAME_BROKEN) {
		write_broken(reader);
	} else {
		frame.body = make_body(reader, &frame.filesize);
		write_text("{");
		write_keys(reader, &frame, uploads);
		write_rest(reader, &frame);
	}
	memory_send(header, length);
	frame.body_at = memory.length;
	if (frame.filesize > 0)
		memory_send(frame.body, frame.filesize);
	frame.end = memory.length;
	*ret = frame;
}
