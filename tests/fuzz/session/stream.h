/*
 * A connection in memory for the session fuzzer: what is sent, where it pauses
 * and how it ends is told before; what came back is read after. The calls of
 * the handler that would wait are replaced at link time (ld's --wrap), and time
 * passes only there. It knows nothing of frames.
 */
#ifndef FUZZ_STREAM_H
#define FUZZ_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define STREAM_MAX (4 << 20) /* bytes sent on one connection */
#define OUTPUT_MAX (1 << 20) /* bytes of receipts */
#define PAUSES_MAX 16

enum ending_kind {
	ENDS,	    /* the peer is done */
	IS_RESET,   /* and resets */
	STALLS,	    /* sends nothing more */
	TERMINATED, /* SIGTERM comes */
	FAILS,	    /* the descriptor is broken */
	ENDING_KINDS
};

struct memory_stream {
	uint8_t sent[STREAM_MAX];
	size_t length;
	size_t pauses[PAUSES_MAX]; /* places where nothing is there for now */
	size_t pause_count;
	enum ending_kind ending; /* at `length` */

	char output[OUTPUT_MAX];
	size_t output_length;
	size_t peer_reads; /* bytes, then it is gone */
	size_t send_size;  /* bytes that one send(2) takes; 0: all */

	/* The handler's side. */
	size_t at, pause;
	bool paused, full, shut;
	bool is_proxy;	      /* the peer is 127.0.0.1 */
	unsigned descriptors; /* RLIMIT_NOFILE told; 0: the real one */
};

extern struct memory_stream memory;

/* The descriptor that stands for it. */
int memory_open(void);

/* Forgets what was: nothing is sent, and the peer reads all. */
void memory_reset(void);

void memory_send(const void *bytes, size_t n);
void memory_pause(void);

#endif
