/*
 * pbx_truth: lists without repeats, and the truth as a line of JSON.
 */
#include "pbx_truth.h"

#include "json_put.h"

static bool has(const char *const *items, unsigned count, const char *number)
{
	for (unsigned i = 0; i < count; i++) {
		if (strcmp(items[i], number) == 0)
			return true;
	}
	return false;
}

void pbx_truth_talks(struct pbx_truth *truth, const char *number)
{
	truth->answered = true;
	if (!has(truth->talkers, truth->talker_count, number) &&
		truth->talker_count < PBX_MAX_TALKERS)
		truth->talkers[truth->talker_count++] = number;
}

void pbx_truth_rings(struct pbx_truth *truth, const char *number)
{
	if (!has(truth->rang, truth->rang_count, number) && truth->rang_count < PBX_MAX_RANG)
		truth->rang[truth->rang_count++] = number;
}

static void put_list(
	struct json_writer *writer, const char *name, const char *const *items, unsigned count)
{
	json_put_name(writer, name);
	json_open_array(writer);
	for (unsigned i = 0; i < count; i++)
		json_put_str(writer, str_from(items[i]));
	json_close_array(writer);
}

static void put_text(struct json_writer *writer, const char *name, const char *text)
{
	if (text != NULL && text[0] != '\0')
		json_put_member_str(writer, name, str_from(text));
}

static void put_time(struct json_writer *writer, const char *name, int64_t wall_ms)
{
	if (wall_ms != CALL_NO_TIME)
		json_put_member_int(writer, name, wall_ms);
}

static void put_transfers(struct json_writer *writer, const struct pbx_truth *truth)
{
	json_put_name(writer, "transfers");
	json_open_array(writer);
	for (unsigned i = 0; i < truth->transfer_count; i++) {
		json_open_object(writer);
		json_put_member_str(writer, "from", str_from(truth->transfers[i].from));
		json_put_member_str(writer, "to", str_from(truth->transfers[i].to));
		json_put_member_str(writer, "kind",
			str_from(call_transfer_kind_name(truth->transfers[i].kind)));
		json_put_member_str(writer, "result",
			str_from(call_transfer_result_name(truth->transfers[i].result)));
		json_close_object(writer);
	}
	json_close_array(writer);
}

/* Beside the transfers, which have the members of expected.jsonl and no other; one for each. */
static void put_takers(struct json_writer *writer, const struct pbx_truth *truth)
{
	const char *takers[PBX_MAX_MOVES];
	bool any = false;

	for (unsigned i = 0; i < truth->transfer_count; i++) {
		takers[i] = truth->transfers[i].taker != NULL ? truth->transfers[i].taker : "";
		any = any || takers[i][0] != '\0';
	}
	if (any)
		put_list(writer, "takers", takers, truth->transfer_count);
}

static const char *const end_names[] = {
	[PBX_END_HANGUP] = "hangup",
	[PBX_END_LEG] = "leg",
	[PBX_END_LEAVES] = "leaves",
	[PBX_END_NEVER] = "never",
};

void pbx_truth_write(const struct pbx_truth *truth, struct buf *to)
{
	struct json_writer writer;

	json_begin(&writer, to);
	json_open_object(&writer);
	json_put_member_str(&writer, "unique_id", str_from(truth->unique_id));
	json_put_member_str(&writer, "direction", str_from(call_direction_name(truth->direction)));
	json_put_member_bool(&writer, "answered", truth->answered);
	put_list(&writer, "talkers", truth->talkers, truth->talker_count);
	put_text(&writer, "external", truth->external);
	if (truth->direction == CALL_INCOMING)
		put_list(&writer, "rang", truth->rang, truth->rang_count);
	put_text(&writer, "line", truth->line);
	put_text(&writer, "line_first", truth->line_first);
	put_text(&writer, "caller", truth->caller);
	put_text(&writer, "callee", truth->callee);
	put_transfers(&writer, truth);
	put_takers(&writer, truth);
	json_put_member_str(&writer, "end", str_from(end_names[truth->end]));
	json_put_member_bool(&writer, "exact", truth->sides_known && !truth->unsettled);
	put_time(&writer, "started_ms", truth->started_ms);
	put_time(&writer, "answered_ms", truth->answered_ms);
	put_time(&writer, "ended_ms", truth->ended_ms);
	json_close_object(&writer);
}
