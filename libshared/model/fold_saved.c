/*
 * fold_saved: the table by which a call's state is written and read.
 *
 * What is empty or zero is left out: most calls are two channels and a bridge, and are saved at
 * each event.
 */
#include "fold_saved.h"

static const struct json_field channel_fields[] = {
	JSON_FIELD(struct saved_channel, uid, JSON_STRING, JSON_REQUIRED),
	JSON_FIELD(struct saved_channel, local, JSON_STRING, JSON_SKIP_EMPTY),
	JSON_FIELD(struct saved_channel, number, JSON_STRING, JSON_SKIP_EMPTY),
	JSON_FIELD(struct saved_channel, peer, JSON_STRING, JSON_SKIP_EMPTY),
	JSON_FIELD(struct saved_channel, kind, JSON_INT64, JSON_SKIP_EMPTY),
	JSON_FIELD(struct saved_channel, flags, JSON_INT64, JSON_SKIP_EMPTY),
	JSON_FIELD(struct saved_channel, bridge, JSON_INT64, JSON_SKIP_EMPTY),
	JSON_FIELD(struct saved_channel, twin, JSON_INT64, JSON_SKIP_EMPTY),
	{0},
};

static const struct json_field bridge_fields[] = {
	JSON_FIELD(struct saved_bridge, id, JSON_STRING, JSON_SKIP_EMPTY),
	JSON_FIELD(struct saved_bridge, old, JSON_BOOL, JSON_SKIP_EMPTY),
	{0},
};

static const struct json_field leg_fields[] = {
	JSON_FIELD(struct saved_leg, number, JSON_STRING, JSON_REQUIRED),
	JSON_FIELD(struct saved_leg, ringing, JSON_INT64, JSON_SKIP_EMPTY),
	JSON_FIELD(struct saved_leg, answered, JSON_INT64, JSON_SKIP_EMPTY),
	JSON_FIELD(struct saved_leg, ended, JSON_INT64, JSON_SKIP_EMPTY),
	JSON_FIELD(struct saved_leg, rang, JSON_INT64, JSON_SKIP_EMPTY),
	JSON_FIELD(struct saved_leg, talked, JSON_INT64, JSON_SKIP_EMPTY),
	JSON_FIELD(struct saved_leg, flags, JSON_INT64, JSON_SKIP_EMPTY),
	{0},
};

static const struct json_field transfer_fields[] = {
	JSON_FIELD(struct saved_transfer, from, JSON_STRING, JSON_REQUIRED),
	JSON_FIELD(struct saved_transfer, to, JSON_STRING, JSON_REQUIRED),
	JSON_FIELD(struct saved_transfer, taker, JSON_STRING, JSON_SKIP_EMPTY),
	JSON_FIELD(struct saved_transfer, kind, JSON_INT64, JSON_SKIP_EMPTY),
	JSON_FIELD(struct saved_transfer, result, JSON_INT64, JSON_SKIP_EMPTY),
	JSON_FIELD(struct saved_transfer, at_ms, JSON_INT64, 0),
	JSON_FIELD(struct saved_transfer, flags, JSON_INT64, JSON_SKIP_EMPTY),
	JSON_FIELD(struct saved_transfer, by, JSON_INT64, JSON_SKIP_EMPTY),
	{0},
};

static const struct json_field ref_fields[] = {
	JSON_FIELD(struct saved_ref, number, JSON_STRING, JSON_REQUIRED),
	JSON_FIELD(struct saved_ref, ours, JSON_BOOL, JSON_SKIP_EMPTY),
	{0},
};

#define NUMBER(member) JSON_FIELD(struct saved, member, JSON_INT64, JSON_SKIP_EMPTY)
#define TIME(member)   JSON_FIELD(struct saved, member, JSON_INT64, JSON_REQUIRED)
#define TEXT(member)   JSON_FIELD(struct saved, member, JSON_STRING, JSON_SKIP_EMPTY)
#define LIST(member, item, item_fields, most)                                                      \
	{                                                                                          \
		.name = #member, .type = JSON_LIST, .offset = offsetof(struct saved, member),      \
		.flags = JSON_SKIP_EMPTY, .fields = (item_fields), .size_bytes = sizeof(item),     \
		.max_count = (most)                                                                \
	}

const struct json_field fold_saved_fields[] = {
	JSON_FIELD(struct saved, id, JSON_INT64, JSON_REQUIRED),
	NUMBER(version),
	NUMBER(direction),
	NUMBER(state),
	NUMBER(status),
	NUMBER(flags),
	NUMBER(overflow),
	NUMBER(primary),
	TIME(started),
	TIME(ended),
	TIME(last),
	TIME(closed),
	TIME(talked),
	TIME(idle),
	TIME(left),
	TIME(host_start),
	TIME(host_end),
	TEXT(external),
	JSON_FIELD(struct saved, e164, JSON_BOOL, JSON_SKIP_EMPTY),
	TEXT(caller),
	TEXT(callee),
	TEXT(talking),
	TEXT(line),
	TEXT(ours),
	JSON_FIELD(struct saved, lines, JSON_STRINGS, JSON_SKIP_EMPTY),
	LIST(legs, struct saved_leg, leg_fields, CALL_MAX_NUMBERS),
	LIST(channels, struct saved_channel, channel_fields, FOLD_MAX_CHANNELS),
	LIST(bridges, struct saved_bridge, bridge_fields, FOLD_MAX_BRIDGES),
	LIST(transfers, struct saved_transfer, transfer_fields, CALL_MAX_TRANSFERS),
	LIST(refs, struct saved_ref, ref_fields, 0),
	NUMBER(answered),
	NUMBER(picked_up),
	TEXT(shown),
	JSON_FIELD(struct saved, rang, JSON_STRINGS, JSON_SKIP_EMPTY),
	JSON_FIELD(struct saved, talkers, JSON_STRINGS, JSON_SKIP_EMPTY),
	JSON_FIELD(struct saved, mobiles, JSON_STRINGS, JSON_SKIP_EMPTY),
	{0},
};
