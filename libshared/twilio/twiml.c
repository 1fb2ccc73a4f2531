/*
 * twiml: see twiml.h. What can go wrong (too long, too deep) ends in a document that is whole, only
 * shorter: the buffer's `failed` says so.
 */
#include "twiml.h"

#include <inttypes.h>
#include <stdio.h>

/* XML 1.0, 2.2: no control characters but tab and line ends, no U+FFFE, U+FFFF. `at` is one well-formed
 * character of `size` bytes. */
static bool xml_allows(const unsigned char *at, size_t size)
{
	if (size == 1)
		return *at >= 0x20 || *at == '\t' || *at == '\n' || *at == '\r';
	return !(size == 3 && at[0] == 0xef && at[1] == 0xbf && at[2] >= 0xbe);
}

static void put_character(struct buf *to, struct str at, bool attribute)
{
	char c = at.data[0];

	if (c == '&')
		buf_add(to, STR("&amp;"));
	else if (c == '<')
		buf_add(to, STR("&lt;"));
	else if (c == '>' && !attribute)
		buf_add(to, STR("&gt;"));
	else if (c == '"' && attribute)
		buf_add(to, STR("&quot;"));
	else if (c == '\t' && attribute)
		buf_add(to, STR("&#x9;"));
	else if (c == '\n' && attribute)
		buf_add(to, STR("&#xA;"));
	else if (c == '\r')
		buf_add(to, STR("&#xD;"));
	else
		buf_add(to, at);
}

static void put_text(struct buf *to, struct str text, bool attribute)
{
	size_t at = 0;

	while (at < text.size) {
		struct str rest = str_of(text.data + at, text.size - at);
		size_t size = rest.data[0] == '\0' ? 1 : str_utf8_size(rest);

		if (size == 0 || !xml_allows((const unsigned char *)rest.data, size))
			buf_add(to, STR("\xef\xbf\xbd"));
		else
			put_character(to, str_of(rest.data, size), attribute);
		at += size > 0 ? size : 1;
	}
}

static void end_tag(struct twiml *twiml)
{
	if (twiml->in_tag)
		buf_add_char(twiml->to, '>');
	twiml->in_tag = false;
}

void twiml_open(struct twiml *twiml, const char *verb)
{
	if (twiml->depth == TWIML_MAX_DEPTH) {
		twiml->to->failed = true;
		return;
	}
	end_tag(twiml);
	buf_add_char(twiml->to, '<');
	buf_add(twiml->to, str_from(verb));
	twiml->open[twiml->depth++] = verb;
	twiml->in_tag = true;
}

void twiml_begin(struct twiml *twiml, struct buf *to)
{
	*twiml = (struct twiml){.to = to};
	buf_add(to, STR("<?xml version=\"1.0\" encoding=\"UTF-8\"?>"));
	twiml_open(twiml, "Response");
}

void twiml_attribute(struct twiml *twiml, const char *name, struct str value)
{
	if (value.size == 0 || !twiml->in_tag)
		return;
	buf_add_char(twiml->to, ' ');
	buf_add(twiml->to, str_from(name));
	buf_add(twiml->to, STR("=\""));
	put_text(twiml->to, value, true);
	buf_add_char(twiml->to, '"');
}

void twiml_number(struct twiml *twiml, const char *name, int64_t value)
{
	char digits[24];

	(void)snprintf(digits, sizeof(digits), "%" PRId64, value);
	twiml_attribute(twiml, name, str_from(digits));
}

void twiml_text(struct twiml *twiml, struct str text)
{
	if (text.size == 0)
		return;
	end_tag(twiml);
	put_text(twiml->to, text, false);
}

void twiml_close(struct twiml *twiml)
{
	if (twiml->depth == 0)
		return;
	twiml->depth--;
	if (twiml->in_tag) {
		buf_add(twiml->to, STR("/>"));
	} else {
		buf_add(twiml->to, STR("</"));
		buf_add(twiml->to, str_from(twiml->open[twiml->depth]));
		buf_add_char(twiml->to, '>');
	}
	twiml->in_tag = false;
}

void twiml_end(struct twiml *twiml)
{
	while (twiml->depth > 0)
		twiml_close(twiml);
}
