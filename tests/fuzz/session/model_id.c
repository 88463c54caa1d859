/*
 * What the model does of an upload by id: parts, commit, stat and abort.
 */
#include "model.h"

#include <stdio.h>
#include <string.h>

static const char *judge_part(struct model *model, const struct frame *frame)
{
	const struct upload *upload = &model->uploads[frame->id];
	const char *error = judge_size(
	    model, upload->content.size + frame->filesize, frame->filesize);

	if (error == NULL && model->options->max_partial.percent == 0 &&
	    frame->filesize > 0)
		error = "no-space";
	return error;
}

static void append(struct upload *upload, const struct frame *frame, size_t n)
{
	size_t old = upload->content.size;
	uint8_t *bytes = arena_take(old + n);

	if (old > 0)
		memcpy(bytes, upload->content.bytes, old);
	if (n > 0)
		memcpy(bytes + old, frame->body, n);
	upload->content = (struct content){bytes, old + n};
	upload->state = PARTIAL;
}

static const char *offset_text(const struct upload *upload)
{
	return line_text(",\"offset\":%zu", upload->content.size).before;
}

void model_part(struct model *model, const struct frame *frame, size_t arrived,
    enum ending_kind ending)
{
	struct upload *upload = &model->uploads[frame->id];
	const char *error = NULL, *more = "";

	if (upload->locked) {
		error = "busy";
	} else if (upload->state == STORED) {
		error = "exists";
		more = ",\"state\":\"stored\"";
	} else if (frame->offset != upload->content.size) {
		error = "bad-offset";
		more = offset_text(upload);
	} else {
		error = judge_part(model, frame);
	}
	if (error != NULL) {
		model_refuse_with(
		    model, frame, error, more, error_retries(error));
		model_skip_body(model, frame, arrived, ending);
		return;
	}
	append(upload, frame, arrived);
	if (arrived < frame->filesize)
		model_cut(model, frame, ending);
	else if (frame->reply)
		expect(model,
		    line_text("{\"ok\":true,\"cmd\":\"put\",\"id\":\"%s\","
			      "\"offset\":%zu,\"durable\":%s}\n",
			ids[frame->id], upload->content.size,
			model->options->durable ? "true" : "false"));
}

static void tell_commit(struct model *model, const struct frame *frame)
{
	const struct upload *upload = &model->uploads[frame->id];

	model->files++;
	model->bytes += upload->size;
	if (frame->reply)
		expect(
		    model, line_stored(frame, "commit", upload->stored, upload,
			       upload->unchanged, model->options->durable));
}

static void repeat_commit(struct model *model, const struct frame *frame)
{
	const struct upload *upload = &model->uploads[frame->id];

	if (strcmp(upload->filename, frame->name->text) != 0 ||
	    upload->size != frame->size ||
	    (frame->digest >= RIGHT && upload->has_sha256 &&
		memcmp(upload->sha256, frame->sha256, 32) != 0))
		model_refuse_with(model, frame, "mismatch", "", false);
	else
		tell_commit(model, frame);
}

static const char *judge_commit(struct model *model, const struct frame *frame)
{
	const char *error = judge_name(model, frame->name);

	if (error == NULL &&
	    policy_of(model, frame) < (int)model->options->policy)
		error = "denied";
	if (error == NULL)
		error = enter(model, frame->name->text, true);
	if (error == NULL)
		error = judge_target(model, frame, true);
	return error != NULL ? error : judge_size(model, frame->size, 0);
}

static void carry_out(struct model *model, const struct frame *frame)
{
	struct upload *upload = &model->uploads[frame->id];
	const char *error = judge_commit(model, frame);

	if (error == NULL) {
		error = digest_wrong(frame, upload->content);
		/* Forgotten: it will not get better. */
		if (error != NULL)
			memset(upload, 0, sizeof(*upload));
	}
	if (error == NULL)
		error = store_file(model, frame, upload->content, false,
		    upload->stored, &upload->unchanged);
	if (error != NULL) {
		model_refuse(model, frame, error);
		return;
	}
	upload->state = STORED;
	upload->size = frame->size;
	snprintf(upload->filename, NAME_ROOM, "%s", frame->name->text);
	upload->has_sha256 = frame->digest != NO_DIGEST;
	digest_of(upload->content, upload->sha256);
	tell_commit(model, frame);
}

void model_commit(struct model *model, const struct frame *frame)
{
	const struct upload *upload = &model->uploads[frame->id];

	if (upload->locked)
		model_refuse(model, frame, "busy");
	else if (upload->state == STORED)
		repeat_commit(model, frame);
	else if (upload->state == UNKNOWN)
		model_refuse(model, frame, "unknown-id");
	else if (frame->size != upload->content.size)
		model_refuse_with(
		    model, frame, "mismatch", offset_text(upload), true);
	else
		carry_out(model, frame);
}

static const char *judge_stat(struct model *model, const struct frame *frame)
{
	const struct upload *upload = &model->uploads[frame->id];
	uint64_t held = upload->content.size;
	const char *error = NULL;
	char kept[NAME_ROOM];

	if (policy_of(model, frame) < (int)model->options->policy)
		return "denied";
	if (frame->name != NULL) {
		error = judge_name(model, frame->name);
		if (error == NULL)
			error = enter(model, frame->name->text, false);
		if (error == NULL)
			error = judge_target(model, frame, true);
		if (error == NULL && policy_of(model, frame) == KEEP &&
		    node_find(model, frame->name->text,
			strlen(frame->name->text)) != NULL)
			error = keep_number_for(model, frame->name->text, kept);
	}
	if (error == NULL && frame->has_size)
		error = judge_size(model, frame->size,
		    frame->size > held ? frame->size - held : 0);
	return error;
}

void model_stat(struct model *model, const struct frame *frame)
{
	const struct upload *upload = &model->uploads[frame->id];
	const char *error = NULL;

	if (upload->locked)
		error = "busy";
	else if (upload->state != STORED)
		error = judge_stat(model, frame);
	if (error == NULL && upload->state == UNKNOWN)
		error = "unknown-id";
	if (error != NULL)
		model_refuse(model, frame, error);
	else if (frame->reply && upload->state == STORED)
		expect(model, line_stored(frame, "stat", upload->stored, upload,
				  upload->unchanged, model->options->durable));
	else if (frame->reply)
		expect(
		    model, line_text("{\"ok\":true,\"cmd\":\"stat\","
				     "\"state\":\"partial\",\"offset\":%zu}\n",
			       upload->content.size));
}

void model_abort(struct model *model, const struct frame *frame)
{
	struct upload *upload = &model->uploads[frame->id];

	if (upload->locked) {
		model_refuse(model, frame, "busy");
		return;
	}
	if (upload->state == PARTIAL)
		memset(upload, 0, sizeof(*upload));
	if (frame->reply)
		expect(model, line_text("{\"ok\":true,\"cmd\":\"abort\"}\n"));
}
