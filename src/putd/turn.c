/*
 * See turn.h. Asked again each millisecond: flock(2) has no deadline.
 */
#include "putd/turn.h"

#include "putd/bounds.h"
#include "putd/wait.h"

#include <errno.h>
#include <sys/file.h>

bool turn_begin(struct turn *turn, int root, size_t count)
{
	int64_t end;

	if (turn->given_up || count <= TURN_FILES)
		return false;
	end = now_ms() + TURN_MS;
	while (flock(root, LOCK_EX | LOCK_NB) < 0) {
		if (errno != EWOULDBLOCK || now_ms() >= end) {
			turn->given_up = true;
			return false;
		}
		(void)wait_for(-1, 0, 1, WAIT_IGNORE_TERM);
	}
	return true;
}

void turn_end(int root)
{
	(void)flock(root, LOCK_UN);
}
