/*
 * runs_write: a run as JSON, for pages and scripts.
 */
#include "runs.h"

static void put_int(struct json_writer *writer, const char *name, int64_t value)
{
	json_put_name(writer, name);
	json_put_int(writer, value);
}

static void put_text(struct json_writer *writer, const char *name, struct str value)
{
	json_put_name(writer, name);
	json_put_str(writer, value);
}

static void write_step(const struct run_step *step, size_t number, struct json_writer *writer)
{
	json_open_object(writer);
	put_int(writer, "step", (int64_t)number);
	put_text(writer, "event", step->event);
	json_put_name(writer, "body");
	json_put_raw(writer, step->body.size > 0 ? step->body : STR("null"));
	put_int(writer, "status", step->status);
	put_text(writer, "answer", step->answer);
	put_int(writer, "at_ms", step->at_ms);
	put_int(writer, "took_ms", step->took_ms);
	put_text(writer, "error", str_from(step->error));
	json_close_object(writer);
}

void run_write(const struct run *run, size_t first_step, struct buf *to)
{
	static const char *const states[] = {
		[RUN_PLAYING] = "playing", [RUN_DONE] = "done", [RUN_STOPPED] = "stopped"};
	struct json_writer writer;

	json_begin(&writer, to);
	json_open_object(&writer);
	put_int(&writer, "run_id", run->id);
	put_text(&writer, "state", str_from(states[run->state]));
	put_text(&writer, "unique_id", run_unique_id(run));
	put_text(&writer, "enterprise", str_from(run->number));
	put_int(&writer, "started_ms", run->started_ms);
	put_int(&writer, "done", (int64_t)run->count);
	put_int(&writer, "total", (int64_t)run->pattern->steps.count);
	put_int(&writer, "sent", run->sent);
	put_int(&writer, "failed", run->failed);
	json_put_name(&writer, "steps");
	json_open_array(&writer);
	for (size_t i = first_step; i < run->count; i++)
		write_step(&run->steps[i], i + 1, &writer);
	json_close_array(&writer);
	json_close_object(&writer);
}
