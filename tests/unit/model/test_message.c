/*
 * test_message: texts that the recorded calls do not show: names, long lists, hidden numbers,
 * hostile data, limits.
 */
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

static int set_up(void **state)
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

static int tear_down(void **state)
{
	struct office *office = *state;

	table_free(&office->managers);
	table_free(&office->lines);
	clock_zone_free(&office->zone);
	free(office);
	return 0;
}

static struct call call_of(enum call_direction direction, enum call_state state)
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

static void assert_shows(const struct call *call, const struct tenant *tenant, const char *expected)
{
	struct buf text;

	buf_init(&text, MESSAGE_MAX_BYTES);
	assert_true(message_render(VIEW(call, tenant), &text));
	assert_string_equal(text.data, expected);
	buf_free(&text);
}

static void assert_hidden(const struct call *call, const struct tenant *tenant)
{
	struct buf text;

	buf_init(&text, MESSAGE_MAX_BYTES);
	assert_false(message_render(VIEW(call, tenant), &text));
	assert_int_equal(text.size, 0);
	buf_free(&text);
}

static void names_stand_before_extensions(void **state)
{
	const struct office *office = *state;
	char numbers[][CALL_NUMBER_BYTES] = {"151", "152", "153", "375290000900"};
	struct call call = call_of(CALL_INCOMING, CALL_RINGING);

	call.rang.items = numbers;
	call.rang.count = 4;
	assert_shows(&call, &office->tenant,
		"📞 Входящий звонок\n💰+375 (29) 000-00-01 "
		"➡️\n☎️Иванов "
		"Пётр "
		"Ильич "
		"(151)\n☎️(152)\n"
		"☎️Анна (153)\n📡МТС &amp; Ко");
}

static void more_than_four_are_folded_away(void **state)
{
	const struct office *office = *state;
	char numbers[][CALL_NUMBER_BYTES] = {"151", "152", "153", "160", "161"};
	struct call call = call_of(CALL_INCOMING, CALL_RINGING);

	call.rang.items = numbers;
	call.rang.count = 5;
	assert_shows(&call, &office->tenant,
		"📞 Входящий звонок\n💰+375 (29) 000-00-01 ➡️\n<blockquote "
		"expandable>👨🏼‍💼Менеджеры "
		"(5):\n\n☎️Иванов Пётр Ильич (151)\n☎️(152)\n☎️Анна "
		"(153)\n☎️(160)\n☎️(161)"
		"</blockquote>\n📡МТС &amp; Ко");
}

static void data_are_escaped(void **state)
{
	const struct office *office = *state;
	struct call call = call_of(CALL_OUTGOING, CALL_RINGING);

	str_copy(call.caller, CALL_NUMBER_BYTES, STR("154"));
	str_copy(call.external, CALL_NUMBER_BYTES, STR("<unknown>&"));
	str_copy(call.line, CALL_NUMBER_BYTES, STR("a<b>\nc"));
	assert_shows(&call, &office->tenant,
		"📞 Исходящий звонок\n☎️&lt;b&gt;&amp;&quot;Жук&quot; "
		"(154) "
		"➡️ "
		"💰&lt;unknown&gt;&amp;\n"
		"Линия: a&lt;b&gt; c");
}

static void a_hidden_number_is_said_to_be_one(void **state)
{
	const struct office *office = *state;
	struct call call = call_of(CALL_INCOMING, CALL_GREETING);

	call.external[0] = '\0';
	assert_shows(&call, &office->tenant,
		"💰Номер не определен ➡️ Приветствие\n📡МТС "
		"&amp; "
		"Ко");
	str_copy(call.external, CALL_NUMBER_BYTES, STR("+000123"));
	assert_shows(&call, &office->tenant,
		"💰Номер не определен ➡️ Приветствие\n📡МТС "
		"&amp; "
		"Ко");
}

static void internal_calls_show_when_somebody_talks(void **state)
{
	const struct office *office = *state;
	struct call call = call_of(CALL_INTERNAL, CALL_RINGING);

	call.external[0] = call.line[0] = '\0';
	str_copy(call.caller, CALL_NUMBER_BYTES, STR("151"));
	str_copy(call.callee, CALL_NUMBER_BYTES, STR("152"));
	assert_hidden(&call, &office->tenant);
	call.state = CALL_TALKING;
	assert_shows(&call, &office->tenant,
		"🔗 Идет внутренний разговор\n☎️Иванов Пётр "
		"Ильич "
		"(151) "
		"📞➡️ "
		"☎️152📞");
	call.state = CALL_LOST;
	assert_hidden(&call, &office->tenant);
}

static void what_is_not_known_is_not_shown(void **state)
{
	const struct office *office = *state;
	struct call call = call_of(CALL_UNKNOWN, CALL_RINGING);

	assert_hidden(&call, &office->tenant);
	call.state = CALL_TALKING;
	assert_hidden(&call, &office->tenant);
	call.state = CALL_LOST;
	assert_hidden(&call, &office->tenant);
	call = call_of(CALL_INCOMING, CALL_LOST);
	assert_shows(&call, &office->tenant,
		"⚠️ Чем закончился звонок, неизвестно\n💰+375 "
		"(29) "
		"000-00-01\n📡МТС "
		"&amp; "
		"Ко\n"
		"⏰Начало звонка 12:05");
}

static void hours_count_as_minutes(void **state)
{
	const struct office *office = *state;
	char talkers[][CALL_NUMBER_BYTES] = {"160"};
	struct call call = call_of(CALL_INCOMING, CALL_ENDED);

	call.answered = true;
	call.talkers.items = talkers;
	call.talkers.count = 1;
	call.ended_ms = call.started_ms + (3 * 3600 + 62) * 1000;
	assert_shows(&call, &office->tenant,
		"✅Успешный входящий звонок\n💰+375 (29) "
		"000-00-01\n☎️160\n📡МТС "
		"&amp; "
		"Ко\n"
		"⏰Начало звонка 12:05\n⌛ Длительность: 181:02");
	call.ended_ms = call.started_ms - 1; /* a host's clock that was set back */
	assert_shows(&call, &office->tenant,
		"✅Успешный входящий звонок\n💰+375 (29) "
		"000-00-01\n☎️160\n📡МТС "
		"&amp; "
		"Ко\n"
		"⏰Начало звонка 12:05");
}

static size_t utf16_units(const char *text)
{
	size_t count = 0;

	for (; *text != '\0'; text++) {
		count += ((unsigned char)*text & 0xc0) != 0x80;
		count += (unsigned char)*text >= 0xf0;
	}
	return count;
}

/* The longest names that fit, all in characters that take most room, for all that can ring. */
static void limits_hold(void **state)
{
	const struct office *office = *state;
	struct tenant tenant = office->tenant;
	struct table *managers = table_new();
	struct call call = call_of(CALL_INCOMING, CALL_RINGING);
	char numbers[CALL_MAX_NUMBERS][CALL_NUMBER_BYTES];
	char name[181];
	struct tenant_manager longest = {name, name, name};
	struct buf text;

	for (size_t i = 0; i + 4 < sizeof(name); i += 4)
		memcpy(name + i, i % 8 == 0 ? "😀" : "&&&&", 4);
	name[180] = '\0';
	for (int i = 0; i < CALL_MAX_NUMBERS; i++) {
		snprintf(numbers[i], CALL_NUMBER_BYTES, "%d", 1000 + i);
		table_put(managers, str_from(numbers[i]), &longest);
	}
	tenant.managers = managers;
	call.rang.items = numbers;
	call.rang.count = CALL_MAX_NUMBERS;
	for (int states = CALL_GREETING; states <= CALL_LOST; states++) {
		buf_init(&text, MESSAGE_MAX_BYTES);
		call.state = (enum call_state)states;
		assert_true(message_render(VIEW(&call, &tenant), &text));
		assert_false(text.failed);
		assert_true(utf16_units(text.data) <= MESSAGE_MAX_CHARACTERS);
		assert_true(str_is_utf8(buf_str(&text)));
		buf_free(&text);
	}
	call.state = CALL_ENDED;
	call.answered = true;
	call.talkers = call.rang;
	buf_init(&text, MESSAGE_MAX_BYTES);
	assert_true(message_render(VIEW(&call, &tenant), &text));
	assert_false(text.failed);
	assert_true(utf16_units(text.data) <= MESSAGE_MAX_CHARACTERS);
	buf_free(&text);
	call.answered = false;
	call.state = CALL_RINGING;
	buf_init(&text, MESSAGE_MAX_BYTES);
	message_render(VIEW(&call, &tenant), &text);
	assert_non_null(strstr(text.data, "\n…</blockquote>\n📡"));
	buf_free(&text);
	table_free(&managers);
}

static void english_is_english(void **state)
{
	const struct office *office = *state;
	struct tenant tenant = office->tenant;
	struct call call = call_of(CALL_OUTGOING, CALL_ENDED);

	tenant.locale = "en";
	tenant.lines = NULL;
	tenant.managers = NULL;
	str_copy(call.caller, CALL_NUMBER_BYTES, STR("151"));
	call.ended_ms = call.started_ms + 3000;
	assert_shows(&call, &tenant,
		"❌ They did not answer\n☎️151\n💰+375 (29) 000-00-01\n📡Line 0001363\n"
		"⏰Call started 12:05\n⌛ Rang for: 00:03");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_stand_before_extensions),
		cmocka_unit_test(more_than_four_are_folded_away),
		cmocka_unit_test(data_are_escaped),
		cmocka_unit_test(a_hidden_number_is_said_to_be_one),
		cmocka_unit_test(internal_calls_show_when_somebody_talks),
		cmocka_unit_test(what_is_not_known_is_not_shown),
		cmocka_unit_test(hours_count_as_minutes),
		cmocka_unit_test(limits_hold),
		cmocka_unit_test(english_is_english),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
