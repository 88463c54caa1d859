/*
 * See partial.h.
 */
#include "putd/partial.h"

#include "putd/bounds.h"
#include "putd/wait.h"
#include "wire/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SLOT_SIZE  512 /* bytes: no two slots share a sector */
#define SLOT_MAGIC UINT64_C(0x7075746470617274)

struct slot {
	uint64_t magic, sequence, offset, check;
};

void private_file(char out[PRIVATE_FILE], const char *id, const char *ending)
{
	(void)snprintf(out, PRIVATE_FILE, "%s.%s", id, ending);
}

/* FNV-1a over the three numbers before it: a torn slot is found, not a forged
 * one; nobody else writes here. */
static uint64_t slot_check(const struct slot *slot)
{
	const uint64_t numbers[] = {slot->magic, slot->sequence, slot->offset};
	uint64_t hash = UINT64_C(0xcbf29ce484222325);

	for (size_t i = 0; i < sizeof(numbers); i++) {
		uint64_t byte = numbers[i / 8] >> (i % 8 * 8) & 0xff;

		hash = (hash ^ byte) * UINT64_C(0x100000001b3);
	}
	return hash;
}

/* The newer of the slots that are whole; none is offset 0. */
static int read_note(struct partial *partial)
{
	for (off_t i = 0; i < 2; i++) {
		struct slot slot = {0};
		ssize_t n =
		    pread(partial->note, &slot, sizeof(slot), i * SLOT_SIZE);

		if (n < 0)
			return -errno;
		if (n != sizeof(slot) || slot.magic != SLOT_MAGIC ||
		    slot.check != slot_check(&slot) ||
		    slot.sequence <= partial->sequence)
			continue;
		partial->sequence = slot.sequence;
		partial->recorded = slot.offset;
	}
	return 0;
}

static int write_note(struct partial *partial, uint64_t offset)
{
	struct slot slot = {
	    .magic = SLOT_MAGIC,
	    .sequence = partial->sequence + 1,
	    .offset = offset,
	};

	slot.check = slot_check(&slot);
	if (pwrite(partial->note, &slot, sizeof(slot),
		(off_t)(slot.sequence % 2) * SLOT_SIZE) != sizeof(slot))
		return errno != 0 ? -errno : -EIO;
	partial->sequence++;
	return 0;
}

/* A lock of the open file (fcntl(2), F_OFD_SETLK): shared filesystems honour
 * it between hosts, and it goes with the descriptor. */
static int lock(int fd)
{
	struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};

	if (fcntl(fd, F_OFD_SETLK, &whole) == 0)
		return 0;
	return errno == EAGAIN || errno == EACCES ? -EBUSY : -errno;
}

/* Whether the name still is the file that was locked: another connection may
 * have committed it meanwhile. */
static bool still_named(int private_fd, const char *name, int fd)
{
	struct stat named, opened;

	return fstatat(private_fd, name, &named, AT_SYMLINK_NOFOLLOW) == 0 &&
	       fstat(fd, &opened) == 0 && named.st_ino == opened.st_ino &&
	       named.st_dev == opened.st_dev;
}

static int open_note(int private_fd, const char *name, bool make)
{
	int flags = O_RDWR | O_NOFOLLOW | O_CLOEXEC | (make ? O_CREAT : 0);

	for (;;) {
		CLEANUP_CLOSE int fd = openat(private_fd, name, flags, 0600);
		int r;

		if (fd < 0)
			return -errno;
		r = lock(fd);
		if (r < 0)
			return r;
		if (still_named(private_fd, name, fd))
			return take_fd(&fd);
	}
}

static int open_or_make(int private_fd, struct partial *partial, bool make)
{
	int flags = O_RDWR | O_NOFOLLOW | O_CLOEXEC;
	char name[PRIVATE_FILE];

	private_file(name, partial->id, "part");
	partial->fd = openat(private_fd, name, flags);
	if (partial->fd < 0 && errno == ENOENT && make) {
		partial->fd =
		    openat(private_fd, name, flags | O_CREAT | O_EXCL, 0600);
		partial->made = true;
	}
	return partial->fd < 0 ? -errno : 0;
}

/* Opens the bytes, and cuts off what the record does not vouch for. A record
 * that vouches for more than there is, is that of a file that is gone. */
static int open_bytes(int private_fd, struct partial *partial, bool make)
{
	struct stat status;
	int r = open_or_make(private_fd, partial, make);

	if (r < 0)
		return r;
	if (fstat(partial->fd, &status) < 0)
		return -errno;
	/* It has been linked to its name: the whole of it counts, and nothing
	 * is cut off a file that others see. */
	if (status.st_nlink > 1 || (uint64_t)status.st_size < partial->recorded)
		partial->recorded = (uint64_t)status.st_size;
	partial->held = partial->recorded;
	if ((uint64_t)status.st_size > partial->held &&
	    ftruncate(partial->fd, (off_t)partial->held) < 0)
		return -errno;
	return 0;
}

int partial_open(
    struct store *store, const char *id, bool make, struct partial *ret)
{
	struct partial partial = PARTIAL_NONE;
	int private_fd = store_private(store);
	char name[PRIVATE_FILE];
	int r;

	if (private_fd < 0)
		return private_fd;
	(void)snprintf(partial.id, sizeof(partial.id), "%s", id);
	private_file(name, id, "note");
	partial.note = open_note(private_fd, name, make);
	if (partial.note < 0)
		return partial.note;
	r = read_note(&partial);
	if (r == 0)
		r = open_bytes(private_fd, &partial, make);
	/* A record without bytes says nothing is held: it goes, lest it stay,
	 * or vouch for the bytes of another upload under its id. Bytes without
	 * a record would keep the next sender from making them. */
	if (r == -ENOENT || (r < 0 && partial.made))
		(void)partial_remove(store, &partial);
	if (r < 0) {
		partial_close(&partial);
		return r;
	}
	partial.checkpoint_ms = now_ms();
	*ret = partial;
	return 0;
}

static int flush_and_record(struct store *store, struct partial *partial)
{
	int r;

	if (store->durable && fdatasync(partial->fd) < 0)
		return -errno;
	r = write_note(partial, partial->held);
	if (r < 0 || !store->durable)
		return r;
	if (fdatasync(partial->note) < 0)
		return -errno;
	/* Who made the names may have died before it flushed them. */
	return partial->checked ? 0 : store_flush_private(store);
}

int partial_checkpoint(struct store *store, struct partial *partial)
{
	int r;

	if (partial->broken)
		return -EIO;
	if (partial->held == partial->recorded && partial->checked)
		return 0;
	r = flush_and_record(store, partial);
	if (r < 0) {
		partial->broken = true;
		return r;
	}
	partial->made = false;
	partial->checked = true;
	partial->recorded = partial->held;
	partial->checkpoint_ms = now_ms();
	return 0;
}

void partial_checkpoint_if_due(struct store *store, struct partial *partial)
{
	if (partial->held - partial->recorded >= CHECKPOINT_BYTES ||
	    now_ms() - partial->checkpoint_ms >= CHECKPOINT_MS)
		(void)partial_checkpoint(store, partial);
}

bool partial_has_bytes(const struct store *store, const char *id, size_t length)
{
	char name[PRIVATE_FILE];
	struct stat status;

	(void)snprintf(name, sizeof(name), "%.*s.part", (int)length, id);
	return fstatat(store->private_fd, name, &status, AT_SYMLINK_NOFOLLOW) ==
	       0;
}

void partial_close(struct partial *partial)
{
	close_fd(&partial->fd);
	close_fd(&partial->note);
	*partial = PARTIAL_NONE;
}

/* The bytes first: a record without them says nothing is held. */
int partial_remove(struct store *store, struct partial *partial)
{
	char name[PRIVATE_FILE];
	int r = 0;

	private_file(name, partial->id, "part");
	if (unlinkat(store->private_fd, name, 0) < 0 && errno != ENOENT)
		r = -errno;
	private_file(name, partial->id, "note");
	if (unlinkat(store->private_fd, name, 0) < 0 && errno != ENOENT)
		r = -errno;
	partial_close(partial);
	return r;
}
