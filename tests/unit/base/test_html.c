/*
 * The sandbox's HTML must refuse what Telegram refuses, in Telegram's words.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "buf.h"
#include "html.h"

#include <stdio.h>
#include <stdlib.h>

/* "plain|type@offset+length(argument)..." or "! error". */
static const char *show(const char *source, char to[600])
{
	struct arena *arena = arena_new(1 << 20);
	struct error error = {0};
	struct html_text text;
	struct buf out;

	buf_init(&out, 599);
	if (!html_parse(str_from(source), arena, &text, &error)) {
		buf_printf(&out, "! %s", error.text);
	} else {
		html_trim(&text);
		buf_add(&out, text.plain);
		for (size_t i = 0; i < text.count; i++)
			buf_printf(&out, "|%s@%d+%d(%.*s)", html_type_name(text.entities[i].type),
				text.entities[i].offset, text.entities[i].length,
				STR_ARG(text.entities[i].argument));
	}
	snprintf(to, 600, "%.*s", STR_ARG(buf_str(&out)));
	buf_free(&out);
	arena_free(&arena);
	return to;
}

struct sample {
	const char *source, *result;
};

static void check(const struct sample *samples, size_t count)
{
	char got[600];

	for (size_t i = 0; i < count; i++)
		assert_string_equal(show(samples[i].source, got), samples[i].result);
}
#define CHECK(samples) check((samples), sizeof(samples) / sizeof((samples)[0]))

static void test_every_tag_becomes_its_entity(void **state)
{
	static const struct sample samples[] = {
		{"<b>x</b><strong>y</strong>", "xy|bold@0+1()|bold@1+1()"},
		{"<i>x</i><em>y</em>", "xy|italic@0+1()|italic@1+1()"},
		{"<u>x</u><ins>y</ins>", "xy|underline@0+1()|underline@1+1()"},
		{"<s>x</s><strike>y</strike><del>z</del>",
			"xyz|strikethrough@0+1()|strikethrough@1+1()|strikethrough@2+1()"},
		{"<span class=\"tg-spoiler\">x</span><tg-spoiler>y</tg-spoiler>",
			"xy|spoiler@0+1(spoiler)|spoiler@1+1()"},
		{"<a href=\"https://example.com/?a=1&amp;b=2\">x</a>",
			"x|text_link@0+1(https://example.com/?a=1&b=2)"},
		{"<a href='http://example.com/'>x</a>", "x|text_link@0+1(http://example.com/)"},
		{"<a>example.com/a</a>", "example.com/a|text_link@0+13(example.com/a)"},
		{"<a href=\"http://localhost/\">x</a>", "x"},
		{"<a href=\"javascript:alert(1)\">x</a>", "x"},
		{"<code>x</code>", "x|code@0+1()"},
		{"<pre>x</pre>", "x|pre@0+1()"},
		{"<pre><code class=\"language-c\">x</code></pre>", "x|pre@0+1(c)"},
		{"<blockquote>x</blockquote>", "x|blockquote@0+1()"},
		{"<blockquote expandable>x</blockquote>", "x|expandable_blockquote@0+1(1)"},
		{"<tg-emoji emoji-id=\"5368324170671202286\">x</tg-emoji>",
			"x|custom_emoji@0+1(5368324170671202286)"},
		{"<B>x</B >", "x|bold@0+1()"},
		{"<b>x</>", "x|bold@0+1()"},
		{"<b></b>x", "x"},
	};

	CHECK(samples);
}

static void test_entities_nest_and_count_utf16(void **state)
{
	static const struct sample samples[] = {
		{"a<b>b<i>c</i></b>", "abc|bold@1+2()|italic@2+1()"},
		{"<b><i>c</i></b>", "c|bold@0+1()|italic@0+1()"},
		{"☎️<b>x</b>", "☎️x|bold@2+1()"},
		{"💰<b>💰</b>", "💰💰|bold@2+2()"},
		{" \n<b> x</b> \n", "x|bold@0+1()"},
		{"&#128176;<b>x</b>", "💰x|bold@2+1()"},
	};

	CHECK(samples);
}

static void test_references(void **state)
{
	static const struct sample samples[] = {
		{"&lt;&gt;&amp;&quot;", "<>&\""},
		{"&lt &gtx", "< &gtx"},
		{"&#65;&#x42;", "AB"},
		{"&nbsp;&copy;&", "&nbsp;&copy;&"},
		{"&#0;&#99999999999;", "&#0;&#99999999999;"},
		{"&#xd83d;", "! Text contains invalid Unicode characters after decoding HTML "
			     "entities, check for unmatched surrogate code units"},
	};

	CHECK(samples);
}

static void test_errors_are_the_servers(void **state)
{
	static const struct sample samples[] = {
		{"hello world <unknown>", "! Unsupported start tag \"unknown\" at byte offset 12"},
		{"<!-- x -->", "! Unsupported start tag \"!--\" at byte offset 0"},
		{"1 < 2", "! Unsupported start tag \"\" at byte offset 2"},
		{"<b>x", "! Can't find end tag corresponding to start tag \"b\""},
		{"<b>x</i>", "! Unmatched end tag at byte offset 4, expected \"</b>\", found "
			     "\"</i>\""},
		{"x</b>", "! Unexpected end tag at byte offset 1"},
		{"<b>x</b", "! Unclosed end tag at byte offset 4"},
		{"x<", "! Unclosed start tag at byte offset 1"},
		{"x<b", "! Unclosed start tag at byte offset 1"},
		{"<a href", "! Unclosed start tag \"a\" at byte offset 0"},
		{"<a href=", "! Unclosed start tag \"a\" at byte offset 0"},
		{"<a href=\"x", "! Unclosed start tag at byte offset 0"},
		{"<a =x>y</a>", "! Empty attribute name in the tag \"a\" at byte offset 0"},
		{"<a href=x/y>z</a>", "! Unexpected end of name token at byte offset 8"},
		{"<span>x</span>",
			"! Tag \"span\" must have class \"tg-spoiler\" at byte offset 0"},
		{"<tg-emoji emoji-id=\"x\">x</tg-emoji>",
			"! Invalid custom emoji identifier specified"},
		{"<br/>", "! Unsupported start tag \"br/\" at byte offset 0"},
	};

	CHECK(samples);
}

/* Any mixture of the parser's own pieces ends, stays inside its memory and gives UTF-8. */
static void test_mixtures_are_harmless(void **state)
{
	static const char *const pieces[] = {"<", ">", "/", "b", "<b>", "</b>", "<a href=", "\"",
		"'", "&", "&lt;", "&#x", "&#12", ";", " ", "=", "💰", "x", "<span class=\"tg-",
		"spoiler\">", "</", "<pre><code class=\"language-c\">"};

	srand(1);
	for (int round = 0; round < 20000; round++) {
		struct arena *arena = arena_new(1 << 20);
		struct html_text text;
		struct buf source;
		buf_init(&source, 4096);
		for (int i = rand() % 20; i >= 0; i--)
			buf_add(&source, str_from(pieces[(size_t)rand() % sizeof(pieces) /
							 sizeof(pieces[0])]));
		if (html_parse(buf_str(&source), arena, &text, NULL)) {
			html_trim(&text);
			assert_true(str_is_utf8(text.plain));
			assert_int_equal(text.length, html_utf16_length(text.plain));
		}
		buf_free(&source);
		arena_free(&arena);
	}
}

/* An arena that overflows ends the process: what a bot sends must not get there. */
static void test_many_attributes_need_little_memory(void **state)
{
	struct arena *arena = arena_new(4 << 20);
	struct html_text text;
	struct buf source;

	buf_init(&source, HTML_MAX_SOURCE_BYTES);
	buf_add(&source, STR("<a"));
	while (source.size < HTML_MAX_SOURCE_BYTES - 20)
		buf_add(&source, STR(" a=\"&lt;\""));
	buf_add(&source, STR(">x</a>"));
	assert_true(html_parse(buf_str(&source), arena, &text, NULL));
	assert_true(str_equal(text.plain, STR("x")));
	buf_free(&source);
	arena_free(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_tag_becomes_its_entity),
		cmocka_unit_test(test_entities_nest_and_count_utf16),
		cmocka_unit_test(test_references),
		cmocka_unit_test(test_errors_are_the_servers),
		cmocka_unit_test(test_mixtures_are_harmless),
		cmocka_unit_test(test_many_attributes_need_little_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
