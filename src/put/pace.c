/*
 * See pace.h. What was not sent in time is lost after PACE_SLICES of a second,
 * so that a connection that stood still does not make up for it in a burst.
 */
#include "put/pace.h"

#include "put/clock.h"

#define PACE_SLICES 10 /* a second */

/* What is sent at a time. */
static uint64_t slice(const struct pace *pace)
{
	return pace->rate < PACE_SLICES ? 1 : pace->rate / PACE_SLICES;
}

void pace_begin(struct pace *pace, uint64_t rate)
{
	*pace = (struct pace){.rate = rate, .since = clock_ms()};
	pace->saved = slice(pace);
}

static void save(struct pace *pace)
{
	int64_t now = clock_ms();
	uint64_t more =
	    (uint64_t)((double)(now - pace->since) * (double)pace->rate / 1000);

	if (more == 0)
		return;
	pace->since = now;
	pace->saved += more;
	if (pace->saved > slice(pace))
		pace->saved = slice(pace);
}

size_t pace_allowance(struct pace *pace)
{
	if (pace->rate == 0)
		return SIZE_MAX;
	save(pace);
	return (size_t)pace->saved;
}

void pace_spend(struct pace *pace, uint64_t bytes)
{
	if (pace->rate != 0)
		pace->saved -= bytes < pace->saved ? bytes : pace->saved;
}

int pace_wait_ms(const struct pace *pace)
{
	uint64_t rest = slice(pace) - pace->saved;

	return (int)((double)rest * 1000 / (double)pace->rate) + 1;
}
