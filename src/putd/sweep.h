/*
 * Removing what nobody will come back for: temporaries of processes that died,
 * partial files and kept receipts that are old. It runs after the last receipt
 * of a connection, at most once in SWEEP_INTERVAL, and touches only what is
 * both unlocked and old.
 */
#ifndef PUTD_SWEEP_H
#define PUTD_SWEEP_H

#include "putd/options.h"
#include "putd/store.h"

void sweep_if_due(struct store *store, const struct options *options);

#endif
