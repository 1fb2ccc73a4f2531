/*
 * hook_mask: requests and answers as they may be kept: without what stands under a secret's name, in
 * forms ("token=..."), JSON ("token":"...") and TwiML (name="token" value="..."). Pure.
 */
#include "hook_log.h"

/* Ends of names: CallToken, client_secret, X-Api-Key. */
static const char *const secret_ends[] = {"token", "secret", "password", "passwd", "pwd", "apikey",
	"api_key", "api-key", "authorization", "signature", "ccno", "cvv", NULL};

#define MASKED "***"

static bool is_name_char(char c)
{
	return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') || c == '_' ||
	       c == '-';
}

static bool is_secret(struct str name)
{
	for (int i = 0; secret_ends[i] != NULL; i++) {
		struct str end = str_from(secret_ends[i]);

		if (name.size >= end.size &&
			str_equal_nocase(str_of(name.data + name.size - end.size, end.size), end))
			return true;
	}
	return false;
}

/* Up to the closing quote, over escaped ones. */
static size_t quoted(struct str text, size_t at)
{
	while (at < text.size && text.data[at] != '"')
		at += text.data[at] == '\\' && at + 1 < text.size ? 2 : 1;
	return at;
}

static size_t plain(struct str text, size_t at)
{
	while (at < text.size && strchr("&\n<", text.data[at]) == NULL)
		at++;
	return at;
}

static bool stands(struct str text, size_t at, struct str what)
{
	return at + what.size <= text.size && memcmp(text.data + at, what.data, what.size) == 0;
}

/* Where the value behind a name that ends at `at` begins; 0: the name has none. */
static size_t value_begins(struct str text, size_t at, bool *quotes)
{
	*quotes = true;
	if (stands(text, at, STR("=\"")))
		return at + 2;
	if (stands(text, at, STR("\" value=\"")))
		return at + 9;
	if (stands(text, at, STR("\""))) {
		at++;
		while (at < text.size && strchr(" \t:", text.data[at]) != NULL)
			at++;
		return at < text.size && text.data[at] == '"' ? at + 1 : 0;
	}
	*quotes = false;
	return stands(text, at, STR("=")) ? at + 1 : 0;
}

void hook_mask(struct str text, struct buf *to)
{
	size_t at = 0;

	while (at < text.size) {
		size_t begin = at, value;
		bool quotes;

		while (at < text.size && is_name_char(text.data[at]))
			at++;
		if (at == begin) {
			buf_add_char(to, text.data[at++]);
			continue;
		}
		buf_append(to, text.data + begin, at - begin);
		if (!is_secret(str_of(text.data + begin, at - begin)))
			continue;
		value = value_begins(text, at, &quotes);
		if (value == 0)
			continue;
		buf_append(to, text.data + at, value - at);
		at = quotes ? quoted(text, value) : plain(text, value);
		if (at > value)
			buf_add(to, STR(MASKED));
	}
}
