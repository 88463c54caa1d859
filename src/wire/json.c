/*
 * See json.h. The order is: judge the text (json_scan.c), let cJSON build the
 * tree, refuse a key that stands twice. Numbers are read from the text again,
 * since cJSON keeps doubles, in which 9007199254740990.9999 is an integer.
 */
#include "wire/json.h"

#include "wire/cleanup.h"
#include "wire/json_scan.h"
#include "wire/limits.h"

#include <cjson/cJSON.h>
#include <errno.h>
#include <string.h>

static int compare_keys(const void *left, const void *right)
{
	return strcmp(*(char *const *)left, *(char *const *)right);
}

/* Sorted, since a header of 64 KiB has room for 13,000 keys. */
static int check_keys(const cJSON *object)
{
	CLEANUP_FREE char **keys = NULL;
	size_t count = 0;
	const cJSON *child;

	cJSON_ArrayForEach(child, object) count++;
	if (count < 2)
		return 0;
	keys = calloc(count, sizeof(*keys));
	if (keys == NULL)
		return -ENOMEM;
	count = 0;
	cJSON_ArrayForEach(child, object) keys[count++] = child->string;
	qsort(keys, count, sizeof(*keys), compare_keys);
	for (size_t i = 1; i < count; i++)
		if (strcmp(keys[i - 1], keys[i]) == 0)
			return -EBADMSG;
	return 0;
}

/* Depth is bounded: json_scan.c has seen the text. */
static int check_keys_below(const cJSON *value)
{
	const cJSON *child;
	int r;

	if (cJSON_IsObject(value)) {
		r = check_keys(value);
		if (r < 0)
			return r;
	}
	cJSON_ArrayForEach(child, value)
	{
		if (child->child == NULL)
			continue;
		r = check_keys_below(child);
		if (r < 0)
			return r;
	}
	return 0;
}

static bool scan_whole_object(char *text, size_t length)
{
	struct json_scan scan = {
	    .at = (uint8_t *)text,
	    .end = (uint8_t *)text + length,
	};

	scan_space(&scan);
	return scan.at < scan.end && *scan.at == '{' && scan_value(&scan) &&
	       scan.at == scan.end;
}

int json_read(char *text, size_t length, struct json *ret)
{
	cJSON *tree;
	int r;

	if (!scan_whole_object(text, length))
		return -EBADMSG;
	tree = cJSON_ParseWithLengthOpts(text, length, NULL, false);
	if (tree == NULL)
		return -ENOMEM; /* all else was judged above */
	r = check_keys_below(tree);
	if (r < 0) {
		cJSON_Delete(tree);
		return r;
	}
	*ret = (struct json){.tree = tree, .text = text, .length = length};
	return 0;
}

void json_free(struct json *json)
{
	cJSON_Delete(json->tree);
	*json = (struct json){0};
}

static const cJSON *member(const struct json *json, const char *key)
{
	return cJSON_GetObjectItemCaseSensitive(json->tree, key);
}

bool json_has(const struct json *json, const char *key)
{
	return member(json, key) != NULL;
}

int json_string(const struct json *json, const char *key, const char **ret)
{
	const cJSON *item = member(json, key);

	if (item == NULL)
		return 0;
	if (!cJSON_IsString(item))
		return -EINVAL;
	*ret = item->valuestring;
	return 1;
}

int json_boolean(const struct json *json, const char *key, bool *ret)
{
	const cJSON *item = member(json, key);

	if (item == NULL)
		return 0;
	if (!cJSON_IsBool(item))
		return -EINVAL;
	*ret = cJSON_IsTrue(item);
	return 1;
}

/* The text of a member's value: the tree and the text have the same order. */
static struct json_scan member_text(
    const struct json *json, const cJSON *wanted)
{
	struct json_scan scan = {
	    .at = (uint8_t *)json->text,
	    .end = (uint8_t *)json->text + json->length,
	};
	const cJSON *item;
	uint8_t *start = scan.at;

	scan_space(&scan);
	cJSON_ArrayForEach(item, json->tree)
	{
		scan.at++; /* the brace or the comma */
		scan_space(&scan);
		(void)scan_string(&scan);
		scan_space(&scan);
		scan.at++; /* the colon */
		scan_space(&scan);
		start = scan.at;
		(void)scan_value(&scan);
		if (item == wanted)
			break;
	}
	return (struct json_scan){.at = start, .end = scan.at};
}

int json_integer(const struct json *json, const char *key, uint64_t *ret)
{
	const cJSON *item = member(json, key);
	struct json_scan text;
	uint64_t value = 0;

	if (item == NULL)
		return 0;
	if (!cJSON_IsNumber(item))
		return -EINVAL;
	text = member_text(json, item);
	for (; text.at < text.end && *text.at >= '0' && *text.at <= '9';
	     text.at++) {
		value = value * 10 + (uint64_t)(*text.at - '0');
		if (value > INTEGER_MAX)
			return -EINVAL;
	}
	scan_space(&text);
	if (text.at != text.end)
		return -EINVAL;
	*ret = value;
	return 1;
}

/* Near 2^33 a double still tells a microsecond, but not half of one: the
 * fraction is rounded apart from the seconds. */
int json_seconds(const struct json *json, const char *key, uint64_t *ret_usec)
{
	const cJSON *item = member(json, key);
	uint64_t seconds;

	if (item == NULL)
		return 0;
	if (!cJSON_IsNumber(item) || !(item->valuedouble >= 0) ||
	    !(item->valuedouble < (double)MTIME_END))
		return -EINVAL;
	seconds = (uint64_t)item->valuedouble;
	*ret_usec =
	    seconds * 1000000 +
	    (uint64_t)((item->valuedouble - (double)seconds) * 1e6 + 0.5);
	return 1;
}

int json_strings(const struct json *json, const char *key,
    int (*visit)(const char *string, void *context), void *context)
{
	const cJSON *array = member(json, key);
	const cJSON *item;

	if (array == NULL)
		return 0;
	if (!cJSON_IsArray(array))
		return -EINVAL;
	cJSON_ArrayForEach(item, array)
	{
		if (!cJSON_IsString(item))
			return -EINVAL;
	}
	cJSON_ArrayForEach(item, array)
	{
		int r = visit(item->valuestring, context);

		if (r < 0)
			return r;
	}
	return 1;
}
