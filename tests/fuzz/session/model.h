/*
 * What a session must do, as put-protocol(7) says it: a shadow of the tree, of
 * the uploads by id and of the receipts. It is told of each frame, and shares
 * nothing with the handler but its options.
 */
#ifndef FUZZ_MODEL_H
#define FUZZ_MODEL_H

#include "frame.h"
#include "stream.h"

#include "putd/options.h"

#define NODES_MAX    128
#define LINES_MAX    64
#define LINE_MAX     32768
#define NAME_ROOM    4400
#define CONTENT_ROOM (80 * 1024 * 1024)

enum node_type { NODE_DIRECTORY, NODE_FILE, NODE_LINK, NODE_FIFO };

struct content {
	const uint8_t *bytes;
	size_t size;
};

struct node {
	char path[NAME_ROOM];
	enum node_type type;
	struct content content;
	bool has_mtime;
	uint64_t mtime_usec;
	bool recent; /* put on this connection: perhaps not settled yet */
};

struct upload {
	enum { UNKNOWN, PARTIAL, STORED } state;
	struct content content;
	bool locked; /* by another connection */
	/* Of a stored one. */
	char filename[NAME_ROOM], stored[NAME_ROOM];
	uint64_t size;
	bool has_sha256, unchanged;
	uint8_t sha256[32];
};

/* A receipt: `before`, a message of fixed English where `after` is told, and
 * that. */
struct line {
	char *before, *after;
};

/* Where it depends on what is settled already, one of two; `before` NULL: no
 * line at all. */
struct expected {
	struct line line, other;
	bool has_other;
};

struct model {
	const struct options *options;
	struct node nodes[NODES_MAX];
	size_t node_count;
	struct upload uploads[IDS];

	/* Of this connection. */
	struct expected expected[LINES_MAX];
	size_t expected_count;
	uint64_t announced, bytes;
	unsigned files, failed;
	bool asked, told, over;
	int status, other_status; /* one of the two, where that depends */
};

/* Forgets all; nothing is there. */
void model_reset(struct model *model, const struct options *options);

struct node *model_add(
    struct model *model, const char *path, enum node_type type);

/* A new connection starts. */
void model_connect(struct model *model);

/* A whole header came, and `arrived` bytes of its body, all of them or those
 * before `ending`. */
void model_frame(struct model *model, const struct frame *frame, size_t arrived,
    enum ending_kind ending);

/* The stream ends between two frames, or inside a header. */
void model_end(struct model *model, enum ending_kind ending, bool in_header);

/* The PROXY header was none. */
void model_no_proxy(struct model *model);

/* Whether these are the lines; a prefix is enough where the peer had gone. */
bool model_agrees(
    const struct model *model, const char *output, size_t n, bool prefix);

/* Internal to model*.c. */
struct line line_refused(
    const struct frame *frame, const char *error, const char *more, bool retry);
struct line line_stored(const struct frame *frame, const char *command,
    const char *stored, const struct upload *upload, bool unchanged,
    bool durable);
struct line line_text(const char *format, ...)
    __attribute__((format(printf, 1, 2)));
struct line line_last(const char *error, bool retry);
void expect(struct model *model, struct line line);
void expect_one_of(struct model *model, struct line line, struct line other);
bool error_retries(const char *error);
void *arena_take(size_t n);
void arena_reset(void);
struct node *node_find(struct model *model, const char *path, size_t length);

/* How a frame is answered that goes no further. */
void model_cut(
    struct model *model, const struct frame *frame, enum ending_kind ending);
void model_refuse_with(struct model *model, const struct frame *frame,
    const char *error, const char *more, bool retry);
void model_refuse(
    struct model *model, const struct frame *frame, const char *error);
void model_skip_body(struct model *model, const struct frame *frame,
    size_t arrived, enum ending_kind ending);

/* model_id.c: by id. */
void model_part(struct model *model, const struct frame *frame, size_t arrived,
    enum ending_kind ending);
void model_commit(struct model *model, const struct frame *frame);
void model_stat(struct model *model, const struct frame *frame);
void model_abort(struct model *model, const struct frame *frame);

/* model_store.c: NULL, or the protocol's word for why not. */
const char *judge_name(
    const struct model *model, const struct name_entry *name);
const char *enter(struct model *model, const char *path, bool make);
const char *judge_target(
    struct model *model, const struct frame *frame, bool see_recent);
const char *judge_size(
    const struct model *model, uint64_t size, uint64_t coming);
/* NAME.~1~, NAME.~2~ … the first that is free and fits. */
const char *keep_number_for(
    struct model *model, const char *path, char stored[NAME_ROOM]);
/* Publishes; tells the name that it got, and whether nothing was altered. */
const char *store_file(struct model *model, const struct frame *frame,
    struct content content, bool recent, char stored[NAME_ROOM],
    bool *ret_unchanged);
const char *digest_wrong(const struct frame *frame, struct content content);
void digest_of(struct content content, uint8_t out[32]);
int policy_of(const struct model *model, const struct frame *frame);

#endif
