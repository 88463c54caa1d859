/*
 * The model's tree: where a file may stand, and what becomes of a name that is
 * taken (put-protocol(7), section 4 and the policies of section 2).
 */
#include "model.h"

#include <nettle/sha2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct node *node_find(struct model *model, const char *path, size_t length)
{
	for (size_t i = 0; i < model->node_count; i++) {
		struct node *node = &model->nodes[i];

		if (strncmp(node->path, path, length) == 0 &&
		    node->path[length] == '\0')
			return node;
	}
	return NULL;
}

struct node *model_add(
    struct model *model, const char *path, enum node_type type)
{
	struct node *node = &model->nodes[model->node_count];

	if (model->node_count++ == NODES_MAX)
		abort();
	snprintf(node->path, sizeof(node->path), "%s", path);
	node->type = type;
	node->content = (struct content){NULL, 0};
	node->has_mtime = node->recent = false;
	return node;
}

const char *judge_name(const struct model *model, const struct name_entry *name)
{
	if (name->rule == NAME_BAD)
		return "bad-name";
	return name->rule == NAME_HIDDEN && !model->options->hidden ? "bad-name"
								    : NULL;
}

const char *enter(struct model *model, const char *path, bool make)
{
	const char *slash = path;

	while ((slash = strchr(slash, '/')) != NULL) {
		size_t length = (size_t)(slash++ - path);
		struct node *node = node_find(model, path, length);
		char made[NAME_ROOM];

		if (node != NULL && node->type != NODE_DIRECTORY)
			return "bad-name";
		if (node != NULL)
			continue;
		if (!model->options->mkdirs)
			return "bad-name";
		/* One that would be made is well. */
		if (!make)
			return NULL;
		snprintf(made, sizeof(made), "%.*s", (int)length, path);
		model_add(model, made, NODE_DIRECTORY);
	}
	return NULL;
}

int policy_of(const struct model *model, const struct frame *frame)
{
	return frame->if_exists != ABSENT ? (int)frame->if_exists
					  : (int)model->options->policy;
}

/* The target as it is; `see_recent` is false for what may not be there yet. */
const char *judge_target(
    struct model *model, const struct frame *frame, bool see_recent)
{
	const char *path = frame->name->text;
	struct node *node = node_find(model, path, strlen(path));

	if (node == NULL || (node->recent && !see_recent))
		return NULL;
	if (node->type == NODE_DIRECTORY)
		return "exists";
	/* Where a digest is told, only the body can tell. */
	return policy_of(model, frame) == REJECT && frame->digest < RIGHT
		   ? "exists"
		   : NULL;
}

const char *judge_size(
    const struct model *model, uint64_t size, uint64_t coming)
{
	uint64_t limit = model->options->max_size;

	if (limit > 0 && size > limit)
		return "too-large";
	return coming > 0 && model->options->min_free.bytes > 0 ? "no-space"
								: NULL;
}

void digest_of(struct content content, uint8_t out[32])
{
	struct sha256_ctx context;

	sha256_init(&context);
	sha256_update(&context, content.size, content.bytes);
	sha256_digest(&context, 32, out);
}

const char *digest_wrong(const struct frame *frame, struct content content)
{
	uint8_t digest[32];

	if (frame->digest < RIGHT)
		return NULL;
	digest_of(content, digest);
	return memcmp(digest, frame->sha256, 32) != 0 ? "mismatch" : NULL;
}

static bool is_same(const struct node *node, struct content content)
{
	return node->type == NODE_FILE && node->content.size == content.size &&
	       memcmp(node->content.bytes, content.bytes, content.size) == 0;
}

const char *keep_number_for(
    struct model *model, const char *path, char stored[NAME_ROOM])
{
	const char *base = strrchr(path, '/');

	base = base != NULL ? base + 1 : path;
	for (unsigned i = 1;; i++) {
		snprintf(stored, NAME_ROOM, "%s.~%u~", path, i);
		if (strlen(stored) > 4095 ||
		    strlen(stored + (base - path)) > 255)
			return "bad-name";
		if (node_find(model, stored, strlen(stored)) == NULL)
			return NULL;
	}
}

const char *store_file(struct model *model, const struct frame *frame,
    struct content content, bool recent, char stored[NAME_ROOM],
    bool *ret_unchanged)
{
	const char *path = frame->name->text, *error = NULL;
	struct node *node = node_find(model, path, strlen(path));

	snprintf(stored, NAME_ROOM, "%s", path);
	*ret_unchanged =
	    node != NULL && frame->digest >= RIGHT && is_same(node, content);
	if (*ret_unchanged)
		return NULL;
	if (node != NULL && node->type == NODE_DIRECTORY)
		return "exists";
	if (node != NULL && policy_of(model, frame) == REJECT)
		return "exists";
	if (node != NULL && policy_of(model, frame) == KEEP) {
		error = keep_number_for(model, path, stored);
		node = NULL;
	}
	if (error != NULL)
		return error;
	if (node == NULL)
		node = model_add(model, stored, NODE_FILE);
	node->type = NODE_FILE;
	node->content = content;
	node->has_mtime = frame->has_mtime;
	node->mtime_usec = frame->mtime_usec;
	node->recent = recent;
	return NULL;
}
