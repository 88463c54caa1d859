/*
 * See log.h. Lines are made here and escaped here; systemd.c carries them to
 * the journal.
 */
#include "putd/log.h"

#include "putd/systemd.h"
#include "wire/json.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#define LINE_MAX_BYTES 2048 /* of a line; what is longer is cut */

static bool same_file(int left, int right)
{
	struct stat a, b;

	return fstat(left, &a) == 0 && fstat(right, &b) == 0 &&
	       a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

static bool is_null_device(int fd)
{
	struct stat null, status;

	return fstat(fd, &status) == 0 && stat("/dev/null", &null) == 0 &&
	       S_ISCHR(status.st_mode) && status.st_rdev == null.st_rdev;
}

/* Under inetd and xinetd, fd 2 is the client's socket. A terminal is nobody's
 * connection: one on stdin is refused. */
static bool stderr_is_ours(int in, int out)
{
	if (isatty(STDERR_FILENO))
		return true;
	return fcntl(STDERR_FILENO, F_GETFD) >= 0 &&
	       !same_file(STDERR_FILENO, in) &&
	       !same_file(STDERR_FILENO, out) && !is_null_device(STDERR_FILENO);
}

void log_open(struct log *log, int in, int out)
{
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

/* What is printable ASCII stays, and UTF-8 that is neither a control character
 * nor one that turns the direction of writing; each other byte becomes \xHH. */
static void escape(const char *text, char *out, size_t size)
{
	const uint8_t *cursor = (const uint8_t *)text;
	const uint8_t *end = cursor + strlen(text);
	size_t length = 0;

	while (cursor < end && length + 5 < size) {
		const uint8_t *start = cursor;
		int32_t point = utf8_next(&cursor, end);

		if (point >= 0x20 && point != '\\' &&
		    !(point >= 0x7f && point <= 0x9f) &&
		    !(point >= 0x2028 && point <= 0x202e) &&
		    !(point >= 0x2066 && point <= 0x2069)) {
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

static void emit(const struct log *log, int priority, const char *line)
{
	switch (log->target) {
	case LOG_TO_JOURNAL:
		systemd_journal(priority, line);
		break;
	case LOG_TO_SYSLOG:
		syslog(priority, "%s", line);
		break;
	case LOG_TO_STDERR:
		write_stderr(line);
		break;
	default:
		break;
	}
}

void log_line(const struct log *log, int priority, const char *format, ...)
{
	char text[LINE_MAX_BYTES], line[LINE_MAX_BYTES];
	va_list arguments;
	int length = 0;

	if (log->target == LOG_TO_NONE ||
	    (priority == LOG_DEBUG && !log->verbose))
		return;
	if (log->peer != NULL && log->peer[0] != '\0')
		length = snprintf(text, sizeof(text), "%s: ", log->peer);
	va_start(arguments, format);
	(void)vsnprintf(
	    text + length, sizeof(text) - (size_t)length, format, arguments);
	va_end(arguments);
	escape(text, line, sizeof(line));
	emit(log, priority, line);
}

void log_stored(const struct log *log, const struct log_file *file)
{
	log_line(log, LOG_INFO, "stored %s, %" PRIu64 " bytes", file->stored,
	    file->size);
}

void log_refused(const struct log *log, const struct log_file *file)
{
	log_line(log, LOG_WARNING, "refused %s: %s%s%s",
	    file->name != NULL ? file->name : "a frame", file->error,
	    file->cause != NULL ? ": " : "",
	    file->cause != NULL ? file->cause : "");
}
