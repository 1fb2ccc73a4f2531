/*
 * test_message_buttons: who gets which buttons, and that each of them says what it says.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "json.h"
#include "message.h"
#include "signed.h"

#include <stdio.h>
#include <stdlib.h>

#define KEY	STR("0123456789abcdef0123456789abcdef")
#define NOW_MS	INT64_C(1795262400000)
#define DETAILS "https://calls.example/call/0367/7?until=1&sign=2"

enum { CHAT = 42, PAGE_BYTES = 4096 };

/* A chat whose user has an extension and a mobile, and a call with that client. */
struct scene {
	struct tenant_settings settings;
	struct tenant tenant;
	struct call call;
	struct message_view view;
	struct message_reader reader;
};

static const char *const own_phones[] = {"152", "+375 29 000-09-00"};

static int set_up(void **state)
{
	struct scene *scene = calloc(1, sizeof(*scene));

	scene->settings = (struct tenant_settings){
		.fallback_extension = "", .control_url = "https://pbx.example/"};
	scene->tenant = (struct tenant){.number = "0367",
		.name = "june",
		.locale = "ru",
		.country = "BY",
		.recording_base = "",
		.settings = &scene->settings};
	scene->call = (struct call){.id = 7,
		.direction = CALL_INCOMING,
		.state = CALL_TALKING,
		.answered = true,
		.external = "+375290000001",
		.talking = "151",
		.started_ms = NOW_MS,
		.ended_ms = CALL_NO_TIME};
	scene->view = (struct message_view){.call = &scene->call,
		.tenant = &scene->tenant,
		.recording_url = "",
		.details_url = DETAILS};
	scene->reader = (struct message_reader){.chat_id = CHAT,
		.phones = own_phones,
		.phone_count = 2,
		.key = KEY,
		.until_ms = NOW_MS + 1000};
	*state = scene;
	return 0;
}

static int tear_down(void **state)
{
	free(*state);
	return 0;
}

/* "text|text / text": the rows as a person sees them; each order is read as the bot reads it, and
 * stands behind its text as "=<action> <phone>". */
static void show_button(const struct json *button, struct buf *to)
{
	struct str data = json_text(json_member(button, "callback_data"));
	struct str url = json_text(json_member(button, "url"));
	struct callback order;
	struct error error = {0};

	buf_add(to, json_text(json_member(button, "text")));
	if (url.size > 0) {
		buf_printf(to, "=%.*s", STR_ARG(url));
		return;
	}
	assert_in_range(data.size, 1, 64);
	assert_true(signed_callback_read(KEY, data, CHAT, NOW_MS, &order, &error));
	assert_true(order.call_id == 7);
	buf_printf(to, "=%d %s", (int)order.action, order.phone);
}

static void show_keyboard(struct str markup, struct buf *to)
{
	struct error error = {0};
	struct json *json = json_parse(markup, (struct json_limits){PAGE_BYTES, 8}, &error);
	const struct json *rows = json_member(json, "inline_keyboard");

	assert_non_null(json);
	for (const struct json *row = json_first(rows); row != NULL; row = json_next(row)) {
		buf_add(to, row != json_first(rows) ? STR(" / ") : STR(""));
		for (const struct json *at = json_first(row); at != NULL; at = json_next(at)) {
			buf_add(to, at != json_first(row) ? STR("|") : STR(""));
			show_button(at, to);
		}
	}
	json_free(&json);
}

static void assert_buttons(const struct scene *scene, const char *expected)
{
	struct buf markup, shown;

	buf_init(&markup, PAGE_BYTES);
	buf_init(&shown, PAGE_BYTES);
	assert_true(message_buttons(&scene->view, &scene->reader, &markup));
	show_keyboard(buf_str(&markup), &shown);
	assert_string_equal(shown.data, expected);
	buf_free(&markup);
	buf_free(&shown);
}

static void assert_none(const struct scene *scene)
{
	struct buf markup;

	buf_init(&markup, PAGE_BYTES);
	assert_false(message_buttons(&scene->view, &scene->reader, &markup));
	assert_int_equal(markup.size, 0);
	buf_free(&markup);
}

static void while_they_talk_one_can_join(void **state)
{
	struct scene *scene = *state;

	assert_buttons(scene,
		"👂 Прослушивание 152=0 152|💬 Суфлирование 152=1 "
		"152|🎙️ "
		"Конференция "
		"152=2 "
		"152"
		" / 👂 Прослушивание 375290000900=0 375290000900|💬 Суфлирование 375290000900=1 "
		"375290000900|🎙️ Конференция 375290000900=2 375290000900");
	str_copy(scene->call.talking, CALL_NUMBER_BYTES, STR("152"));
	scene->reader.phone_count = 1;
	assert_none(scene);
	scene->call.talking[0] = '\0'; /* on hold: nobody to listen to */
	assert_none(scene);
}

static void in_the_end_one_can_call_back(void **state)
{
	struct scene *scene = *state;

	scene->call.state = CALL_ENDED;
	assert_buttons(scene, "📞 Позвонить с 152=3 152 / 📞 Позвонить с 375290000900=3 375290000900"
			      " / 📊 Детали звонка=" DETAILS);
	str_copy(
		scene->call.external, CALL_NUMBER_BYTES, STR("+375290000900")); /* our own mobile */
	assert_buttons(scene, "📞 Позвонить с 152=3 152 / 📊 Детали звонка=" DETAILS);
	str_copy(scene->call.external, CALL_NUMBER_BYTES, STR("+000123")); /* withheld */
	assert_buttons(scene, "📊 Детали звонка=" DETAILS);
	scene->view.details_url = "";
	assert_none(scene);
	scene->tenant.locale = "en";
	scene->reader.phone_count = 1;
	str_copy(scene->call.external, CALL_NUMBER_BYTES, STR("+375290000001"));
	assert_buttons(scene, "📞 Call from 152=3 152");
}

static void an_owner_and_an_internal_call_ring_nothing(void **state)
{
	struct scene *scene = *state;

	scene->reader.owner = true;
	assert_none(scene);
	scene->call.state = CALL_ENDED;
	assert_buttons(scene, "📊 Детали звонка=" DETAILS);
	scene->reader.owner = false;
	scene->call.direction = CALL_INTERNAL;
	assert_buttons(scene, "📊 Детали звонка=" DETAILS);
	scene->call.state = CALL_TALKING;
	assert_none(scene);
}

static void without_a_key_or_a_place_for_orders_nothing_rings(void **state)
{
	struct scene *scene = *state;

	scene->reader.key = STR("");
	assert_none(scene);
	scene->reader.key = KEY;
	scene->settings.control_url = "";
	assert_none(scene);
	scene->tenant.settings = NULL;
	assert_none(scene);
}

static void before_it_is_answered_there_are_none(void **state)
{
	struct scene *scene = *state;

	scene->call.state = CALL_RINGING;
	assert_none(scene);
	scene->call.state = CALL_GREETING;
	assert_none(scene);
}

/* What is no phone is passed over; of many the first three count. */
static void phones_are_bounded(void **state)
{
	static const char *const many[] = {
		"", "abc", "1234567890123456", "12", "161", "162", "163", "164"};
	struct scene *scene = *state;

	scene->reader.phones = many;
	scene->reader.phone_count = 8;
	scene->call.state = CALL_ENDED;
	scene->view.details_url = "";
	assert_buttons(scene,
		"📞 Позвонить с 161=3 161 / 📞 Позвонить с 162=3 162 / 📞 Позвонить с 163=3 163");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(while_they_talk_one_can_join, set_up, tear_down),
		cmocka_unit_test_setup_teardown(in_the_end_one_can_call_back, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			an_owner_and_an_internal_call_ring_nothing, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			without_a_key_or_a_place_for_orders_nothing_rings, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			before_it_is_answered_there_are_none, set_up, tear_down),
		cmocka_unit_test_setup_teardown(phones_are_bounded, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
