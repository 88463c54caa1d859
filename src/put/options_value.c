/*
 * See options_value.h.
 */
#include "put/options_value.h"

#include "wire/limits.h"

#include <string.h>

#define TIMEOUT_MAX 1000000 /* seconds; in milliseconds it fits an int */
#define RETRIES_MAX 1000000

/* Digits only, from least to most. */
static bool number(
    const char *text, unsigned long least, unsigned long most, int *ret)
{
	unsigned long value = 0;
	const char *at = text;

	for (; *at >= '0' && *at <= '9' && value <= most; at++)
		value = value * 10 + (unsigned long)(*at - '0');
	if (at == text || *at != '\0' || value < least || value > most)
		return false;
	*ret = (int)value;
	return true;
}

bool value_server(const char *text, struct options *options)
{
	const char *why;

	if (address_parse(text, &options->address, &why) < 0) {
		report_usage("invalid server", text, why);
		return false;
	}
	options->has_server = true;
	return true;
}

bool value_timeout(const char *text, int *ret_ms)
{
	int seconds;

	if (!number(text, 1, TIMEOUT_MAX, &seconds)) {
		report_usage("invalid timeout", text,
		    "not a number of seconds from 1 to 1000000");
		return false;
	}
	*ret_ms = seconds * 1000;
	return true;
}

bool value_retries(const char *text, int *ret)
{
	if (number(text, 0, RETRIES_MAX, ret))
		return true;
	report_usage(
	    "invalid number of retries", text, "not from 0 to 1000000");
	return false;
}

/* 0 where it is none of them. */
static uint64_t unit(const char *text)
{
	static const char letters[] = "KMGT";
	const char *letter;

	if (*text == '\0')
		return 1;
	letter = strchr(letters, *text);
	if (letter == NULL || text[1] != '\0')
		return 0;
	return UINT64_C(1) << (10 * (letter - letters + 1));
}

bool value_size(const char *text, uint64_t *ret)
{
	uint64_t value = 0, times;
	const char *at = text;

	for (; *at >= '0' && *at <= '9' && value <= INTEGER_MAX; at++)
		value = value * 10 + (uint64_t)(*at - '0');
	times = unit(at);
	if (value == 0 || times == 0 || value > INTEGER_MAX / times) {
		report_usage("invalid size", text,
		    "not a number of bytes, with K, M, G or T, from 1");
		return false;
	}
	*ret = value * times;
	return true;
}

bool value_policy(const char *text, enum policy *ret)
{
	if (policy_read(text, ret))
		return true;
	report_usage("invalid policy", text, "not replace, reject or keep");
	return false;
}

bool value_progress(const char *text, enum progress_when *ret)
{
	static const char *const words[] = {"auto", "always", "never"};

	for (int i = 0; i < 3; i++)
		if (strcmp(text, words[i]) == 0) {
			*ret = (enum progress_when)i;
			return true;
		}
	report_usage("invalid progress", text, "not auto, always or never");
	return false;
}
