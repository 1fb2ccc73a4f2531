/*
 * TwiML is read as strictly as Twilio reads it, its schema names each fault, and URLs in it lead where a
 * browser would go.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "twilio_hook.h"
#include "twilio_schema.h"

static struct xml_node *read_text(struct arena *arena, const char *text)
{
	struct error error = {0};
	struct xml_node *root = xml_read(str_from(text), arena, &error);

	assert_true(root != NULL || (error.kind == ERROR_INPUT && error.text[0] != '\0'));
	return root;
}

static void assert_text(struct str text, const char *expected)
{
	assert_true(str_equal(text, str_from(expected)));
}

static void test_a_document_becomes_a_tree(void **state)
{
	struct arena *arena = arena_new(1u << 20);
	struct xml_node *root = read_text(arena,
		"<?xml version='1.0' encoding='UTF-8'?>\n<Response><Gather numDigits=\"1\"><Say>a "
		"&amp; "
		"&#233;\n b</Say><Pause/></Gather><!-- no --><Hangup></Hangup></Response>");
	struct xml_node *gather = root->first;

	assert_true(xml_is(root, "Response") && xml_is(gather, "Gather"));
	assert_int_equal(xml_number(gather, "numDigits", 9), 1);
	assert_int_equal(xml_number(gather, "timeout", 5), 5);
	assert_text(gather->first->text, "a & \xc3\xa9\n b");
	assert_true(xml_is(gather->first->next, "Pause") && gather->first->next->next == NULL);
	assert_true(xml_is(gather->next, "Hangup") && gather->next->next == NULL);
	assert_true(gather->first->parent == gather && root->parent == NULL);
	arena_free(&arena);
}

static void test_what_is_not_well_formed_is_refused(void **state)
{
	static const char *const bad[] = {"", " <Response/>", "\n<?xml version='1.0'?><Response/>",
		"\xef\xbb\xbf<Response/>", "<Response>", "<Response></response>",
		"<Response><Say>a & b</Say></Response>", "<Response/><Response/>",
		"<Response a=1/>", "<Response a='1' a='2'/>", "<Response>\xff</Response>",
		"<!DOCTYPE Response><Response/>",
		"<!DOCTYPE r [<!ENTITY a 'x'><!ENTITY b '&a;&a;'>]><Response>&b;</Response>",
		"<Response>&nbsp;</Response>", "no XML", "{\"a\":1}"};
	struct arena *arena = arena_new(1u << 20);

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_null(read_text(arena, bad[i]));
	arena_free(&arena);
}

static void test_what_is_too_deep_or_too_much_is_refused(void **state)
{
	struct arena *arena = arena_new(32u << 20);
	struct buf text;

	buf_init(&text, 1u << 20);
	for (int i = 0; i < 17; i++)
		buf_add(&text, STR("<a>"));
	for (int i = 0; i < 17; i++)
		buf_add(&text, STR("</a>"));
	assert_null(read_text(arena, text.data));
	buf_clear(&text);
	buf_add(&text, STR("<a>"));
	for (int i = 0; i < XML_MAX_NODES; i++)
		buf_add(&text, STR("<b/>"));
	buf_add(&text, STR("</a>"));
	assert_null(read_text(arena, text.data));
	buf_free(&text);
	arena_free(&arena);
}

/* Expat tells a text line by line: so many lines must not cost their square. */
static void test_a_text_of_many_lines_costs_little(void **state)
{
	struct arena *arena = arena_new(1u << 20);
	struct buf text;
	struct xml_node *root;

	buf_init(&text, 1u << 20);
	buf_add(&text, STR("<Response>"));
	for (int i = 0; i < 30000; i++)
		buf_add(&text, STR("x\n"));
	buf_add(&text, STR("</Response>"));
	root = read_text(arena, text.data);
	assert_int_equal(root->text.size, 60000);
	buf_free(&text);
	arena_free(&arena);
}

static unsigned faults_of(const char *inner, enum schema_kind kind, const char *words)
{
	struct arena *arena = arena_new(1u << 20);
	struct schema_faults faults = {0};
	unsigned count;

	schema_check(read_text(arena, arena_printf(arena, "<Response>%s</Response>", inner)), kind,
		arena, &faults);
	count = faults.count;
	if (words != NULL)
		assert_non_null(strstr(faults.words[0], words));
	arena_free(&arena);
	return count;
}

static void test_the_schema_knows_where_what_may_stand(void **state)
{
	static const char good[] =
		"<Say voice='Polly.Lea' language='fr-FR' loop='2'>a<break time='1s'/><prosody "
		"rate='slow'>b</prosody></Say><Connect action='/x'><Stream url='wss://a/b' "
		"track='inbound_track'><Parameter name='a' value='b'/></Stream></Connect>"
		"<Dial timeout='20' record='record-from-answer'><Number "
		"statusCallbackEvent='answered'>"
		"+331</Number></Dial><Reject reason='busy'/>";

	assert_int_equal(faults_of(good, SCHEMA_VOICE, NULL), 0);
	assert_int_equal(faults_of("<Message to='+1'>a</Message>", SCHEMA_TEXT, NULL), 0);
	assert_int_equal(faults_of("<Message>a</Message>", SCHEMA_VOICE, "'Message'"), 1);
	assert_int_equal(faults_of("<Say>a</Say>", SCHEMA_TEXT, "'Say'"), 1);
	assert_int_equal(faults_of("<say>a</say>", SCHEMA_VOICE, "'say'"), 1);
	assert_int_equal(faults_of("<Stream url='x'/>", SCHEMA_VOICE, "'Stream'"), 1);
	assert_int_equal(faults_of("<Gather><Hangup/></Gather>", SCHEMA_VOICE, "'Hangup'"), 1);
	assert_int_equal(faults_of("<Gather method='post'/>", SCHEMA_VOICE, "'post'"), 1);
	assert_int_equal(faults_of("<Pause length='-1'/>", SCHEMA_VOICE, "'-1'"), 1);
	assert_int_equal(faults_of("<Record playBeep='yes'/>", SCHEMA_VOICE, "'yes'"), 1);
	assert_int_equal(faults_of("words", SCHEMA_VOICE, "takes no text"), 1);
	assert_int_equal(faults_of("<Hangup x='1' y='2'/>", SCHEMA_VOICE, "'x'"), 2);
}

static void test_urls_lead_where_a_browser_would_go(void **state)
{
	static const struct {
		const char *base, *url, *leads;
	} cases[] = {
		{"https://a.b/c/d?e=1", "https://x/y", "https://x/y"},
		{"https://a.b/c/d?e=1", "/f?g=2", "https://a.b/f?g=2"},
		{"https://a.b/c/d?e=1", "f", "https://a.b/c/f"},
		{"https://a.b/c/d?e=1", "?f=2", "https://a.b/c/d?f=2"},
		{"https://a.b/c/d?e=1", "", "https://a.b/c/d?e=1"},
		{"https://a.b", "f", "https://a.b/f"},
		{"https://a.b?e=/1", "/f", "https://a.b/f"},
		{NULL, "/f", NULL},
		{NULL, "", NULL},
		{NULL, " https://x/y ", "https://x/y"},
		{"https://a.b/", "ftp://x/", NULL},
	};
	struct arena *arena = arena_new(1u << 20);

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const char *leads = twilio_resolve(arena, cases[i].base, str_from(cases[i].url));
		if (cases[i].leads == NULL)
			assert_null(leads);
		else
			assert_string_equal(leads, cases[i].leads);
	}
	arena_free(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_document_becomes_a_tree),
		cmocka_unit_test(test_what_is_not_well_formed_is_refused),
		cmocka_unit_test(test_what_is_too_deep_or_too_much_is_refused),
		cmocka_unit_test(test_a_text_of_many_lines_costs_little),
		cmocka_unit_test(test_the_schema_knows_where_what_may_stand),
		cmocka_unit_test(test_urls_lead_where_a_browser_would_go),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
