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

const char *hello_doubt(const struct receipt *receipt)
{
	uint64_t protocol = HELLO_PROTOCOL;

	if (receipt->ok &&
	    (json_integer(&receipt->json, "protocol", &protocol) < 0 ||
		protocol != HELLO_PROTOCOL))
		return "it tells a protocol that is not known here";
	return NULL;
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
		ret->stall = receipt->stall < HELLO_STALL_MOST
				 ? receipt->stall
				 : HELLO_STALL_MOST;
	ret->max_session = receipt->max_session;
}
