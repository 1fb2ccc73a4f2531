/*
 * fuzz_fold: any sequence of events over a few names and numbers.
 *
 * Eight bytes an event. Whatever comes: limits hold, messages keep within Telegram's, a call that
 * was answered stays so, and a fold that is saved and loaded goes on alike.
 */
#include "alloc.h"
#include "call_fold.h"
#include "message.h"

#include <stdlib.h>

enum { EVENT_BYTES = 8, MAX_EVENTS = 200, MAX_OPEN = 8, TEXT_BYTES = 1 << 18 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const uids[] = {"", "1.1", "1.2", "1.3", "1.4", "1.5", "1.6", "1.7"};
static const char *const bridge_ids[] = {"", "b1", "b2", "b3"};
static const char *const numbers[] = {"", "151", "152", "300", "375290000001", "+375290000001",
	"375290000900", "0001363", "80290000001", "<b>&", "3880004", "101", "152151", "1",
	"anonymous", "9999999999999999999999999"};
static const char *const channels[] = {"", "SIP/151-1", "SIP/152-2", "SIP/0001363-3",
	"Local/152@d-0;1", "Local/152@d-0;2", "Local/375290000900@e-1;1",
	"Local/375290000900@e-1;2", "Local/300@d-2;1", "Local/300@d-2;2", "Local/;1", "Local/",
	"SIP", "Local/152@d-0;3"};
static const char *const trunks[] = {"", "0001363", "0001366", "office"};

#define PICK(list, byte) str_from((list)[(byte) % (sizeof(list) / sizeof((list)[0]))])

static struct call_event event_of(const uint8_t *bytes, struct str extensions[2], int64_t *at_ms)
{
	static const int64_t steps[] = {0, 1, 500, 3000, 11000, 60000, 700000, 20000000};
	struct call_event event = {
		.at_ms = *at_ms += steps[bytes[0] >> 5],
		.type = (enum call_event_type)(bytes[0] % EVENT_TYPES),
		.unique_id = PICK(uids, bytes[1]),
		.bridge_id = PICK(bridge_ids, bytes[1] >> 3),
		.trunk = PICK(trunks, bytes[1] >> 5),
		.phone = PICK(numbers, bytes[2]),
		.caller_id_num = PICK(numbers, bytes[2]),
		.connected_num = PICK(numbers, bytes[3]),
		.exten = PICK(numbers, bytes[3] >> 4),
		.channel = PICK(channels, bytes[4]),
		.external_initiated = (bytes[4] & 0x80) != 0,
		.call_type = (bytes[5] & 3) - 1,
		.call_status = (bytes[5] & 0x10) != 0	? 2
			       : (bytes[5] & 0x20) != 0 ? 0
							: -1,
		.bridge_channels = -1,
		.start_ms = (bytes[5] & 0x40) != 0 ? *at_ms - 5000 : CALL_NO_TIME,
		.received_ms = CALL_NO_TIME,
		.end_ms = (bytes[5] & 0x80) != 0 ? *at_ms : CALL_NO_TIME,
	};

	extensions[0] = PICK(numbers, bytes[6]);
	extensions[1] = PICK(numbers, bytes[7]);
	event.extensions = (struct json_strings){extensions, bytes[6] >> 6 & 3};
	if (event.extensions.count > 2)
		event.extensions.count = 2;
	return event;
}

static size_t utf16_units(struct str text)
{
	size_t count = 0;

	for (size_t i = 0; i < text.size; i++) {
		count += ((unsigned char)text.data[i] & 0xc0) != 0x80;
		count += (unsigned char)text.data[i] >= 0xf0;
	}
	return count;
}

/* Every < opens or ends one of the two tags that we use. */
static void check_html(struct str text)
{
	static const char open[] = "<blockquote expandable>", close[] = "</blockquote>";
	int depth = 0;

	for (size_t i = 0; i < text.size; i++) {
		struct str rest = str_of(text.data + i, text.size - i);

		if (text.data[i] != '<')
			continue;
		if (str_starts(rest, str_from(open)))
			depth++;
		else if (str_starts(rest, str_from(close)))
			depth--;
		else
			abort();
		if (depth < 0 || depth > 1)
			abort();
	}
	if (depth != 0)
		abort();
}

static void check_message(const struct call *call, const char *locale)
{
	const struct tenant tenant = {.number = "0367",
		.name = "june",
		.locale = locale,
		.country = "BY",
		.recording_base = ""};
	struct buf text;

	buf_init(&text, MESSAGE_MAX_BYTES);
	const struct message_view view = {
		.call = call, .tenant = &tenant, .recording_url = "", .details_url = ""};

	if (message_render(&view, &text)) {
		if (text.failed || text.size == 0 || !str_is_utf8(buf_str(&text)) ||
			utf16_units(buf_str(&text)) > MESSAGE_MAX_CHARACTERS)
			abort();
		check_html(buf_str(&text));
	} else if (text.size != 0) {
		abort();
	}
	buf_free(&text);
}

static void check_call(const struct call *call)
{
	bool ended = call->state == CALL_ENDED || call->state == CALL_LOST;

	if (call->rang.count > CALL_MAX_NUMBERS || call->talkers.count > CALL_MAX_NUMBERS ||
		call->unique_id_count > CALL_MAX_NUMBERS ||
		call->transfer_count > CALL_MAX_TRANSFERS)
		abort();
	if (call_ring_seconds(call) < -1 || call_talk_seconds(call) < -1)
		abort();
	if (call->ended_ms != CALL_NO_TIME && call->ended_ms < call->started_ms)
		abort();
	if (call->talkers.count > 0 && !call->answered)
		abort();
	if (ended && call->talking[0] != '\0')
		abort();
	if (call->version == 0)
		abort();
	check_message(call, "ru");
	check_message(call, "en");
}

static struct call_fold *new_fold(void)
{
	const struct call_fold_rules rules = {.country = "BY", .max_open_calls = MAX_OPEN};

	return call_fold_new(&rules);
}

/* The same fold, by way of its saved calls, which must read back as they were. */
static struct call_fold *reloaded(struct call_fold *fold, int64_t last_id)
{
	struct call_fold *next = new_fold();
	struct buf saved, again;
	struct error error = {0};

	buf_init(&saved, TEXT_BYTES);
	buf_init(&again, TEXT_BYTES);
	for (int64_t id = 1; id <= last_id; id++) {
		buf_clear(&saved);
		buf_clear(&again);
		if (!call_fold_save(fold, id, &saved))
			continue;
		if (!call_fold_load(next, buf_str(&saved), &error) ||
			!call_fold_save(next, id, &again) ||
			!str_equal(buf_str(&saved), buf_str(&again)))
			abort();
	}
	if (call_fold_open(next) != call_fold_open(fold) ||
		call_fold_remembered(next) != call_fold_remembered(fold) ||
		call_fold_due_ms(next) != call_fold_due_ms(fold))
		abort();
	buf_free(&saved);
	buf_free(&again);
	call_fold_free(&fold);
	return next;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct call_fold *fold = new_fold();
	struct call_changes changes;
	struct str extensions[2];
	int64_t at_ms = INT64_C(1757840723000);
	int64_t id = 0;

	for (; size >= EVENT_BYTES && id < MAX_EVENTS; size -= EVENT_BYTES, data += EVENT_BYTES) {
		struct call_event event = event_of(data, extensions, &at_ms);

		event.id = ++id;
		call_fold_event(fold, &event, &changes);
		for (unsigned i = 0; i < changes.count; i++) {
			if (changes.items[i].merged_into == 0)
				check_call(changes.items[i].call);
		}
		if (call_fold_open(fold) > MAX_OPEN)
			abort();
		if (id % 16 == 0)
			fold = reloaded(fold, id);
	}
	call_fold_tick(fold, at_ms + INT64_C(100000000), &changes);
	if (call_fold_open(fold) != 0)
		abort();
	call_fold_free(&fold);
	return 0;
}
