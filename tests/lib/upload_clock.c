/*
 * For LD_PRELOAD: time(2) is UPLOAD_CLOCK_LATE seconds later than it is. The
 * age of an inode cannot be set, so a test that wants an old one lives later.
 */
#define _GNU_SOURCE
#include <stdlib.h>
#include <time.h>

time_t time(time_t *ret)
{
	const char *late = getenv("UPLOAD_CLOCK_LATE");
	struct timespec now;

	(void)clock_gettime(CLOCK_REALTIME, &now);
	if (late != NULL)
		now.tv_sec += strtol(late, NULL, 10);
	if (ret != NULL)
		*ret = now.tv_sec;
	return now.tv_sec;
}
