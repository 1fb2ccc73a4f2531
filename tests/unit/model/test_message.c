/*
 * test_message: texts that the recorded calls do not show: names, long lists, hidden numbers, what is
 * known of the client, transfers, recordings, texts of one's own, hostile data, limits.
 */
#include "fold_corpus.h"
#include "html.h"
#include "message.h"
#include "message_grammar.h"
#include "message_texts.h"

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

/* -- what the rest of the view adds --------------------------------------------------------------- */

/* 15 September 2025, 20:17 in Minsk. */
#define LAST_MS INT64_C(1757956620000)

static void assert_view_shows(const struct message_view *view, const char *expected)
{
	struct buf text;

	buf_init(&text, MESSAGE_MAX_BYTES);
	assert_true(message_render(view, &text));
	assert_string_equal(text.data, expected);
	buf_free(&text);
}

static struct message_view view_of(const struct call *call, const struct tenant *tenant)
{
	return *VIEW(call, tenant);
}

static struct message_customer customer_of(unsigned calls)
{
	return (struct message_customer){.name = "ООО <Ромашка>",
		.calls = calls,
		.last_ms = LAST_MS,
		.last_answered = true,
		.last_direction = CALL_INCOMING,
		.last_extension = "151"};
}

static void the_client_is_named_with_a_history(void **state)
{
	const struct office *office = *state;
	struct call call = call_of(CALL_INCOMING, CALL_GREETING);
	struct message_customer customer = customer_of(3);
	struct message_view view = view_of(&call, &office->tenant);

	view.customer = &customer;
	assert_view_shows(&view,
		"💰+375 (29) 000-00-01 (ООО &lt;Ромашка&gt;) ➡️ Приветствие\n📡МТС &amp; "
		"Ко\n"
		"Звонил: 3 раза\nПоследний раз: 15.09.2025 в 20:17\n"
		"✅ Разговаривал: ☎️Иванов Пётр Ильич (151)");
	call.state = CALL_ENDED;
	call.ended_ms = call.started_ms + 46000;
	customer.black_list = true;
	assert_view_shows(&view,
		"❌ Мы не подняли трубку\n💰+375 (29) 000-00-01 (ООО &lt;Ромашка&gt;)\n"
		"⛔ Чёрный список\n📡МТС &amp; Ко\n"
		"Звонил: 3 раза\nПоследний раз: 15.09.2025 в 20:17\n"
		"⏰Начало звонка 12:05\n⌛ Дозванивался: 00:46");
	customer = customer_of(0);
	customer.name = "";
	assert_view_shows(&view, "❌ Мы не подняли трубку\n💰+375 (29) 000-00-01\n📡МТС &amp; Ко\n"
				 "⏰Начало звонка 12:05\n⌛ Дозванивался: 00:46");
}

static void history_tells_how_the_last_call_ended(void **state)
{
	static const struct {
		enum call_direction direction;
		bool answered;
		const char *extension, *last_line;
	} rows[] = {
		{CALL_INCOMING, true, "", "✅ Разговаривал"},
		{CALL_OUTGOING, true, "160", "✅ Разговаривал: ☎️160"},
		{CALL_INCOMING, false, "160", "❌ Мы не подняли трубку"},
		{CALL_OUTGOING, false, "", "❌ Клиент не поднял трубку"},
		{CALL_UNKNOWN, false, "", "❌ Не ответили"},
	};
	const struct office *office = *state;
	struct call call = call_of(CALL_INCOMING, CALL_RINGING);
	struct message_customer customer = customer_of(1);
	struct message_view view = view_of(&call, &office->tenant);
	char expected[400];

	view.customer = &customer;
	customer.name = "";
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		customer.last_direction = rows[i].direction;
		customer.last_answered = rows[i].answered;
		customer.last_extension = rows[i].extension;
		snprintf(expected, sizeof(expected),
			"📞 Входящий звонок\n💰+375 (29) 000-00-01\n📡МТС &amp; Ко\n"
			"Звонил: 1 раз\nПоследний раз: 15.09.2025 в 20:17\n%s",
			rows[i].last_line);
		assert_view_shows(&view, expected);
	}
	customer.last_ms = CALL_NO_TIME;
	assert_view_shows(
		&view, "📞 Входящий звонок\n💰+375 (29) 000-00-01\n📡МТС &amp; Ко\nЗвонил: 1 раз");
}

static void dates_are_those_of_the_zone(void **state)
{
	const struct office *office = *state;
	struct tenant tenant = office->tenant;
	struct clock_zone *zone = clock_zone_new("Pacific/Auckland");
	struct call call = call_of(CALL_INCOMING, CALL_GREETING);
	struct message_customer customer = customer_of(2);
	struct message_view view = view_of(&call, &tenant);

	tenant.zone = zone;
	tenant.locale = "en";
	customer.last_answered = false;
	view.customer = &customer;
	assert_view_shows(&view,
		"💰+375 (29) 000-00-01 (ООО &lt;Ромашка&gt;) ➡️ Greeting\n📡МТС &amp; "
		"Ко\n"
		"Called: 2 times\nLast time: 16.09.2025 at 05:17\n❌ We did not answer");
	clock_zone_free(&zone);
}

static void assert_genitive(const char *surname, const char *expected)
{
	struct buf bent;

	buf_init(&bent, 100);
	grammar_add_genitive_ru(str_from(surname), &bent);
	assert_string_equal(bent.data, expected);
	buf_free(&bent);
}

static void grammar_is_russian(void **state)
{
	static const struct {
		unsigned number, form;
	} rows[] = {{0, 2}, {1, 0}, {2, 1}, {4, 1}, {5, 2}, {10, 2}, {11, 2}, {12, 2}, {14, 2},
		{15, 2}, {20, 2}, {21, 0}, {22, 1}, {25, 2}, {100, 2}, {101, 0}, {111, 2}, {112, 2},
		{121, 0}, {1004, 1}, {1011, 2}, {4294967295U, 2}};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_int_equal(grammar_plural_ru(rows[i].number), rows[i].form);
	assert_genitive("Иванов", "Иванова");
	assert_genitive("Петрова", "Петровой");
	assert_genitive("Ковалёва", "Ковалёвой");
	assert_genitive("Савицкий", "Савицкого");
	assert_genitive("Савицкая", "Савицкой");
	assert_genitive("Пушкин", "Пушкина");
	assert_genitive("Шевченко", "Шевченко");
	assert_genitive("Лев", "Лев");
	assert_genitive("Smith", "Smith");
}

/* -- transfers ------------------------------------------------------------------------------------ */

static struct call_transfer transfer_of(
	const char *from, const char *to, enum call_transfer_result result)
{
	struct call_transfer transfer = {.kind = TRANSFER_ATTENDED, .result = result};

	str_copy(transfer.from, sizeof(transfer.from), str_from(from));
	str_copy(transfer.to, sizeof(transfer.to), str_from(to));
	return transfer;
}

#define CALLER_LINE "\n💰+375 (29) 000-00-01\n"
#define LINE_ENDED  "\n📡МТС &amp; Ко\n⏰Начало звонка 12:05"
#define TALKING_TO                                                                                 \
	"🔗 Идет входящий разговор\n💰+375 (29) 000-00-01📞 ➡️ "
#define LINE_TALK "\n📡 МТС &amp; Ко"

static void a_chain_of_transfers_is_told(void **state)
{
	const struct office *office = *state;
	char talkers[][CALL_NUMBER_BYTES] = {"151", "160", "153"};
	struct call_transfer transfers[] = {transfer_of("151", "160", TRANSFER_ACCEPTED),
		transfer_of("160", "162", TRANSFER_REFUSED),
		transfer_of("160", "163", TRANSFER_UNANSWERED),
		transfer_of("160", "153", TRANSFER_ACCEPTED)};
	struct call call = call_of(CALL_INCOMING, CALL_TALKING);

	call.answered = true;
	call.talkers.items = talkers;
	call.transfers = transfers;
	call.talkers.count = call.transfer_count = 2;
	str_copy(call.talking, CALL_NUMBER_BYTES, STR("160"));
	assert_shows(&call, &office->tenant,
		TALKING_TO "☎️160 (переведен от Иванова)" LINE_TALK);
	call.state = CALL_ENDED;
	assert_shows(&call, &office->tenant,
		"✅Успешный входящий звонок" CALLER_LINE
		"☎️160 [переведен от Иванова]" LINE_ENDED);
	call.talkers.count = 3;
	call.transfer_count = 4;
	assert_shows(&call, &office->tenant,
		"✅Успешный входящий звонок" CALLER_LINE
		"☎️Анна (153) [2 перевода: Иванов→160→153]" LINE_ENDED);
	call.state = CALL_TALKING;
	str_copy(call.talking, CALL_NUMBER_BYTES, STR("153"));
	assert_shows(&call, &office->tenant,
		TALKING_TO "☎️Анна (153) (переведен от 160)" LINE_TALK);
}

/* Who refused has not talked to the client, and a transfer that was taken back is over. */
static void a_transfer_that_came_to_nothing_is_not_told(void **state)
{
	const struct office *office = *state;
	char talkers[][CALL_NUMBER_BYTES] = {"160", "161"};
	struct call_transfer transfers[] = {transfer_of("160", "161", TRANSFER_REFUSED)};
	struct call call = call_of(CALL_INCOMING, CALL_TALKING);

	call.answered = true;
	call.talkers.items = talkers;
	call.talkers.count = call.transfer_count = 1;
	call.transfers = transfers;
	str_copy(call.talking, CALL_NUMBER_BYTES, STR("160"));
	assert_shows(&call, &office->tenant, TALKING_TO "☎️160" LINE_TALK);
	transfers[0].result = TRANSFER_ACCEPTED; /* and then 160 took the client back */
	call.talkers.count = 2;
	assert_shows(&call, &office->tenant, TALKING_TO "☎️160" LINE_TALK);
	call.state = CALL_ENDED;
	call.talkers.count = 1;
	transfers[0].result = TRANSFER_UNANSWERED;
	assert_shows(&call, &office->tenant,
		"✅Успешный входящий звонок" CALLER_LINE "☎️160" LINE_ENDED);
}

static void followme_names_who_took_it(void **state)
{
	const struct office *office = *state;
	char talkers[][CALL_NUMBER_BYTES] = {"151", "375290000900"};
	struct call_transfer transfers[] = {transfer_of("151", "300", TRANSFER_ACCEPTED)};
	struct call call = call_of(CALL_INCOMING, CALL_ENDED);

	transfers[0].follow_me = true;
	str_copy(transfers[0].taker, CALL_NUMBER_BYTES, STR("375290000900"));
	call.answered = true;
	call.talkers.items = talkers;
	call.talkers.count = 2;
	call.transfers = transfers;
	call.transfer_count = 1;
	assert_shows(&call, &office->tenant,
		"✅Успешный входящий звонок [FollowMe]" CALLER_LINE
		"📱Принят на: мобильный +375 (29) 000-09-00 [переведен от Иванова]" LINE_ENDED);
	transfers[0].taker[0] = '\0'; /* not known, but the talker is */
	assert_shows(&call, &office->tenant,
		"✅Успешный входящий звонок [FollowMe]" CALLER_LINE
		"📱Принят на: мобильный +375 (29) 000-09-00 [переведен от Иванова]" LINE_ENDED);
}

static void followme_shows_while_it_rings(void **state)
{
	const struct office *office = *state;
	char rang[][CALL_NUMBER_BYTES] = {"300", "160"};
	struct call_leg legs[] = {{.number = "300", .follow_me = true, .answered_ms = CALL_NO_TIME},
		{.number = "160", .answered_ms = LAST_MS}};
	struct call call = call_of(CALL_INCOMING, CALL_RINGING);

	call.rang = (struct call_numbers){rang, 2};
	call.legs = legs;
	call.leg_count = 2;
	assert_shows(&call, &office->tenant,
		"📞 Входящий звонок\n💰+375 (29) 000-00-01 ➡️ "
		"[FollowMe]\n☎️(300)\n☎️(160)"
		"\n📡МТС &amp; Ко");
	call.state = CALL_ENDED; /* 160 took it, not the FollowMe */
	call.answered = true;
	call.talkers = (struct call_numbers){rang + 1, 1};
	assert_shows(&call, &office->tenant,
		"✅Успешный входящий звонок" CALLER_LINE "☎️160" LINE_ENDED);
}

/* -- lines, recordings, recovered calls ----------------------------------------------------------- */

static void a_busy_line_and_its_backup_are_told(void **state)
{
	const struct office *office = *state;
	struct call call = call_of(CALL_OUTGOING, CALL_RINGING);

	str_copy(call.caller, CALL_NUMBER_BYTES, STR("160"));
	str_copy(call.line_first, CALL_NUMBER_BYTES, STR("0001366"));
	assert_shows(&call, &office->tenant,
		"📞 Исходящий звонок\n☎️160 ➡️ 💰+375 (29) 000-00-01\n"
		"📡Линия 0001366 ⚠️ЗАНЯТА → резерв МТС &amp; Ко");
	call.state = CALL_ENDED;
	assert_shows(&call, &office->tenant,
		"❌ Абонент не поднял трубку\n☎️160\n💰+375 (29) "
		"000-00-01\n"
		"📡МТС &amp; Ко [резерв]\n⏰Начало звонка 12:05");
	str_copy(call.line_first, CALL_NUMBER_BYTES, STR("0001363"));
	assert_shows(&call, &office->tenant,
		"❌ Абонент не поднял трубку\n☎️160\n💰+375 (29) "
		"000-00-01" LINE_ENDED);
}

static void a_recording_is_linked_once_it_exists(void **state)
{
	const struct office *office = *state;
	struct call call = call_of(CALL_OUTGOING, CALL_ENDED);
	struct message_view view = view_of(&call, &office->tenant);

	call.answered = true;
	call.ended_ms = call.started_ms + 5000;
	str_copy(call.caller, CALL_NUMBER_BYTES, STR("160"));
	view.recording_url = "https://calls.example/file/1?a=1&b=\"2\"";
	assert_view_shows(&view,
		"✅Успешный исходящий звонок\n☎️160\n💰+375 (29) "
		"000-00-01" LINE_ENDED "\n⌛ Длительность: 00:05\n"
		"🔉<a href=\"https://calls.example/file/1?a=1&amp;b=&quot;2&quot;\">Запись "
		"разговора</a>");
	view.recording_url = "javascript:alert(1)";
	assert_view_shows(&view, "✅Успешный исходящий звонок\n☎️160\n💰+375 (29) "
				 "000-00-01" LINE_ENDED "\n⌛ Длительность: 00:05");
}

static void a_recovered_call_is_marked(void **state)
{
	const struct office *office = *state;
	struct call call = call_of(CALL_INCOMING, CALL_ENDED);
	struct message_view view = view_of(&call, &office->tenant);

	view.recovered = true;
	call.started_ms = CALL_NO_TIME;
	assert_view_shows(&view, "❌🔄Мы не подняли трубку" CALLER_LINE
				 "📡МТС &amp; Ко\n⏰Начало звонка неизв\n⌛ Дозванивался: 00:00");
	call = call_of(CALL_OUTGOING, CALL_ENDED);
	call.answered = true;
	call.ended_ms = call.started_ms + 61000;
	assert_view_shows(&view, "✅🔄Успешный исходящий звонок" CALLER_LINE
				 "📡МТС &amp; Ко\n⏰Начало звонка 12:05\n⌛ Длительность: 01:01");
}

static void a_call_of_unknown_kind_has_a_length_only(void **state)
{
	const struct office *office = *state;
	struct call call = call_of(CALL_UNKNOWN, CALL_ENDED);

	call.ended_ms = call.started_ms + 61000;
	assert_shows(&call, &office->tenant, "❌ Завершённый звонок\n💰+375 (29) 000-00-01\n⌛ 01:01");
}

/* Longer than four digits, and ours all the same. */
static void own_extensions_are_not_mobiles(void **state)
{
	const struct office *office = *state;
	struct tenant tenant = office->tenant;
	struct str own[] = {STR("20011")};
	const struct tenant_settings settings = {
		.fallback_extension = "", .control_url = "", .extensions = {own, 1}};
	struct call call = call_of(CALL_INCOMING, CALL_TALKING);

	tenant.settings = &settings;
	str_copy(call.talking, CALL_NUMBER_BYTES, STR("20011"));
	assert_shows(&call, &tenant, TALKING_TO "☎️20011" LINE_TALK);
}

/* -- texts of one's own --------------------------------------------------------------------------- */

static void a_text_of_ones_own_replaces_ours(void **state)
{
	const struct office *office = *state;
	const char *texts[MESSAGE_TEMPLATES] = {
		[TEMPLATE_GREETING] = "<b>{phone}</b>{customer? от }{customer}\nЛиния: {line}\n"
				      "{calls?Уже звонил }{calls}{last_call?, }{last_call}",
		[TEMPLATE_RINGING_INCOMING] = "{history}"};
	const struct tenant_settings settings = {
		.fallback_extension = "", .control_url = "", .templates = texts};
	struct message_customer customer = customer_of(5);
	struct call call = call_of(CALL_INCOMING, CALL_GREETING);
	struct tenant tenant = office->tenant;
	struct message_view view = view_of(&call, &tenant);

	tenant.settings = &settings;
	assert_view_shows(&view, "<b>+375 (29) 000-00-01</b>\nЛиния: МТС &amp; Ко");
	view.customer = &customer;
	tenant.locale = "en";
	assert_view_shows(&view,
		"<b>+375 (29) 000-00-01</b> от ООО &lt;Ромашка&gt;\nЛиния: МТС &amp; Ко\n"
		"Уже звонил 5 times, 15.09.2025 at 20:17");
	/* Never empty: of a text that has nothing to show ours takes the place. */
	call.state = CALL_RINGING;
	view.customer = NULL;
	assert_view_shows(&view, "📞 Incoming call\n💰+375 (29) 000-00-01\n📡МТС &amp; Ко");
}

static void our_own_texts_pass_our_own_check(void **state)
{
	static const char *const locales[] = {"ru", "en"};
	struct error error = {0};

	(void)state;
	for (unsigned i = 0; i < 2 * MESSAGE_TEMPLATES; i++) {
		const char *text =
			message_template_default(locales[i % 2], (enum message_template)(i / 2));

		assert_non_null(text);
		if (!message_template_check(str_from(text), &error))
			fail_msg("%s: %s", text, error.text);
	}
}

/* -- limits --------------------------------------------------------------------------------------- */

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

/* As above, and everything else that can be long, and a text that asks for it again and again. */
static void limits_hold_with_every_addition(void **state)
{
	const struct office *office = *state;
	struct tenant tenant = office->tenant;
	struct table *managers = table_new(), *lines = table_new();
	char name[181] = {0}, url[490] = "https://x.example/";
	struct tenant_manager longest = {name, name, name};
	struct tenant_line line = {name};
	char numbers[CALL_MAX_NUMBERS][CALL_NUMBER_BYTES];
	struct call_transfer transfers[CALL_MAX_TRANSFERS];
	struct message_customer customer = customer_of(4294967295U);
	const char *texts[MESSAGE_TEMPLATES] = {NULL};
	const struct tenant_settings settings = {
		.fallback_extension = "", .control_url = "", .templates = texts};
	struct call call = call_of(CALL_INCOMING, CALL_ENDED);
	struct message_view view = view_of(&call, &tenant);
	struct arena *arena = arena_new((size_t)1 << 24);
	char hungry[MESSAGE_TEMPLATE_MAX_BYTES + 1] = {0};

	memset(name, '"', sizeof(name) - 1);
	memset(url + strlen(url), '&', sizeof(url) - 1 - strlen(url));
	for (int i = 0; i < CALL_MAX_NUMBERS; i++) {
		snprintf(numbers[i], CALL_NUMBER_BYTES, "%d", 1000 + i);
		table_put(managers, str_from(numbers[i]), &longest);
	}
	for (int i = 0; i < CALL_MAX_TRANSFERS; i++)
		transfers[i] = transfer_of(numbers[i], numbers[i + 1], TRANSFER_ACCEPTED);
	for (size_t at = 0; at + 11 < sizeof(hungry); at += 11)
		memcpy(hungry + at, at % 22 == 0 ? "{managers}\n" : "{transfers}", 11);
	table_put(lines, STR("0001363"), &line);
	tenant.managers = managers;
	tenant.lines = lines;
	tenant.settings = &settings;
	customer.name = name;
	customer.last_extension = numbers[0];
	customer.black_list = true;
	view.customer = &customer;
	view.recording_url = url;
	call.rang = call.talkers = (struct call_numbers){numbers, CALL_MAX_NUMBERS};
	call.transfers = transfers;
	call.transfer_count = CALL_MAX_TRANSFERS;
	str_copy(call.line_first, CALL_NUMBER_BYTES, STR("0001366"));
	for (unsigned i = 0; i < 2 * 5 * 4 * 2; i++) {
		struct html_text parsed;
		struct error error = {0};
		struct buf text;

		call.state = (enum call_state)(i % 5);
		call.direction = (enum call_direction)(i / 5 % 4);
		call.answered = i / 20 % 2 == 1;
		str_copy(call.talking, CALL_NUMBER_BYTES, str_from(numbers[3]));
		for (unsigned t = 0; t < MESSAGE_TEMPLATES; t++)
			texts[t] = i / 40 == 1 ? hungry : NULL;
		buf_init(&text, MESSAGE_MAX_BYTES);
		if (message_render(&view, &text)) {
			assert_false(text.failed);
			assert_true(utf16_units(text.data) <= MESSAGE_MAX_CHARACTERS);
			assert_true(html_parse(buf_str(&text), arena, &parsed, &error));
		} else {
			assert_int_equal(text.size, 0);
		}
		buf_free(&text);
	}
	arena_free(&arena);
	table_free(&managers);
	table_free(&lines);
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
		cmocka_unit_test(the_client_is_named_with_a_history),
		cmocka_unit_test(history_tells_how_the_last_call_ended),
		cmocka_unit_test(dates_are_those_of_the_zone),
		cmocka_unit_test(grammar_is_russian),
		cmocka_unit_test(a_chain_of_transfers_is_told),
		cmocka_unit_test(a_transfer_that_came_to_nothing_is_not_told),
		cmocka_unit_test(followme_names_who_took_it),
		cmocka_unit_test(followme_shows_while_it_rings),
		cmocka_unit_test(a_busy_line_and_its_backup_are_told),
		cmocka_unit_test(a_recording_is_linked_once_it_exists),
		cmocka_unit_test(a_recovered_call_is_marked),
		cmocka_unit_test(a_call_of_unknown_kind_has_a_length_only),
		cmocka_unit_test(own_extensions_are_not_mobiles),
		cmocka_unit_test(a_text_of_ones_own_replaces_ours),
		cmocka_unit_test(our_own_texts_pass_our_own_check),
		cmocka_unit_test(limits_hold),
		cmocka_unit_test(limits_hold_with_every_addition),
		cmocka_unit_test(english_is_english),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
