/*
 * What the commands about an upload by id share: which one is open, what is
 * known of an id, and how such a frame is refused.
 */
#ifndef PUTD_SERVE_ID_H
#define PUTD_SERVE_ID_H

#include "putd/kept.h"
#include "putd/serve.h"

/* Opens the upload of this id, if it is not the one that is open. Returns as
 * partial_open(). */
int id_acquire(struct session *s, const char *id, bool make);

/*
 * What is known of an id: its commit, or its partial file, or neither. Returns
 * 0; -EBUSY; -errno. kept->state is never KEPT_INTENT afterwards; s->partial
 * is open if there is one and the commit has not been.
 */
int id_look_up(struct session *s, const char *id, struct kept *kept);

/* Records what is held and lets others have the id, so that who reads the
 * answer finds it free. Returns 0 or -errno; nothing is held of no upload. */
int id_release(struct session *s, uint64_t *ret_held);

/* As serve_refuse_and_skip(): a part's body is still to come, that of another
 * command has been skipped. */
enum ending id_refuse(struct session *s, const struct header *header,
    const struct reason *reason);
enum ending id_refuse_error(
    struct session *s, const struct header *header, int error);

#endif
