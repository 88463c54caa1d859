/*
 * See log.h. A record is a line and, for the journal, its facts as fields; both
 * are made and escaped here, and systemd.c carries them.
 */
#include "putd/log.h"

#include "putd/systemd.h"
#include "wire/cleanup.h"
#include "wire/json.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/uio.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#define LINE_MAX_BYTES 2048 /* of a line or a field; what is longer is cut */
#define FIELDS_MAX     12

static const char *const message_ids[] = {
    [LOG_STORED] = "7d26dbbefae64ec1b1a049a3f6937066",
    [LOG_REFUSED] = "5fc959b60227452f9f2f97d1b7d94b69",
    [LOG_ENDED] = "81bf14179d6540c895355df47e843b6b",
    [LOG_FAILED] = "d3f48600f0ed463f9b3fdd728d78dd18",
    [LOG_OTHER] = NULL,
};

/* A record on its way to the journal. */
struct fields {
	struct iovec list[FIELDS_MAX];
	int count;
	char text[FIELDS_MAX][LINE_MAX_BYTES];
};

static bool is_file(int fd, const struct stat *other)
{
	struct stat status;

	return fstat(fd, &status) == 0 && status.st_dev == other->st_dev &&
	       status.st_ino == other->st_ino;
}

static bool is_null_device(const struct stat *status)
{
	return S_ISCHR(status->st_mode) &&
	       status->st_rdev == makedev(1, 3); /* devices.txt of Linux */
}

/* sshd carries what a forced command writes to fd 2 to the client. */
static bool goes_through_ssh(const struct stat *status)
{
	const char *ssh = getenv("SSH_CONNECTION");

	return ssh != NULL && ssh[0] != '\0' &&
	       (S_ISFIFO(status->st_mode) || S_ISSOCK(status->st_mode));
}

/* Under inetd and xinetd, fd 2 is the client's socket. A terminal is nobody's
 * connection: one on stdin is refused. */
static bool stderr_is_ours(int in, int out)
{
	struct stat status;

	if (fstat(STDERR_FILENO, &status) < 0 || is_null_device(&status))
		return false;
	if (in < 0 || isatty(STDERR_FILENO))
		return true;
	return !is_file(in, &status) && (in == out || !is_file(out, &status)) &&
	       !goes_through_ssh(&status);
}

void log_open(struct log *log, int in, int out)
{
	if (log->target == LOG_TO_JOURNAL && !systemd_is_open())
		log->target = LOG_TO_AUTO;
	if (log->target == LOG_TO_AUTO && systemd_has_journal())
		log->target = LOG_TO_JOURNAL;
	if ((log->target == LOG_TO_AUTO || log->target == LOG_TO_STDERR) &&
	    stderr_is_ours(in, out))
		log->target = LOG_TO_STDERR;
	else if (log->target == LOG_TO_AUTO || log->target == LOG_TO_STDERR)
		log->target = LOG_TO_SYSLOG;
	if (log->target != LOG_TO_SYSLOG)
		return;
	/* Both open files, which the sandbox will not allow. */
	tzset();
	openlog("putd", LOG_PID | LOG_NDELAY, LOG_DAEMON);
}

void log_escape(const char *text, char *out, size_t size)
{
	const uint8_t *cursor = (const uint8_t *)text;
	const uint8_t *end = cursor + strlen(text);
	size_t length = 0;

	while (cursor < end && length + 5 < size) {
		const uint8_t *start = cursor;
		int32_t point = utf8_next(&cursor, end);

		if (!utf8_unsafe(point) && point != '\\') {
			memcpy(out + length, start, (size_t)(cursor - start));
			length += (size_t)(cursor - start);
			continue;
		}
		cursor = start + 1;
		(void)snprintf(out + length, size - length, "\\x%02x", *start);
		length += 4;
	}
	out[length] = '\0';
}

/* One write, so that lines of several processes do not mix. */
static void write_stderr(const char *line)
{
	struct iovec parts[] = {
	    {(void *)"putd: ", 6},
	    {(void *)line, strlen(line)},
	    {(void *)"\n", 1},
	};

	(void)!writev(STDERR_FILENO, parts, 3);
}

static void add(struct fields *fields, const char *name, const char *value)
{
	char *text;
	int length;

	if (value == NULL || fields->count == FIELDS_MAX)
		return;
	text = fields->text[fields->count];
	length = snprintf(text, LINE_MAX_BYTES, "%s=", name);
	log_escape(value, text + length, (size_t)(LINE_MAX_BYTES - length));
	fields->list[fields->count].iov_base = text;
	fields->list[fields->count++].iov_len = strlen(text);
}

static void add_number(struct fields *fields, const char *name, uint64_t value)
{
	char digits[24];

	(void)snprintf(digits, sizeof(digits), "%" PRIu64, value);
	add(fields, name, digits);
}

static void add_record(struct fields *fields, const struct log_record *record)
{
	char seconds[32];

	(void)snprintf(seconds, sizeof(seconds), "%" PRId64 ".%03d",
	    record->ms / 1000, (int)(record->ms % 1000));
	add(fields, "PUTD_NAME", record->name);
	add(fields, "PUTD_STORED", record->stored);
	add(fields, "PUTD_ERROR", record->error);
	add(fields, "PUTD_CAUSE", record->cause);
	add(fields, "PUTD_SHA256", record->sha256);
	add(fields, "PUTD_SECONDS", seconds);
	if (record->name != NULL)
		add_number(fields, "PUTD_SIZE", record->size);
}

static void send_to_journal(const struct log *log, enum log_event event,
    int priority, const char *line, const struct log_record *record)
{
	CLEANUP_FREE struct fields *fields = calloc(1, sizeof(*fields));

	if (fields == NULL)
		return;
	add(fields, "MESSAGE", line);
	add(fields, "MESSAGE_ID", message_ids[event]);
	add_number(fields, "PRIORITY", (uint64_t)priority);
	add(fields, "SYSLOG_IDENTIFIER", "putd");
	add(fields, "PUTD_PEER", log->peer);
	if (record != NULL)
		add_record(fields, record);
	systemd_journal(fields->list, fields->count);
}

static bool is_wanted(const struct log *log, int priority)
{
	return priority != LOG_DEBUG || log->verbose;
}

static void emit(const struct log *log, enum log_event event, int priority,
    const char *line, const struct log_record *record)
{
	char with_peer[LINE_MAX_BYTES], escaped[LINE_MAX_BYTES];
	const char *text = line;

	if (log->peer != NULL) {
		(void)snprintf(
		    with_peer, sizeof(with_peer), "%s: %s", log->peer, line);
		text = with_peer;
	}
	log_escape(text, escaped, sizeof(escaped));
	if (log->target == LOG_TO_JOURNAL)
		send_to_journal(log, event, priority, text, record);
	else if (log->target == LOG_TO_SYSLOG)
		syslog(priority, "%s", escaped);
	else if (log->target == LOG_TO_STDERR)
		write_stderr(escaped);
}

void log_line(const struct log *log, enum log_event event, int priority,
    const char *format, ...)
{
	char line[LINE_MAX_BYTES];
	va_list arguments;

	if (!is_wanted(log, priority))
		return;
	va_start(arguments, format);
	(void)vsnprintf(line, sizeof(line), format, arguments);
	va_end(arguments);
	emit(log, event, priority, line, NULL);
}

void log_stored(const struct log *log, const struct log_record *record)
{
	char line[LINE_MAX_BYTES];

	(void)snprintf(line, sizeof(line), "stored %s, %" PRIu64 " bytes",
	    record->stored, record->size);
	emit(log, LOG_STORED, LOG_INFO, line, record);
}

void log_refused(const struct log *log, const struct log_record *record)
{
	char line[LINE_MAX_BYTES];

	(void)snprintf(line, sizeof(line), "refused %s: %s%s%s",
	    record->name != NULL ? record->name : "a frame", record->error,
	    record->cause != NULL ? ": " : "",
	    record->cause != NULL ? record->cause : "");
	emit(log, LOG_REFUSED, LOG_WARNING, line, record);
}
