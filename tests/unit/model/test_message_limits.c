/*
 * test_message_limits: whatever is long at once, a message stays within Telegram's limits and is HTML
 * that Telegram takes.
 */
#include "html.h"
#include "message_office.h"
#include "message_template.h"

enum { NAME_BYTES = 181, URL_BYTES = 490, CHECK_BYTES = 1 << 22 };

/* A call of which everything is as long as it can be. */
struct giant {
	char name[NAME_BYTES], url[URL_BYTES];
	char numbers[CALL_MAX_NUMBERS][CALL_NUMBER_BYTES];
	struct call_transfer transfers[CALL_MAX_TRANSFERS];
	struct tenant_manager manager;
	struct tenant_line line;
	struct table *managers, *lines;
	const char *texts[MESSAGE_TEMPLATES];
	struct tenant_settings settings;
	struct message_customer customer;
	struct tenant tenant;
	struct call call;
	struct message_view view;
};

/* Names whose every character takes most room: five bytes of HTML, or two UTF-16 units. */
static void name_all(struct giant *giant, const char *characters)
{
	size_t size = strlen(characters);

	memset(giant->name, 0, sizeof(giant->name));
	for (size_t i = 0; i + size < sizeof(giant->name); i += size)
		memcpy(giant->name + i, characters, size);
}

static void fill_tables(struct giant *giant)
{
	giant->managers = table_new();
	giant->lines = table_new();
	giant->manager = (struct tenant_manager){giant->name, giant->name, giant->name};
	giant->line.name = giant->name;
	for (int i = 0; i < CALL_MAX_NUMBERS; i++) {
		snprintf(giant->numbers[i], CALL_NUMBER_BYTES, "%d", 1000 + i);
		table_put(giant->managers, str_from(giant->numbers[i]), &giant->manager);
	}
	for (int i = 0; i < CALL_MAX_TRANSFERS; i++)
		giant->transfers[i] =
			transfer_of(giant->numbers[i], giant->numbers[i + 1], TRANSFER_ACCEPTED);
	table_put(giant->lines, STR("0001363"), &giant->line);
	str_copy(giant->url, sizeof(giant->url), STR("https://x.example/"));
	memset(giant->url + strlen(giant->url), '&', 470);
}

static struct giant *giant_new(const struct office *office, const char *characters)
{
	struct giant *giant = alloc_zeroed(1, sizeof(*giant));

	name_all(giant, characters);
	fill_tables(giant);
	giant->settings = (struct tenant_settings){
		.fallback_extension = "", .control_url = "", .templates = giant->texts};
	giant->customer = customer_of(4294967295U);
	giant->customer.name = giant->name;
	giant->customer.last_extension = giant->numbers[0];
	giant->customer.black_list = true;
	giant->tenant = office->tenant;
	giant->tenant.managers = giant->managers;
	giant->tenant.lines = giant->lines;
	giant->tenant.settings = &giant->settings;
	giant->call = call_of(CALL_INCOMING, CALL_RINGING);
	giant->call.rang = giant->call.talkers =
		(struct call_numbers){giant->numbers, CALL_MAX_NUMBERS};
	giant->call.transfers = giant->transfers;
	giant->call.transfer_count = CALL_MAX_TRANSFERS;
	str_copy(giant->call.line_first, CALL_NUMBER_BYTES, STR("0001366"));
	giant->view = view_of(&giant->call, &giant->tenant);
	giant->view.customer = &giant->customer;
	giant->view.recording_url = giant->url;
	return giant;
}

static void giant_free(struct giant *giant)
{
	table_free(&giant->managers);
	table_free(&giant->lines);
	free(giant);
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

static void assert_within_limits(const struct message_view *view)
{
	struct arena *arena = arena_new(CHECK_BYTES);
	struct html_text parsed;
	struct error error = {0};
	struct buf text;

	buf_init(&text, MESSAGE_MAX_BYTES);
	if (message_render(view, &text)) {
		assert_false(text.failed);
		assert_true(utf16_units(text.data) <= MESSAGE_MAX_CHARACTERS);
		assert_true(str_is_utf8(buf_str(&text)));
		assert_true(html_parse(buf_str(&text), arena, &parsed, &error));
		assert_true(parsed.length > 0);
	} else {
		assert_int_equal(text.size, 0);
	}
	buf_free(&text);
	arena_free(&arena);
}

/* All states of all directions. */
static void walk(struct giant *giant)
{
	for (unsigned i = 0; i < 2 * 5 * 4; i++) {
		giant->call.state = (enum call_state)(i % 5);
		giant->call.direction = (enum call_direction)(i / 5 % 4);
		giant->call.answered = i >= 20;
		str_copy(giant->call.talking, CALL_NUMBER_BYTES, str_from(giant->numbers[3]));
		str_copy(giant->call.caller, CALL_NUMBER_BYTES, str_from(giant->numbers[4]));
		assert_within_limits(&giant->view);
	}
}

static void everything_long_at_once_fits(void **state)
{
	static const char *const characters[] = {"&", "\"", "😀", "<b>", "я"};

	for (size_t i = 0; i < sizeof(characters) / sizeof(characters[0]); i++) {
		struct giant *giant = giant_new(*state, characters[i]);

		walk(giant);
		giant_free(giant);
	}
}

/* A text of one's own that asks for the longest things again and again. */
static void a_hungry_text_is_cut(void **state)
{
	struct giant *giant = giant_new(*state, "&");
	char hungry[MESSAGE_TEMPLATE_MAX_BYTES + 1] = {0};

	for (size_t at = 0; at + 11 < sizeof(hungry); at += 11)
		memcpy(hungry + at, at % 22 == 0 ? "{managers}\n" : "{transfers}", 11);
	for (unsigned i = 0; i < MESSAGE_TEMPLATES; i++)
		giant->texts[i] = hungry;
	walk(giant);
	giant_free(giant);
}

/* Of a list that is too long the end is left out, not what stands below it. */
static void a_long_list_says_that_it_was_cut(void **state)
{
	struct giant *giant = giant_new(*state, "я");
	struct buf text;

	buf_init(&text, MESSAGE_MAX_BYTES);
	giant->line.name = "МТС";
	assert_true(message_render(&giant->view, &text));
	assert_non_null(strstr(text.data, "\n…</blockquote>\n📡МТС\nЗвонил: 4294967295 раз"));
	buf_free(&text);
	giant_free(giant);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(everything_long_at_once_fits),
		cmocka_unit_test(a_hungry_text_is_cut),
		cmocka_unit_test(a_long_list_says_that_it_was_cut),
	};

	return cmocka_run_group_tests(tests, office_set_up, office_tear_down);
}
