/*
 * The frames of one connection, one function for each: it makes the header, has
 * it sent next, and has its receipt awaited. Which of them comes when is
 * sender.c's. All return 0, -ENOMEM, or a negative errno of frame_begin().
 */
#ifndef PUT_SENDER_ASK_H
#define PUT_SENDER_ASK_H

#include "put/sender.h"

int ask_hello(struct sender *sender);
int ask_end(struct sender *sender);
/* The file in one frame. */
int ask_whole(struct sender *sender);
/* How much of the file is there; and whether its commit would be refused. */
int ask_stat(struct sender *sender);
/* A part from sender->at on; its body is the caller's to set. */
int ask_part(struct sender *sender, uint64_t length);
/* That what came before sender->at is all. */
int ask_commit(struct sender *sender);
/* The stream did not end well: what the server has of it is forgotten. */
int ask_abort(struct sender *sender);
/* The same with what it has of the file as it was before it changed. */
int ask_abort_stale(struct sender *sender);

#endif
