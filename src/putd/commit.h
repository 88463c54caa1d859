/*
 * From a partial file to a name: the second way of publishing. A crash at any
 * point leaves one of these, and commit_resume() tells them apart:
 *
 *   ID.done      ID.part    published?
 *   none         there      no: so it is after an attempt that failed
 *   intent       there      no; but yes where it has two links (it was linked
 *                           where rename(2) without clobbering is not to be
 *                           had, and the crash came before the unlink)
 *   intent       gone       yes
 *   stored       (either)   yes
 *
 * On a filesystem that only links, a consumer that removes the published file
 * before the unlink makes it look as if it had not been published: there a
 * commit happens at least once.
 */
#ifndef PUTD_COMMIT_H
#define PUTD_COMMIT_H

#include "putd/kept.h"
#include "putd/partial.h"
#include "putd/publish.h"

/*
 * Publishes the open partial file as `name` in `directory`; kept->filename,
 * size and sha256 are told to it, kept->stored and unchanged it tells. The
 * partial file is gone and closed when it returns 0. -EEXIST, -EISDIR,
 * -EILSEQ, -ENOSPC: nothing was published. Other -errno: it may have been, and
 * the next look at the id tells. It is closed too where a flush failed.
 */
int commit_publish(struct store *store, struct partial *partial,
    const struct directory *directory, const struct name *name,
    const struct wish *wish, struct kept *kept);

/*
 * Finishes a commit that a crash cut short: `partial` is open, or there is
 * none. Turns an intent that was carried out into KEPT_STORED, and one that was
 * not into KEPT_NONE. Returns 0 or -errno.
 */
int commit_resume(struct store *store, const char *id, struct partial *partial,
    struct kept *kept);

/*
 * Forgets an upload that is not to be published: an intent first, which would
 * read as carried out once the partial file is gone, then that. Closes it in
 * any case. Returns 0 or -errno.
 */
int commit_forget(struct store *store, struct partial *partial);

#endif
