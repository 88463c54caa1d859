/*
 * See model.h: what each frame does, and how a connection ends.
 */
#include "model.h"

#include "putd/exit.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct line no_line;

void model_reset(struct model *model, const struct options *options)
{
	arena_reset();
	model->options = options;
	model->node_count = 0;
	memset(model->uploads, 0, sizeof(model->uploads));
}

void model_connect(struct model *model)
{
	model->expected_count = 0;
	model->announced = model->bytes = 0;
	model->files = model->failed = 0;
	model->asked = model->told = model->over = false;
	model->status = model->other_status = EXIT_SERVED;
	for (size_t i = 0; i < model->node_count; i++)
		model->nodes[i].recent = false;
}

/* The connection ends; the last line is for whoever asked before. */
static void finish(struct model *model, int status, const char *error)
{
	model->over = true;
	model->status = model->other_status = status;
	if (error != NULL && model->asked && !model->told)
		expect(model, line_last(error, error_retries(error)));
}

/* What an end inside a frame is: its word, and the exit status. */
static const char *inside(enum ending_kind ending, const char *cut, int *status)
{
	switch (ending) {
	case STALLS:
		*status = EXIT_DEADLINE;
		return "timeout";
	case TERMINATED:
		*status = EXIT_SERVED;
		return NULL;
	case FAILS:
		*status = EXIT_IO;
		return "io";
	default:
		*status = EXIT_PROTOCOL;
		return cut;
	}
}

void model_end(struct model *model, enum ending_kind ending, bool in_header)
{
	int status;
	const char *error = inside(ending, "bad-frame", &status);

	if (!in_header && status == EXIT_PROTOCOL)
		finish(model, EXIT_SERVED, NULL);
	else if (!in_header && status == EXIT_DEADLINE)
		finish(model, status, NULL);
	else
		finish(model, status, error);
}

void model_no_proxy(struct model *model)
{
	finish(model, EXIT_PROTOCOL, "bad-frame");
}

/* The stream ended in the body of a frame that was not refused before. */
void model_cut(
    struct model *model, const struct frame *frame, enum ending_kind ending)
{
	int status;
	const char *error = inside(ending, "mismatch", &status);

	model->asked = model->asked || frame->reply;
	if (error != NULL && ending != FAILS && frame->reply) {
		expect(model,
		    line_refused(frame, error, "", error_retries(error)));
		model->told = true;
	}
	finish(model, status, error);
}

void model_refuse_with(struct model *model, const struct frame *frame,
    const char *error, const char *more, bool retry)
{
	if (frame->reply)
		expect(model, line_refused(frame, error, more, retry));
	if (frame->kind == FRAME_PUT || frame->kind == FRAME_COMMIT ||
	    frame->kind == FRAME_REFUSED)
		model->failed++;
}

void model_refuse(
    struct model *model, const struct frame *frame, const char *error)
{
	model_refuse_with(model, frame, error, "", error_retries(error));
}

/* Refused before its body has come: the client may end the stream instead of
 * sending it (section 3), and nothing else may cut it short. */
void model_skip_body(struct model *model, const struct frame *frame,
    size_t arrived, enum ending_kind ending)
{
	int status;
	const char *error;

	if (arrived == frame->filesize)
		return;
	error = inside(ending, NULL, &status);
	model->told = frame->reply;
	model->asked = model->asked || frame->reply;
	finish(model, error == NULL ? EXIT_SERVED : status, error);
}

static struct content content_of(const struct frame *frame)
{
	uint8_t *bytes = arena_take(frame->filesize);

	if (frame->filesize > 0)
		memcpy(bytes, frame->body, frame->filesize);
	return (struct content){bytes, frame->filesize};
}

static void take_file(struct model *model, const struct frame *frame)
{
	struct content content = content_of(frame);
	char stored[NAME_ROOM];
	bool unchanged;
	const char *error = digest_wrong(frame, content);
	struct frame told = *frame;

	if (error == NULL)
		error =
		    store_file(model, frame, content, true, stored, &unchanged);
	if (error != NULL) {
		model_refuse(model, frame, error);
		return;
	}
	model->files++;
	model->bytes += frame->filesize;
	digest_of(content, told.sha256);
	if (frame->reply)
		expect(model, line_stored(&told, "put", stored, NULL, unchanged,
				  model->options->durable));
}

static const char *judge_put(
    struct model *model, const struct frame *frame, bool see_recent)
{
	const char *error = judge_name(model, frame->name);

	if (error == NULL &&
	    policy_of(model, frame) < (int)model->options->policy)
		error = "denied";
	if (error == NULL)
		error = enter(model, frame->name->text, true);
	if (error == NULL)
		error = judge_target(model, frame, see_recent);
	if (error == NULL)
		error = judge_size(model, frame->filesize, frame->filesize);
	return error;
}

/* What expect() was given after `mark` by two ways to see the same frame,
 * joined: at most one line each. */
static void join(struct model *model, size_t mark, struct line first)
{
	struct line second = no_line;

	if (model->expected_count > mark)
		second = model->expected[--model->expected_count].line;
	if (first.before != NULL)
		expect_one_of(model, first, second);
	else if (second.before != NULL)
		expect_one_of(model, second, first);
}

static struct line taken_back(struct model *model, size_t mark)
{
	return model->expected_count > mark
		   ? model->expected[--model->expected_count].line
		   : no_line;
}

static void put_one_way(struct model *model, const struct frame *frame,
    const char *error, size_t arrived, enum ending_kind ending)
{
	if (error != NULL) {
		model_refuse(model, frame, error);
		model_skip_body(model, frame, arrived, ending);
	} else if (arrived < frame->filesize) {
		model_cut(model, frame, ending);
	} else {
		take_file(model, frame);
	}
}

static void model_put(struct model *model, const struct frame *frame,
    size_t arrived, enum ending_kind ending)
{
	const char *error = judge_put(model, frame, true);
	const char *other = judge_put(model, frame, false);
	size_t mark = model->expected_count;
	bool asked = model->asked;
	unsigned failed = model->failed;
	struct line line;
	int status;

	put_one_way(model, frame, error, arrived, ending);
	if (error == other ||
	    (error != NULL && other != NULL && strcmp(error, other) == 0))
		return;
	/* It hangs on a file before it that may not be settled yet. */
	line = taken_back(model, mark);
	status = model->status;
	model->asked = asked;
	model->told = model->over = false;
	model->failed = failed;
	put_one_way(model, frame, other, arrived, ending);
	join(model, mark, line);
	model->other_status = status;
}

static void model_hello(struct model *model, const struct frame *frame)
{
	static const char *const policies[] = {"", "replace", "keep", "reject"};
	const struct options *options = model->options;
	char limits[80] = "";
	int n = 0;

	if (options->max_size > 0)
		n = snprintf(limits, sizeof(limits), ",\"max_size\":%" PRIu64,
		    options->max_size);
	if (options->max_session > 0)
		snprintf(limits + n, sizeof(limits) - (size_t)n,
		    ",\"max_session\":%" PRIu64, options->max_session);
	if (!frame->reply)
		return;
	expect(model,
	    line_text("{\"ok\":true,\"cmd\":\"hello\",\"protocol\":1,"
		      "\"commands\":[\"put\",\"commit\",\"stat\",\"abort\","
		      "\"end\",\"hello\"],\"if_exists\":\"%s\","
		      "\"mkdirs\":%s,\"hidden\":%s,\"durable\":%s,"
		      "\"stall\":%ld,\"keep\":%ld%s}\n",
		policies[options->policy], options->mkdirs ? "true" : "false",
		options->hidden ? "true" : "false",
		options->durable ? "true" : "false", options->stall_timeout,
		options->keep, limits));
}

static void model_summary(struct model *model, const struct frame *frame)
{
	if (frame->reply)
		expect(
		    model, line_text("{\"ok\":%s,\"cmd\":\"end\",\"files\":%u,"
				     "\"failed\":%u,\"bytes\":%" PRIu64 "}\n",
			       model->failed == 0 ? "true" : "false",
			       model->files, model->failed, model->bytes));
	finish(model, EXIT_SERVED, NULL);
}

/* Those that have no use for a body skip it before anything else. */
static void model_command(struct model *model, const struct frame *frame,
    size_t arrived, enum ending_kind ending)
{
	static void (*const commands[FRAME_KINDS])(
	    struct model * model, const struct frame *frame) = {
	    [FRAME_COMMIT] = model_commit,
	    [FRAME_STAT] = model_stat,
	    [FRAME_ABORT] = model_abort,
	    [FRAME_HELLO] = model_hello,
	    [FRAME_END] = model_summary,
	};

	if (arrived < frame->filesize)
		model_cut(model, frame, ending);
	else
		commands[frame->kind](model, frame);
}

static bool over_session(struct model *model, const struct frame *frame)
{
	uint64_t limit = model->options->max_session;

	model->announced += frame->filesize;
	if (limit == 0 || model->announced <= limit)
		return false;
	if (frame->reply)
		expect(model, line_refused(frame, "too-large", "", true));
	model->told = frame->reply;
	model->over = true;
	model->status = model->other_status = EXIT_DEADLINE;
	if (model->asked && !model->told)
		expect(model, line_last("too-large", true));
	return true;
}

void model_frame(struct model *model, const struct frame *frame, size_t arrived,
    enum ending_kind ending)
{
	if (frame->kind == FRAME_BROKEN) {
		finish(model, EXIT_PROTOCOL, "bad-frame");
		return;
	}
	if (over_session(model, frame))
		return;
	if (frame->kind == FRAME_REFUSED) {
		model_refuse(model, frame, frame->error);
		model_skip_body(model, frame, arrived, ending);
	} else if (frame->kind == FRAME_PUT) {
		model_put(model, frame, arrived, ending);
	} else if (frame->kind == FRAME_PART) {
		model_part(model, frame, arrived, ending);
	} else {
		model_command(model, frame, arrived, ending);
	}
	model->asked = model->asked || frame->reply;
}
