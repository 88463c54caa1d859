/*
 * See progress.h: composes the line. What does not fit is left out, the least
 * useful first; the name gets what is left and keeps its end, where file names
 * differ.
 */
#include "put/progress.h"

#include "put/clock.h"
#include "put/columns.h"
#include "put/escape.h"

#include "wire/cleanup.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define NAME_LEAST 8  /* columns */
#define BAR	   20 /* cells */
#define FIELD	   96 /* bytes */

/* In the order they stand in. */
enum field { PERCENT, BAR_FIELD, AMOUNT, RATE, ETA, TOTAL, FIELDS };

/* In the order they go. */
static const enum field leaving[] = {
    BAR_FIELD, AMOUNT, TOTAL, ETA, RATE, PERCENT};

struct fields {
	char text[FIELDS][FIELD];
	bool in[FIELDS];
};

/* "1.2 GiB": four characters at most before the unit. */
static void amount_text(double bytes, char out[FIELD / 4])
{
	static const char *const units[] = {
	    "B", "KiB", "MiB", "GiB", "TiB", "PiB"};
	size_t unit = 0;

	while (bytes >= 1000 && unit + 1 < ARRAY_LENGTH(units)) {
		bytes /= 1024;
		unit++;
	}
	(void)snprintf(out, FIELD / 4,
	    bytes < 10 && unit > 0 ? "%.1f %s" : "%.0f %s", bytes, units[unit]);
}

static void time_text(uint64_t seconds, char out[FIELD / 4])
{
	if (seconds >= 100 * 3600)
		(void)snprintf(out, FIELD / 4, "%" PRIu64 "d", seconds / 86400);
	else if (seconds >= 3600)
		(void)snprintf(out, FIELD / 4,
		    "%" PRIu64 ":%02" PRIu64 ":%02" PRIu64, seconds / 3600,
		    seconds / 60 % 60, seconds % 60);
	else
		(void)snprintf(out, FIELD / 4, "%" PRIu64 ":%02" PRIu64,
		    seconds / 60, seconds % 60);
}

static int percent(uint64_t part, uint64_t whole)
{
	return whole == 0 ? 100 : (int)((double)part * 100 / (double)whole);
}

/* [::::====>     ]: what was there before, what was sent, what is to come. */
static void bar_text(const struct progress *progress, char out[FIELD])
{
	double size = progress->size > 0 ? (double)progress->size : 1;
	int there = (int)((double)progress->resumed * BAR / size);
	int sent = (int)((double)progress->at * BAR / size);
	char *end = out;

	*end++ = '[';
	for (int i = 0; i < BAR; i++)
		*end++ = " =:"[i < sent ? (i < there ? 2 : 1) : 0];
	*end++ = ']';
	*end = '\0';
}

static void set_eta(const struct progress *progress, struct fields *fields)
{
	bool all = progress->files > 1 && progress->bytes > 0;
	uint64_t done = all ? progress->bytes_done : progress->at;
	uint64_t whole = all ? progress->bytes : progress->size;
	char text[FIELD / 4];

	fields->in[ETA] = progress->rate >= 1 && whole >= done && whole > 0;
	if (!fields->in[ETA])
		return;
	time_text((uint64_t)((double)(whole - done) / progress->rate), text);
	(void)snprintf(fields->text[ETA], FIELD, "ETA %s", text);
}

static void set_total(const struct progress *progress, struct fields *fields)
{
	fields->in[TOTAL] = progress->files > 1;
	if (progress->bytes > 0)
		(void)snprintf(fields->text[TOTAL], FIELD,
		    "%" PRIu64 "/%" PRIu64 ", total %d%%",
		    progress->files_begun, progress->files,
		    percent(progress->bytes_done, progress->bytes));
	else
		(void)snprintf(fields->text[TOTAL], FIELD,
		    "%" PRIu64 "/%" PRIu64, progress->files_begun,
		    progress->files);
}

static void set_fields(const struct progress *progress, struct fields *fields)
{
	char done[FIELD / 4], whole[FIELD / 4], rate[FIELD / 4];

	amount_text((double)progress->at, done);
	amount_text((double)progress->size, whole);
	amount_text(progress->rate, rate);
	fields->in[PERCENT] = fields->in[BAR_FIELD] = progress->size > 0;
	fields->in[AMOUNT] = fields->in[RATE] = true;
	(void)snprintf(fields->text[PERCENT], FIELD, "%3d%%",
	    percent(progress->at, progress->size));
	bar_text(progress, fields->text[BAR_FIELD]);
	if (progress->size > 0)
		(void)snprintf(
		    fields->text[AMOUNT], FIELD, "%s of %s", done, whole);
	else
		(void)snprintf(fields->text[AMOUNT], FIELD, "%s", done);
	if (progress->checking)
		(void)snprintf(fields->text[RATE], FIELD, "checking");
	else
		(void)snprintf(fields->text[RATE], FIELD, "%s/s", rate);
	set_eta(progress, fields);
	set_total(progress, fields);
}

static int width(const struct fields *fields)
{
	int columns = 0;

	for (int i = 0; i < FIELDS; i++)
		if (fields->in[i])
			columns += (int)strlen(fields->text[i]) + 2;
	return columns;
}

/* The name in so many columns, its beginning left out if it must be. */
static int print_name(const char *name, int columns, FILE *out)
{
	int own = columns_of(name);

	if (own <= columns)
		return fprintf(out, "%s", name);
	return fprintf(out, "...%s", columns_tail(name, columns - 3));
}

char *progress_line(const struct progress *progress, int columns)
{
	CLEANUP_FREE char *name = escape_text(progress->name);
	struct fields fields = {0};
	char *line = NULL;
	size_t size;
	FILE *out = name != NULL ? open_memstream(&line, &size) : NULL;

	if (out == NULL)
		return NULL;
	set_fields(progress, &fields);
	for (size_t i = 0;
	     i < ARRAY_LENGTH(leaving) && columns - width(&fields) < NAME_LEAST;
	     i++)
		fields.in[leaving[i]] = false;
	(void)print_name(name, columns - width(&fields), out);
	for (int i = 0; i < FIELDS; i++)
		if (fields.in[i])
			(void)fprintf(out, "  %s", fields.text[i]);
	if (fclose(out) != 0) {
		free(line);
		return NULL;
	}
	return line;
}
