/*
 * html_tag: see html_tag.h. Error texts are part of the contract: clients are tested on them.
 */
#include "html_tag.h"

#include <ctype.h>
#include <stdlib.h>

/* core.telegram.org/bots/api#html-style. Anything else is refused, not ignored: a client that
 * forgets to escape a name such as <unknown> must notice here. */
static const char *const tag_names[] = {"a", "b", "strong", "i", "em", "s", "strike", "del", "u",
	"ins", "tg-spoiler", "tg-emoji", "span", "pre", "code", "blockquote"};

char html_peek(const struct html_reader *reader)
{
	return reader->at < reader->in.size ? reader->in.data[reader->at] : 0;
}

/* 0 counts as white space, as in tdlib; the readers' loops rely on it to stop at the end. */
bool html_is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == '\v' || c == 0;
}

static bool at_end(const struct html_reader *reader)
{
	return reader->at >= reader->in.size;
}

static void skip_space(struct html_reader *reader)
{
	while (!at_end(reader) && html_is_space(html_peek(reader)))
		reader->at++;
}

static struct str lower(struct html_reader *reader, size_t from, size_t to)
{
	char *copy = arena_strndup(reader->arena, reader->in.data + from, to - from);

	for (char *c = copy; *c != 0; c++)
		*c = (char)tolower((unsigned char)*c);
	return str_from(copy);
}

/* Nine digits are enough to see that there are too many: the caller refuses those, so a sum that
 * wrapped around is never used. */
static uint32_t number_reference(const char *digits, int base, size_t *size)
{
	uint32_t code = 0;
	size_t at = 0;

	for (; at < 9; at++) {
		unsigned char c = (unsigned char)digits[at];
		if (base == 16 ? !isxdigit(c) : !isdigit(c))
			break;
		code = code * (uint32_t)base +
		       (uint32_t)(isdigit(c) ? c - '0' : tolower(c) - 'a' + 10);
	}
	*size = at;
	return code;
}

/* The Bot API knows four names; any other stays as it was written. */
static uint32_t named_reference(const char *name, size_t *size)
{
	static const struct {
		const char *name;
		uint32_t code;
	} known[] = {{"lt", '<'}, {"gt", '>'}, {"amp", '&'}, {"quot", '"'}};
	size_t length = 0;

	while (isalpha((unsigned char)name[length]))
		length++;
	*size = length;
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		if (str_equal(str_of(name, length), str_from(known[i].name)))
			return known[i].code;
	}
	return 0;
}

uint32_t html_read_reference(struct html_reader *reader)
{
	/* The longest reference that counts has ten characters; more is plain text. */
	char window[16] = {0};
	size_t left = reader->in.size - reader->at - 1;
	size_t skip = 0, size = 0;
	uint32_t code;

	memcpy(window, reader->in.data + reader->at + 1,
		left < sizeof(window) - 1 ? left : sizeof(window) - 1);
	if (window[0] == '#') {
		skip = window[1] == 'x' ? 2 : 1;
		code = number_reference(window + skip, window[1] == 'x' ? 16 : 10, &size);
		if (code >= 0x10ffff || 1 + skip + size >= 10)
			return 0;
	} else {
		code = named_reference(window, &size);
	}
	if (code == 0)
		return 0;
	/* The semicolon may be missing. */
	reader->at += 1 + skip + size + (window[skip + size] == ';');
	return code;
}

size_t html_put_utf8(uint32_t code, char *to)
{
	size_t more = code < 0x80 ? 0 : code < 0x800 ? 1 : code < 0x10000 ? 2 : 3;
	static const unsigned char lead[] = {0, 0xc0, 0xe0, 0xf0};

	to[0] = (char)(lead[more] | (code >> (6 * more)));
	for (size_t i = 1; i <= more; i++)
		to[i] = (char)(0x80 | ((code >> (6 * (more - i))) & 0x3f));
	return more + 1;
}

static struct str quoted_value(struct html_reader *reader)
{
	char quote = html_peek(reader);
	const char *from = reader->in.data + ++reader->at;
	size_t left = reader->in.size - reader->at, size = 0;
	const char *end = left > 0 ? memchr(from, quote, left) : NULL;
	/* Its own length and no more: room up to the end of the text for each of ten thousand
	 * attributes would break the arena. Decoding never makes text longer. */
	char *value = arena_alloc(reader->arena, (end != NULL ? (size_t)(end - from) : left) + 1);

	while (!at_end(reader) && html_peek(reader) != quote) {
		uint32_t code = html_peek(reader) == '&' ? html_read_reference(reader) : 0;
		if (code != 0)
			size += html_put_utf8(code, value + size);
		else
			value[size++] = reader->in.data[reader->at++];
	}
	if (!at_end(reader))
		reader->at++;
	return str_of(value, size);
}

/* A bare value: letters, digits, dots and hyphens. */
static bool token_value(struct html_reader *reader, struct str *value, struct error *error)
{
	size_t begin = reader->at;

	while (isalnum((unsigned char)html_peek(reader)) || html_peek(reader) == '.' ||
		html_peek(reader) == '-')
		reader->at++;
	*value = lower(reader, begin, reader->at);
	if (!html_is_space(html_peek(reader)) && html_peek(reader) != '>')
		return error_set(error, ERROR_INPUT,
			"Unexpected end of name token at byte offset %zu", begin);
	return true;
}

/* The other attributes are read, because their errors count, and forgotten. */
static void keep_argument(struct html_tag *tag, struct str name, struct str value)
{
	static const struct {
		const char *tag, *attribute, *prefix;
	} wanted[] = {
		{"a", "href", ""},
		{"code", "class", "language-"},
		{"span", "class", "tg-"},
		{"tg-emoji", "emoji-id", ""},
	};

	for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++) {
		struct str prefix = str_from(wanted[i].prefix);
		if (str_equal(tag->name, str_from(wanted[i].tag)) &&
			str_equal(name, str_from(wanted[i].attribute)) && str_starts(value, prefix))
			tag->argument = str_of(value.data + prefix.size, value.size - prefix.size);
	}
	if (str_equal(tag->name, STR("blockquote")) && str_equal(name, STR("expandable")))
		tag->argument = STR("1");
}

static struct str attribute_name(struct html_reader *reader)
{
	size_t begin = reader->at;

	while (!html_is_space(html_peek(reader)) && strchr("=>/\"'", html_peek(reader)) == NULL)
		reader->at++;
	return lower(reader, begin, reader->at);
}

static bool unclosed(const struct html_tag *tag, struct error *error)
{
	return error_set(error, ERROR_INPUT, "Unclosed start tag \"%.*s\" at byte offset %zu",
		STR_ARG(tag->name), tag->begin);
}

static bool read_attribute(struct html_reader *reader, struct html_tag *tag, struct error *error)
{
	struct str name = attribute_name(reader), value = STR("");

	if (name.size == 0)
		return error_set(error, ERROR_INPUT,
			"Empty attribute name in the tag \"%.*s\" at byte offset %zu",
			STR_ARG(tag->name), tag->begin);
	skip_space(reader);
	if (at_end(reader))
		return unclosed(tag, error);
	if (html_peek(reader) == '=') {
		reader->at++;
		skip_space(reader);
		if (at_end(reader))
			return unclosed(tag, error);
		if (html_peek(reader) == '\'' || html_peek(reader) == '"')
			value = quoted_value(reader);
		else if (!token_value(reader, &value, error))
			return false;
		if (at_end(reader))
			return error_set(error, ERROR_INPUT,
				"Unclosed start tag at byte offset %zu", tag->begin);
	}
	keep_argument(tag, name, value);
	return true;
}

/* By the name in lower case: <B> is <b>. */
static bool is_supported(struct str name)
{
	for (size_t i = 0; i < sizeof(tag_names) / sizeof(tag_names[0]); i++) {
		if (str_equal(name, str_from(tag_names[i])))
			return true;
	}
	return false;
}

bool html_read_start_tag(struct html_reader *reader, struct html_tag *tag, struct error *error)
{
	size_t from = reader->at;

	*tag = (struct html_tag){.begin = from - 1};
	while (!html_is_space(html_peek(reader)) && html_peek(reader) != '>')
		reader->at++;
	if (at_end(reader))
		return error_set(
			error, ERROR_INPUT, "Unclosed start tag at byte offset %zu", tag->begin);
	tag->name = lower(reader, from, reader->at);
	if (!is_supported(tag->name))
		return error_set(error, ERROR_INPUT,
			"Unsupported start tag \"%.*s\" at byte offset %zu", STR_ARG(tag->name),
			tag->begin);
	for (skip_space(reader); html_peek(reader) != '>'; skip_space(reader)) {
		if (at_end(reader))
			return unclosed(tag, error);
		if (!read_attribute(reader, tag, error))
			return false;
	}
	reader->at++;
	if (str_equal(tag->name, STR("span")) && !str_equal(tag->argument, STR("spoiler")))
		return error_set(error, ERROR_INPUT,
			"Tag \"span\" must have class \"tg-spoiler\" at byte offset %zu",
			tag->begin);
	return true;
}

bool html_read_end_tag(struct html_reader *reader, struct str expected, struct error *error)
{
	size_t begin = reader->at - 1;
	struct str name;

	reader->at++;
	while (!html_is_space(html_peek(reader)) && html_peek(reader) != '>')
		reader->at++;
	name = lower(reader, begin + 2, reader->at);
	skip_space(reader);
	if (html_peek(reader) != '>')
		return error_set(error, ERROR_INPUT, "Unclosed end tag at byte offset %zu", begin);
	reader->at++;
	/* </> closes whatever is open, as in tdlib. */
	if (name.size != 0 && !str_equal(name, expected))
		return error_set(error, ERROR_INPUT,
			"Unmatched end tag at byte offset %zu, expected \"</%.*s>\", found "
			"\"</%.*s>\"",
			begin, STR_ARG(expected), STR_ARG(name));
	return true;
}
