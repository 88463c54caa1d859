/*
 * So many bytes a second and no more (--bwlimit). Knows the clock only.
 */
#ifndef PUT_PACE_H
#define PUT_PACE_H

#include <stddef.h>
#include <stdint.h>

struct pace {
	uint64_t rate;	/* bytes a second; 0: without a bound */
	uint64_t saved; /* bytes that may be sent now */
	int64_t since;	/* clock_ms() of the last saving */
};

void pace_begin(struct pace *pace, uint64_t rate);
/* The bytes that may be sent now; 0: wait first. */
size_t pace_allowance(struct pace *pace);
void pace_spend(struct pace *pace, uint64_t bytes);
/* Milliseconds until there is an allowance again. */
int pace_wait_ms(const struct pace *pace);

#endif
