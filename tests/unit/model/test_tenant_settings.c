/*
 * test_tenant_settings: what may be saved, and the words for what may not.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "message_template.h"
#include "tenant_settings.h"

#include <stdio.h>
#include <stdlib.h>

static int set_up(void **state)
{
	*state = arena_new((size_t)16 << 20);
	return 0;
}

static int tear_down(void **state)
{
	struct arena *arena = *state;

	arena_free(&arena);
	return 0;
}

static struct tenant_settings taken(void **state, const char *json)
{
	struct tenant_settings settings;
	struct error error = {0};

	if (!tenant_settings_read(str_from(json), *state, &settings, &error))
		fail_msg("%s: %s", json, error.text);
	return settings;
}

static void assert_defaults(const struct tenant_settings *settings)
{
	assert_int_equal(settings->mode, LIVE_EDIT);
	assert_int_equal(settings->quiet, 0);
	assert_false(settings->silent);
	assert_string_equal(settings->fallback_extension, "");
	assert_string_equal(settings->control_url, "");
	assert_int_equal(settings->extensions.count, 0);
	assert_null(settings->templates);
}

/* Refused with these words, and then the defaults hold. */
static void refused(void **state, const char *json, const char *words)
{
	struct tenant_settings settings;
	struct error error = {0};

	assert_false(tenant_settings_read(str_from(json), *state, &settings, &error));
	assert_string_equal(error.text, words);
	assert_int_equal(error.kind, ERROR_INPUT);
	assert_defaults(&settings);
}

static void nothing_is_the_defaults(void **state)
{
	static const char *const documents[] = {"", "{}", "{\"telegram\": {}}",
		"{\"telegram\": null}",
		"{\"telegram\": {\"mode\": null, \"quiet\": [], \"templates\": null}}",
		"{\"sources\": [\"10.0.0.0/8\"], \"what others read\": {\"a\": [1]}}"};

	for (size_t i = 0; i < sizeof(documents) / sizeof(documents[0]); i++) {
		struct tenant_settings settings = taken(state, documents[i]);

		assert_defaults(&settings);
	}
}

static void what_is_chosen_is_read(void **state)
{
	struct tenant_settings settings = taken(state,
		"{\"telegram\": {\"mode\": \"replace\", \"quiet\": [\"internal\", \"progress\"],"
		" \"silent\": true, \"templates\": {\"greeting\": \"Звонит {phone}\","
		" \"missed_incoming\": null, \"lost_incoming\": \"\"}},"
		" \"fallback_extension\": \"150\", \"extensions\": [\"2001\", 20022],"
		" \"control_url\": \"https://pbx.example/control\"}");

	assert_int_equal(settings.mode, LIVE_REPLACE);
	assert_int_equal(settings.quiet, QUIET_INTERNAL | QUIET_PROGRESS);
	assert_true(settings.silent);
	assert_string_equal(settings.templates[TEMPLATE_GREETING], "Звонит {phone}");
	assert_null(settings.templates[TEMPLATE_MISSED_INCOMING]);
	assert_null(settings.templates[TEMPLATE_LOST_INCOMING]);
	assert_string_equal(settings.fallback_extension, "150");
	assert_int_equal(settings.extensions.count, 2);
	assert_true(str_equal(settings.extensions.items[1], STR("20022")));
	assert_string_equal(settings.control_url, "https://pbx.example/control");
}

static void slips_are_told(void **state)
{
	refused(state, "{\"telegram\": {\"mod\": \"live\"}}",
		"telegram.mod: there is no such setting");
	refused(state, "{\"telegram\": {\"mode\": \"edit\"}}",
		"telegram.mode: \"edit\" is neither live nor replace");
	refused(state, "{\"telegram\": {\"mode\": 1}}", "telegram.mode: not a string");
	refused(state, "{\"telegram\": {\"quiet\": \"internal\"}}", "telegram.quiet: not an array");
	refused(state, "{\"telegram\": {\"quiet\": [\"internal\", \"all\"]}}",
		"telegram.quiet[1]: \"all\" is none of incoming, outgoing, internal, answered, "
		"progress");
	refused(state, "{\"telegram\": {\"silent\": \"yes\"}}",
		"telegram.silent: not true or false");
	refused(state, "{\"telegram\": []}", "telegram: not an object");
	refused(state, "{\"fallback_extension\": \"+375\"}",
		"fallback_extension: \"+375\" is not an extension: 2 to 15 digits");
	refused(state, "{\"extensions\": [\"2001\", \"\"]}",
		"extensions[1]: \"\" is not an extension: 2 to 15 digits");
	refused(state, "[]", "not an object");
	refused(state, "{\"telegram\": {}", "invalid JSON at byte 15");
}

static void an_url_that_leaks_or_leads_nowhere_is_refused(void **state)
{
	refused(state, "{\"control_url\": \"ftp://pbx/\"}",
		"control_url: not an http:// or https:// URL");
	refused(state, "{\"control_url\": \"https:///x\"}",
		"control_url: no host, or longer than 500");
	refused(state, "{\"control_url\": \"https://a:b@pbx/\"}",
		"control_url: a user or password in a URL gets into logs: leave it out");
	refused(state, "{\"control_url\": \"https://pbx/a\\nb\"}",
		"control_url: a character at byte 13 that no URL has");
}

static void templates_are_named_in_errors(void **state)
{
	refused(state, "{\"telegram\": {\"templates\": {\"greetings\": \"x\"}}}",
		"telegram.templates.greetings: there is no such message");
	refused(state, "{\"telegram\": {\"templates\": {\"greeting\": 1}}}",
		"telegram.templates.greeting: not a string");
	refused(state, "{\"telegram\": {\"templates\": [\"x\"]}}",
		"telegram.templates: not an object");
	refused(state, "{\"telegram\": {\"templates\": {\"greeting\": \"a\\n{phon}\"}}}",
		"telegram.templates.greeting: line 2: there is no placeholder {phon}");
}

static void every_message_has_a_name(void **state)
{
	(void)state;
	for (unsigned i = 0; i < MESSAGE_TEMPLATES; i++) {
		enum message_template which = MESSAGE_TEMPLATES;

		assert_true(message_template_from(
			str_from(message_template_name((enum message_template)i)), &which));
		assert_int_equal(which, i);
	}
}

static void assert_wrong(const char *text, const char *words)
{
	struct error error = {0};

	if (message_template_check(str_from(text), &error))
		fail_msg("%s: was taken", text);
	assert_string_equal(error.text, words);
}

static void good_templates_are_taken(void **state)
{
	static const char *const texts[] = {"{client}", "<b>{client}</b>\n<i>{line?via }{line}</i>",
		"<a href=\"{recording_url}\">▶</a>",
		"<a href=\"https://crm.example/?a=1&amp;b=2\">x</a>",
		"<blockquote expandable>{managers}</blockquote>",
		"<tg-spoiler>{phone}</tg-spoiler>", "<span class=\"tg-spoiler\">{phone}</span>",
		"{phone}{customer? (}{customer}{customer?)}", "5 &lt; 6"};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct error error = {0};

		if (!message_template_check(str_from(texts[i]), &error))
			fail_msg("%s: %s", texts[i], error.text);
	}
}

static void bad_templates_are_refused(void **state)
{
	(void)state;
	assert_wrong("", "nothing but white space");
	assert_wrong(" \n ", "nothing but white space");
	assert_wrong("{phone", "line 1: { without }");
	assert_wrong("x\n\nphone}", "line 3: } without {");
	assert_wrong("{}", "line 1: there is no placeholder {}");
	assert_wrong("{Phone}", "line 1: there is no placeholder {Phone}");
	assert_wrong("a\tb", "line 1: a control character at byte 2");
	assert_wrong("a\xff", "not valid UTF-8");
	assert_wrong("<b>{phone}", "line 1: Can't find end tag corresponding to start tag \"b\"");
	assert_wrong("<b>\n</b>", "line 1: Can't find end tag corresponding to start tag \"b\"");
	assert_wrong("{phone}</b>", "line 1: Unexpected end tag at byte offset 7");
	assert_wrong("<b>{phone}</i>",
		"line 1: Unmatched end tag at byte offset 10, expected \"</b>\", found \"</i>\"");
	assert_wrong(
		"<script>x</script>", "line 1: Unsupported start tag \"script\" at byte offset 0");
	assert_wrong("<unknown>", "line 1: Unsupported start tag \"unknown\" at byte offset 0");
	assert_wrong("<a href=\"{phone}\">x</a>",
		"line 1: {phone} inside a tag: only {recording_url} may stand there");
	assert_wrong("<{phone}>x</{phone}>",
		"line 1: {phone} inside a tag: only {recording_url} may stand there");
	assert_wrong(
		"{phone? ({phone})}", "line 1: a tag or a placeholder inside {phone? ({phone}");
	assert_wrong("{phone?<b>}x", "line 1: a tag or a placeholder inside {phone?<b>}");
}

static void limits_hold(void **state)
{
	char *text = calloc(1, MESSAGE_TEMPLATE_MAX_BYTES + 2);
	char lines[100] = {0};

	(void)state;
	memset(text, 'x', MESSAGE_TEMPLATE_MAX_BYTES);
	assert_true(message_template_check(str_from(text), NULL));
	text[MESSAGE_TEMPLATE_MAX_BYTES] = 'x';
	assert_wrong(text, "longer than 1000 bytes");
	for (int i = 0; i < 41; i++)
		memcpy(lines + 2 * (size_t)i, "x\n", 2);
	assert_wrong(lines, "line 41: more than 40 lines");
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_is_the_defaults),
		cmocka_unit_test(what_is_chosen_is_read),
		cmocka_unit_test(slips_are_told),
		cmocka_unit_test(an_url_that_leaks_or_leads_nowhere_is_refused),
		cmocka_unit_test(templates_are_named_in_errors),
		cmocka_unit_test(every_message_has_a_name),
		cmocka_unit_test(good_templates_are_taken),
		cmocka_unit_test(bad_templates_are_refused),
		cmocka_unit_test(limits_hold),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
