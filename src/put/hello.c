/*
 * See hello.h.
 */
#include "put/hello.h"

#include <string.h>

/* Stops at the command that makes uploads possible. */
static int find_commit(const char *command, void *context)
{
	(void)context;
	return strcmp(command, "commit") == 0 ? -1 : 0;
}

void hello_read(const struct receipt *receipt, struct hello *ret)
{
	*ret = (struct hello){.stall = HELLO_STALL};
	if (!receipt->ok)
		return;
	ret->uploads =
	    json_strings(&receipt->json, "commands", find_commit, NULL) == -1;
	if (receipt->if_exists != NULL)
		(void)policy_read(receipt->if_exists, &ret->policy);
	if (receipt->stall > 0)
		ret->stall = receipt->stall;
	ret->max_session = receipt->max_session;
}
