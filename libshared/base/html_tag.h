/*
 * html_tag: one tag of parse_mode HTML: its name, its one argument that matters, its character
 * references. Private to html.c; apart from it because attributes are half of the rules.
 */
#ifndef CALLWEAVE_HTML_TAG_H
#define CALLWEAVE_HTML_TAG_H

#include "html.h"

/* A reader over the source. Behind the end it reads 0, which counts as white space, as in tdlib. */
struct html_reader {
	struct str in;
	size_t at;
	struct arena *arena;
};

struct html_tag {
	struct str name;     /* lower case */
	struct str argument; /* href, language, emoji-id; "1" for an expandable blockquote */
	size_t begin;	     /* byte offset of its '<', for error texts */
};

char html_peek(const struct html_reader *reader);
bool html_is_space(char c);

/* Behind '&': the character it stands for, or 0 when it is no reference. On success the reader
 * stands behind it, else it has not moved. */
uint32_t html_read_reference(struct html_reader *reader);

/* Append a code point as UTF-8 (surrogates, too: the whole text is checked afterwards). Returns how
 * many bytes were written. */
size_t html_put_utf8(uint32_t code, char *to);

/* The reader stands behind '<'; afterwards behind '>'. */
bool html_read_start_tag(struct html_reader *reader, struct html_tag *tag, struct error *error);
bool html_read_end_tag(struct html_reader *reader, struct str expected, struct error *error);

#endif
