/*
 * uri: percent-encoding. Decoding refuses what it does not understand instead of guessing.
 */
#include "uri.h"

/* RFC 3986, 2.3. All else is encoded, so that the result fits any part of a URL. */
static bool is_unreserved(char c)
{
	return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') || c == '-' ||
	       c == '.' || c == '_' || c == '~';
}

void uri_encode(struct buf *to, struct str text)
{
	for (size_t i = 0; i < text.size; i++) {
		if (is_unreserved(text.data[i]))
			buf_add_char(to, text.data[i]);
		else
			buf_printf(to, "%%%02X", (unsigned char)text.data[i]);
	}
}

/* The byte behind a '%' at the front of `text`; -1 when it is none. */
/* "%2" and "%zz" are nothing; a proxy in front of us might read them differently, and then check
 * another path than we serve. */
static int escaped_byte(struct str text)
{
	int high = text.size >= 3 ? str_hex_digit(text.data[1]) : -1;
	int low = text.size >= 3 ? str_hex_digit(text.data[2]) : -1;

	return high < 0 || low < 0 ? -1 : high * 16 + low;
}

bool uri_decode(struct str text, bool form, struct arena *arena, struct str *decoded)
{
	/* Decoding never makes text longer. */
	char *to = arena_alloc(arena, text.size + 1);
	size_t size = 0;

	for (size_t i = 0; i < text.size; i++) {
		int byte = (unsigned char)text.data[i];

		if (byte == '%') {
			byte = escaped_byte(str_of(text.data + i, text.size - i));
			i += 2;
		} else if (byte == '+' && form) {
			byte = ' ';
		}
		/* %00 too: behind it C would see a shorter text than was checked. */
		if (byte <= 0)
			return false;
		to[size++] = (char)byte;
	}
	*decoded = str_of(to, size);
	return true;
}

/* A parameter with a broken name is another's fault and passed over; the first match decides. */
bool uri_query_value(struct str query, const char *name, struct arena *arena, struct str *value)
{
	while (query.data != NULL) {
		struct str rest = str_cut(&query, '&');
		struct str key = str_cut(&rest, '=');

		if (uri_decode(key, true, arena, &key) && str_equal(key, str_from(name)))
			return uri_decode(rest, true, arena, value);
	}
	return false;
}
