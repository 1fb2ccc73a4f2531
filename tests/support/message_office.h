/*
 * message_office: an enterprise with people, a line and a zone, and calls to show, for tests of messages.
 */
#ifndef CALLWEAVE_TESTS_MESSAGE_OFFICE_H
#define CALLWEAVE_TESTS_MESSAGE_OFFICE_H

#include "fold_corpus.h"
#include "message.h"

#define VIEW(of_call, of_tenant)                                                                   \
	&(const struct message_view)                                                               \
	{                                                                                          \
		.call = (of_call), .tenant = (of_tenant), .recording_url = "", .details_url = ""   \
	}

enum { SHOWN = 8 };

struct office {
	struct tenant tenant;
	struct clock_zone *zone;
	struct table *managers, *lines;
	struct tenant_manager people[SHOWN];
	struct tenant_line line;
};

static inline int office_set_up(void **state)
{
	struct office *office = alloc_zeroed(1, sizeof(*office));

	office->zone = clock_zone_new("Europe/Minsk");
	office->managers = table_new();
	office->lines = table_new();
	office->people[0] = (struct tenant_manager){"Иванов", "Пётр", "Ильич"};
	office->people[1] = (struct tenant_manager){"Доб.152", "", ""};
	office->people[2] = (struct tenant_manager){"", "Анна", ""};
	office->people[3] = (struct tenant_manager){"<b>&\"Жук\"", "", ""};
	table_put(office->managers, STR("151"), &office->people[0]);
	table_put(office->managers, STR("152"), &office->people[1]);
	table_put(office->managers, STR("153"), &office->people[2]);
	table_put(office->managers, STR("154"), &office->people[3]);
	office->line.name = "МТС & Ко";
	table_put(office->lines, STR("0001363"), &office->line);
	office->tenant = (struct tenant){.number = "0367",
		.name = "june",
		.locale = "ru",
		.country = "BY",
		.zone = office->zone,
		.managers = office->managers,
		.lines = office->lines,
		.recording_base = ""};
	*state = office;
	return 0;
}

static inline int office_tear_down(void **state)
{
	struct office *office = *state;

	table_free(&office->managers);
	table_free(&office->lines);
	clock_zone_free(&office->zone);
	free(office);
	return 0;
}

static inline struct call call_of(enum call_direction direction, enum call_state state)
{
	struct call call = {.id = 1,
		.direction = direction,
		.state = state,
		.call_status = -1,
		.external = "+375290000001",
		.line = "0001363",
		.started_ms = INT64_C(1757840723000),
		.answered_ms = CALL_NO_TIME,
		.ended_ms = CALL_NO_TIME};

	return call;
}

static inline void assert_shows(
	const struct call *call, const struct tenant *tenant, const char *expected)
{
	struct buf text;

	buf_init(&text, MESSAGE_MAX_BYTES);
	assert_true(message_render(VIEW(call, tenant), &text));
	assert_string_equal(text.data, expected);
	buf_free(&text);
}

static inline void assert_hidden(const struct call *call, const struct tenant *tenant)
{
	struct buf text;

	buf_init(&text, MESSAGE_MAX_BYTES);
	assert_false(message_render(VIEW(call, tenant), &text));
	assert_int_equal(text.size, 0);
	buf_free(&text);
}

/* 15 September 2025, 20:17 in Minsk. */
#define LAST_MS INT64_C(1757956620000)

static inline void assert_view_shows(const struct message_view *view, const char *expected)
{
	struct buf text;

	buf_init(&text, MESSAGE_MAX_BYTES);
	assert_true(message_render(view, &text));
	assert_string_equal(text.data, expected);
	buf_free(&text);
}

static inline struct message_view view_of(const struct call *call, const struct tenant *tenant)
{
	return *VIEW(call, tenant);
}

static inline struct message_customer customer_of(unsigned calls)
{
	return (struct message_customer){.name = "ООО <Ромашка>",
		.calls = calls,
		.last_ms = LAST_MS,
		.last_answered = true,
		.last_direction = CALL_INCOMING,
		.last_extension = "151"};
}

static inline struct call_transfer transfer_of(
	const char *from, const char *to, enum call_transfer_result result)
{
	struct call_transfer transfer = {.kind = TRANSFER_ATTENDED, .result = result};

	str_copy(transfer.from, sizeof(transfer.from), str_from(from));
	str_copy(transfer.to, sizeof(transfer.to), str_from(to));
	return transfer;
}

#endif
