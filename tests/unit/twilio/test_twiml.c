/*
 * test_twiml: documents byte for byte, and that they are well-formed whatever is put into them.
 */
#include "twiml.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define PROLOG "<?xml version=\"1.0\" encoding=\"UTF-8\"?>"

struct document {
	struct buf text;
	struct twiml twiml;
};

static void begin(struct document *document)
{
	buf_init(&document->text, TWIML_MAX_BYTES);
	twiml_begin(&document->twiml, &document->text);
}

static void assert_document(struct document *document, const char *expected)
{
	twiml_end(&document->twiml);
	assert_false(document->text.failed);
	assert_string_equal(document->text.data, expected);
	buf_free(&document->text);
}

static void test_empty(void **state)
{
	struct document document;

	begin(&document);
	assert_document(&document, PROLOG "<Response/>");
}

static void test_nested(void **state)
{
	struct document document;
	struct twiml *twiml = &document.twiml;

	begin(&document);
	twiml_open(twiml, "Gather");
	twiml_attribute(twiml, "action", STR("https://h/menu?a=1&b=\"2\""));
	twiml_attribute(twiml, "left", STR(""));
	twiml_number(twiml, "numDigits", 1);
	twiml_open(twiml, "Say");
	twiml_text(twiml, STR("5 < 6 & \"so\" > 'on'"));
	twiml_close(twiml);
	twiml_close(twiml);
	twiml_open(twiml, "Hangup");
	twiml_close(twiml);
	assert_document(&document,
		PROLOG "<Response><Gather action=\"https://h/menu?a=1&amp;b=&quot;2&quot;\" "
		       "numDigits=\"1\"><Say>5 &lt; 6 &amp; \"so\" &gt; 'on'</Say></Gather>"
		       "<Hangup/></Response>");
}

static void test_end_closes_all(void **state)
{
	struct document document;

	begin(&document);
	twiml_open(&document.twiml, "Connect");
	twiml_open(&document.twiml, "Stream");
	assert_document(&document, PROLOG "<Response><Connect><Stream/></Connect></Response>");
}

static void test_hostile(void **state)
{
	struct document document;

	begin(&document);
	twiml_open(&document.twiml, "Say");
	twiml_attribute(&document.twiml, "voice", STR("a\"/><Dial>\n\x01"));
	twiml_text(&document.twiml, STR("</Say>\x00\x1f\xff\xed\xa0\x80\xef\xbf\xbf]]>\xd7\xa9"));
	assert_document(&document,
		PROLOG "<Response><Say voice=\"a&quot;/>&lt;Dial>&#xA;\xef\xbf\xbd\">&lt;/Say&gt;"
		       "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"
		       "\xef\xbf\xbd]]&gt;\xd7\xa9</Say></Response>");
}

static void test_too_long_and_too_deep(void **state)
{
	struct document document;
	static char text[TWIML_MAX_BYTES];

	memset(text, 'x', sizeof(text));
	begin(&document);
	twiml_open(&document.twiml, "Say");
	twiml_text(&document.twiml, str_of(text, sizeof(text)));
	twiml_end(&document.twiml);
	assert_true(document.text.failed);
	buf_free(&document.text);
	begin(&document);
	for (int i = 0; i < TWIML_MAX_DEPTH; i++)
		twiml_open(&document.twiml, "Say");
	twiml_end(&document.twiml);
	assert_true(document.text.failed);
	buf_free(&document.text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_empty),
		cmocka_unit_test(test_nested),
		cmocka_unit_test(test_end_closes_all),
		cmocka_unit_test(test_hostile),
		cmocka_unit_test(test_too_long_and_too_deep),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
