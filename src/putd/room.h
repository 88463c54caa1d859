/*
 * How much partial files may take (--max-partial, PARTIALS_MAX), and which of
 * them goes when it is too much: the oldest that nobody writes.
 */
#ifndef PUTD_ROOM_H
#define PUTD_ROOM_H

#include "putd/store.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * Makes room for `coming` bytes, and for one more id if `make`: forgets the
 * oldest partial files that nobody has locked. *ret_room is what there is for
 * them and for more, at most ROOM_MAX beyond. Returns 0, -ENOSPC where it is
 * not enough, -errno.
 */
int partial_make_room(
    struct store *store, uint64_t coming, bool make, uint64_t *ret_room);

#endif
