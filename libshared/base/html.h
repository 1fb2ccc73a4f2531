/*
 * html: Telegram's parse_mode HTML, as strict as the real server and with its error texts.
 *
 * Pure: text in, plain text and entities out. Offsets and lengths count UTF-16 units, as in the
 * Bot API. The rules are those of parse_html() in tdlib/td, td/telegram/MessageEntity.cpp.
 */
#ifndef CALLWEAVE_HTML_H
#define CALLWEAVE_HTML_H

#include "arena.h"
#include "error.h"
#include "str.h"

enum html_type {
	HTML_BOLD,
	HTML_ITALIC,
	HTML_UNDERLINE,
	HTML_STRIKETHROUGH,
	HTML_SPOILER,
	HTML_LINK,
	HTML_CODE,
	HTML_PRE,
	HTML_BLOCKQUOTE,
	HTML_EXPANDABLE_BLOCKQUOTE,
	HTML_CUSTOM_EMOJI,
};

struct html_entity {
	enum html_type type;
	int offset, length;  /* UTF-16 units */
	struct str argument; /* LINK: url; PRE: language; CUSTOM_EMOJI: id */
};

struct html_text {
	struct str plain;
	int length; /* UTF-16 units */
	struct html_entity *entities;
	size_t count;
};

#define HTML_MAX_SOURCE_BYTES 65536

/* Parse; everything lives in the arena. The error's text is what the server writes behind
 * "Bad Request: can't parse entities: ". `source` is at most HTML_MAX_SOURCE_BYTES. */
bool html_parse(
	struct str source, struct arena *arena, struct html_text *text, struct error *error);

/* Text without a parse mode: no entities. */
void html_plain(struct str source, struct html_text *text);

/* Cut white space off both ends, as the server does, and move the entities along. */
void html_trim(struct html_text *text);

const char *html_type_name(enum html_type type); /* "bold", as in MessageEntity */

/* Would the server follow this link? Links of a text that it does not are dropped; a button with one
 * makes it refuse the whole message. */
bool html_link_works(struct str url);

/* The length of well-formed UTF-8 in UTF-16 units. */
int html_utf16_length(struct str text);

#endif
