/*
 * runs_write: a run as JSON, for pages and scripts. Apart from runs.c, which knows how a call is
 * played and not how it is told. The token is masked in the bodies already.
 */
#include "json_put.h"
#include "runs.h"

static void write_step(const struct run_step *step, size_t number, struct json_writer *writer)
{
	json_open_object(writer);
	json_put_member_int(writer, "step", (int64_t)number);
	json_put_member_str(writer, "event", step->event);
	json_put_member_raw(writer, "body", step->body.size > 0 ? step->body : STR("null"));
	json_put_member_int(writer, "status", step->status);
	json_put_member_str(writer, "answer", step->answer);
	json_put_member_int(writer, "at_ms", step->at_ms);
	json_put_member_int(writer, "took_ms", step->took_ms);
	json_put_member_str(writer, "error", str_from(step->error));
	json_close_object(writer);
}

void run_write(const struct run *run, size_t first_step, struct buf *to)
{
	static const char *const states[] = {
		[RUN_PLAYING] = "playing", [RUN_DONE] = "done", [RUN_STOPPED] = "stopped"};
	struct json_writer writer;

	json_begin(&writer, to);
	json_open_object(&writer);
	json_put_member_int(&writer, "run_id", run->id);
	json_put_member_str(&writer, "state", str_from(states[run->state]));
	json_put_member_str(&writer, "unique_id", run_unique_id(run));
	json_put_member_str(&writer, "enterprise", str_from(run->number));
	json_put_member_int(&writer, "started_ms", run->started_ms);
	json_put_member_int(&writer, "done", (int64_t)run->count);
	json_put_member_int(&writer, "total", (int64_t)run->pattern->steps.count);
	json_put_member_int(&writer, "sent", run->sent);
	json_put_member_int(&writer, "failed", run->failed);
	json_put_name(&writer, "steps");
	json_open_array(&writer);
	/* A reader who follows gets each step once: they may be long. */
	for (size_t i = first_step; i < run->count; i++)
		write_step(&run->steps[i], i + 1, &writer);
	json_close_array(&writer);
	json_close_object(&writer);
}
