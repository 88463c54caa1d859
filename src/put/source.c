/*
 * See source.h.
 */
#include "put/source.h"

#include "wire/cleanup.h"
#include "wire/json.h"
#include "wire/limits.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

/* Room for what a file grows by while it is read, and for files under /proc,
 * which tell a size of 0. */
#define READ_SLACK 4096

static enum source_flaw kind_flaw(mode_t mode)
{
	if (S_ISREG(mode))
		return SOURCE_GOOD;
	if (S_ISDIR(mode))
		return SOURCE_DIRECTORY;
	if (S_ISFIFO(mode))
		return SOURCE_FIFO;
	if (S_ISSOCK(mode))
		return SOURCE_SOCKET;
	return SOURCE_DEVICE;
}

static enum source_flaw characters_flaw(const char *name)
{
	const uint8_t *cursor = (const uint8_t *)name;
	const uint8_t *end = cursor + strlen(name);

	while (cursor < end) {
		int32_t point = utf8_next(&cursor, end);

		if (point < 0)
			return SOURCE_NAME_NOT_UTF8;
		if (point < 0x20 || (point >= 0x7f && point <= 0x9f))
			return SOURCE_NAME_CONTROL;
	}
	return SOURCE_GOOD;
}

static enum source_flaw component_flaw(const char *component, size_t length)
{
	if (length > NAME_COMPONENT_MAX)
		return SOURCE_NAME_TOO_LONG;
	if (length == 0 || (length == 1 && component[0] == '.') ||
	    (length == 2 && component[0] == '.' && component[1] == '.'))
		return SOURCE_NAME_NOT_PLAIN;
	return SOURCE_GOOD;
}

enum source_flaw source_name_flaw(const char *name)
{
	enum source_flaw flaw = characters_flaw(name);

	if (flaw == SOURCE_GOOD && strlen(name) > NAME_MAX_BYTES)
		flaw = SOURCE_NAME_TOO_LONG;
	while (flaw == SOURCE_GOOD) {
		size_t length = strcspn(name, "/");

		flaw = component_flaw(name, length);
		name += length;
		if (*name == '\0')
			break;
		name++;
	}
	return flaw;
}

/* A socket cannot be opened at all, and the error does not say why. */
static enum source_flaw open_flaw(const char *path, int error, int *ret_error)
{
	struct stat st;

	if (error == ENXIO && stat(path, &st) == 0 && !S_ISREG(st.st_mode))
		return kind_flaw(st.st_mode);
	*ret_error = error;
	return SOURCE_UNREADABLE;
}

/*
 * Reads up to SOURCE_SMALL bytes. Returns their number, with *ret_content set;
 * -EFBIG where there are as many or more; another negative errno.
 */
static ssize_t read_all(
    int fd, uint64_t base, size_t expected, char **ret_content)
{
	size_t room = expected + READ_SLACK;
	size_t length = 0;
	CLEANUP_FREE char *content = malloc(room);
	ssize_t n;

	if (content == NULL)
		return -ENOMEM;
	while ((n = pread(fd, content + length, room - length,
		    (off_t)(base + length))) > 0) {
		length += (size_t)n;
		if (length >= SOURCE_SMALL)
			return -EFBIG;
		if (length == room) {
			char *larger = realloc(content, room * 2);

			if (larger == NULL)
				return -ENOMEM;
			content = larger;
			room *= 2;
		}
	}
	if (n < 0)
		return -errno;
	*ret_content = content;
	content = NULL;
	return (ssize_t)length;
}

/* Bytes from `base` on. */
static uint64_t bytes_left(const struct source *source, const struct stat *st)
{
	uint64_t size = st->st_size > 0 ? (uint64_t)st->st_size : 0;

	return size > source->base ? size - source->base : 0;
}

/* Announced by its size as it is now. */
static enum source_flaw take_large(struct source *source, const struct stat *st)
{
	source->size = bytes_left(source, st);
	if (source->size < SOURCE_SMALL)
		return SOURCE_NO_SIZE;
	return source->size > INTEGER_MAX ? SOURCE_TOO_LARGE : SOURCE_GOOD;
}

static enum source_flaw take_small(
    struct source *source, struct stat *st, int *ret_error)
{
	ssize_t length = read_all(source->fd, source->base,
	    (size_t)bytes_left(source, st), &source->content);

	if (length >= 0) {
		source->size = (uint64_t)length;
		return SOURCE_GOOD;
	}
	if (length == -EFBIG && fstat(source->fd, st) == 0)
		return take_large(source, st);
	*ret_error = length == -EFBIG ? errno : (int)-length;
	return SOURCE_UNREADABLE;
}

static enum source_flaw judge(
    struct source *source, bool may_be_endless, int *ret_error)
{
	struct stat st;
	enum source_flaw flaw;

	if (fstat(source->fd, &st) < 0) {
		*ret_error = errno;
		return SOURCE_UNREADABLE;
	}
	source->mtime = st.st_mtim;
	source->inode = st.st_ino;
	flaw = kind_flaw(st.st_mode);
	if (may_be_endless && flaw != SOURCE_GOOD && flaw != SOURCE_DIRECTORY) {
		source->endless = true;
		return SOURCE_GOOD;
	}
	if (flaw != SOURCE_GOOD)
		return flaw;
	if (bytes_left(source, &st) < SOURCE_SMALL)
		return take_small(source, &st, ret_error);
	return take_large(source, &st);
}

/* Its offset stays: all reading names the place. */
static int open_stdin(struct source *source)
{
	off_t at = lseek(STDIN_FILENO, 0, SEEK_CUR);

	source->base = at > 0 ? (uint64_t)at : 0;
	return fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
}

enum source_flaw source_open(
    const char *path, struct source *ret, int *ret_error)
{
	bool is_stdin = strcmp(path, SOURCE_STDIN) == 0;
	struct source source = SOURCE_NONE;
	enum source_flaw flaw;

	if (is_stdin)
		source.fd = open_stdin(&source);
	else
		source.fd =
		    open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (source.fd < 0)
		return open_flaw(path, errno, ret_error);
	flaw = judge(&source, is_stdin, ret_error);
	if (flaw != SOURCE_GOOD) {
		source_close(&source);
		return flaw;
	}
	*ret = source;
	return SOURCE_GOOD;
}

void source_close(struct source *source)
{
	close_fd(&source->fd);
	free(source->content);
	*source = SOURCE_NONE;
}

enum source_change source_change(const struct source *source)
{
	struct stat st;

	if (source->content != NULL || source->endless ||
	    fstat(source->fd, &st) < 0)
		return SOURCE_UNCHANGED;
	if (bytes_left(source, &st) > source->size)
		return SOURCE_GREW;
	if (st.st_mtim.tv_sec != source->mtime.tv_sec ||
	    st.st_mtim.tv_nsec != source->mtime.tv_nsec ||
	    bytes_left(source, &st) != source->size)
		return SOURCE_ALTERED;
	return SOURCE_UNCHANGED;
}

bool source_mtime(const struct source *source, uint64_t *ret_usec)
{
	if (source->mtime.tv_sec < 0 || source->mtime.tv_sec >= MTIME_END)
		return false;
	*ret_usec = (uint64_t)source->mtime.tv_sec * 1000000 +
		    (uint64_t)source->mtime.tv_nsec / 1000;
	return true;
}
