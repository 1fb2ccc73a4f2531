/*
 * test_message_view: what is known beside the call itself: the client and the history, transfers,
 * FollowMe, lines, recordings; and texts of an enterprise's own.
 */
#include "message_grammar.h"
#include "message_office.h"
#include "message_texts.h"

/* -- what the rest of the view adds --------------------------------------------------------------- */

static void the_client_is_named_with_a_history(void **state)
{
	const struct office *office = *state;
	struct call call = call_of(CALL_INCOMING, CALL_GREETING);
	struct message_customer customer = customer_of(3);
	struct message_view view = view_of(&call, &office->tenant);

	view.customer = &customer;
	assert_view_shows(&view,
		"💰+375 (29) 000-00-01 (ООО &lt;Ромашка&gt;) ➡️ "
		"Приветствие\n📡МТС "
		"&amp; "
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
		"💰+375 (29) 000-00-01 (ООО &lt;Ромашка&gt;) ➡️ "
		"Greeting\n📡МТС "
		"&amp; "
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

#define ANSWERED      "✅Успешный входящий звонок" CALLER_LINE
#define ANSWERED_EN   "✅Incoming call answered" CALLER_LINE
#define LINE_ENDED_EN "\n📡МТС &amp; Ко\n⏰Call started 12:05"

/* A machine has a name, not a code. */
static void an_agent_puts_through(void **state)
{
	const struct office *office = *state;
	struct tenant english = office->tenant;
	char talkers[][CALL_NUMBER_BYTES] = {"agent", "160", "153"};
	struct call_transfer transfers[] = {transfer_of("agent", "160", TRANSFER_ACCEPTED),
		transfer_of("160", "153", TRANSFER_ACCEPTED)};
	struct call call = call_of(CALL_INCOMING, CALL_ENDED);

	call.answered = true;
	call.talkers.items = talkers;
	call.transfers = transfers;
	call.talkers.count = 2;
	call.transfer_count = 1;
	assert_shows(&call, &office->tenant,
		ANSWERED "☎️160 [переведен от голосового "
			 "помощника]" LINE_ENDED);
	english.locale = "en";
	assert_shows(&call, &english,
		ANSWERED_EN "☎️160 [transferred from Voice agent]" LINE_ENDED_EN);
	call.talkers.count = 3;
	call.transfer_count = 2;
	assert_shows(&call, &office->tenant,
		ANSWERED "☎️Анна (153) [2 перевода: Голосовой "
			 "помощник→160→153]" LINE_ENDED);
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
	assert_view_shows(&view,
		"✅Успешный исходящий звонок\n☎️160\n💰+375 (29) "
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

/* docs/protocol/telegram-messages.md shows them as "[name]" and the text below it. */
static void the_documented_texts_are_those_that_hold(void **state)
{
	char *page = alloc_zeroed(1, 1 << 16);
	FILE *file = fopen(TESTS_DIR "/../docs/protocol/telegram-messages.md", "r");
	struct buf wanted;

	(void)state;
	assert_non_null(file);
	assert_in_range(fread(page, 1, (1 << 16) - 1, file), 1, (1 << 16) - 2);
	fclose(file);
	for (unsigned i = 0; i < MESSAGE_TEMPLATES; i++) {
		enum message_template which = (enum message_template)i;

		buf_init(&wanted, 4096);
		buf_printf(&wanted, "\n[%s]\n%s\n", message_template_name(which),
			message_template_default("ru", which));
		if (strstr(page, wanted.data) == NULL)
			fail_msg("the page does not have this:%s", wanted.data);
		buf_free(&wanted);
	}
	free(page);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_client_is_named_with_a_history),
		cmocka_unit_test(history_tells_how_the_last_call_ended),
		cmocka_unit_test(dates_are_those_of_the_zone),
		cmocka_unit_test(grammar_is_russian),
		cmocka_unit_test(a_chain_of_transfers_is_told),
		cmocka_unit_test(an_agent_puts_through),
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
		cmocka_unit_test(the_documented_texts_are_those_that_hold),
	};

	return cmocka_run_group_tests(tests, office_set_up, office_tear_down);
}
