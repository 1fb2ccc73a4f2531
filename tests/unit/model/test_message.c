/*
 * test_message: texts that the recorded calls do not show: names, long lists, hidden numbers, hostile
 * data, clocks that were set back.
 */
#include "message_office.h"

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

static void more_than_one_who_missed_it_are_folded_away(void **state)
{
	const struct office *office = *state;
	char numbers[][CALL_NUMBER_BYTES] = {"160", "375290000900", "161"};
	struct call call = call_of(CALL_INCOMING, CALL_ENDED);

	call.rang.items = numbers;
	call.rang.count = 2;
	assert_shows(&call, &office->tenant,
		"❌ Мы не подняли трубку\n💰+375 (29) "
		"000-00-01\n☎️160\n📱+375 "
		"(29) "
		"000-09-00\n"
		"📡МТС &amp; Ко\n⏰Начало звонка 12:05");
	call.rang.count = 3;
	assert_shows(&call, &office->tenant,
		"❌ Мы не подняли трубку\n💰+375 (29) 000-00-01\n"
		"<blockquote "
		"expandable>👨🏼‍💼Менеджеры:\n\n☎️160\n☎️161</"
		"blockquote>\n"
		"📱+375 (29) 000-09-00\n📡МТС &amp; Ко\n⏰Начало звонка 12:05");
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
		cmocka_unit_test(more_than_one_who_missed_it_are_folded_away),
		cmocka_unit_test(data_are_escaped),
		cmocka_unit_test(a_hidden_number_is_said_to_be_one),
		cmocka_unit_test(internal_calls_show_when_somebody_talks),
		cmocka_unit_test(what_is_not_known_is_not_shown),
		cmocka_unit_test(hours_count_as_minutes),
		cmocka_unit_test(english_is_english),
	};

	return cmocka_run_group_tests(tests, office_set_up, office_tear_down);
}
