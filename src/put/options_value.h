/*
 * The values of options, from text. A wrong one gets its line here. For
 * options.c only.
 */
#ifndef PUT_OPTIONS_VALUE_H
#define PUT_OPTIONS_VALUE_H

#include "put/options.h"

bool value_server(const char *text, struct options *options);
bool value_timeout(const char *text, int *ret_ms);
bool value_retries(const char *text, int *ret);
/* Bytes, with K, M, G or T (1024). */
bool value_size(const char *text, uint64_t *ret);
bool value_policy(const char *text, enum policy *ret);
bool value_progress(const char *text, enum progress_when *ret);

#endif
