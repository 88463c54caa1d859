/*
 * How wide text is on a terminal, without a locale: wide and combining
 * characters by their ranges. Touches nothing.
 */
#ifndef PUT_COLUMNS_H
#define PUT_COLUMNS_H

#include <stddef.h>

/* Columns of UTF-8 text. */
int columns_of(const char *text);
/* The longest end of the text that takes `columns` at most. */
const char *columns_tail(const char *text, int columns);

#endif
