/*
 * The grammar of RFC 8259, judged on the text itself, because cJSON accepts
 * more than the grammar. Internal to json.c.
 */
#ifndef WIRE_JSON_SCAN_H
#define WIRE_JSON_SCAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct json_scan {
	uint8_t *at, *end;
	unsigned depth; /* levels open at `at` */
};

/* Each moves past one thing at scan->at; false where it is not well-formed. */
bool scan_value(struct json_scan *scan);
bool scan_string(struct json_scan *scan);
bool scan_byte(struct json_scan *scan, uint8_t byte);
void scan_space(struct json_scan *scan);

#endif
