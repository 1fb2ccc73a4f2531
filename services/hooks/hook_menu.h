/*
 * hook_menu: what a caller hears and which key does what; also words that people write. Data with a check.
 *
 * Pure: read from voice_menus.menu once (docs/protocol/twilio.md has its fields), then asked. Texts are
 * in up to four languages; where one is missing another one's is said, never nothing.
 */
#ifndef HOOKS_HOOK_MENU_H
#define HOOKS_HOOK_MENU_H

#include "clock.h"
#include "json.h"

enum menu_language { MENU_FR, MENU_HE, MENU_RU, MENU_EN, MENU_LANGUAGES };

struct menu_text {
	struct str in[MENU_LANGUAGES];
};

enum menu_does {
	MENU_INFO,
	MENU_VOICEMAIL,
	MENU_OPERATOR,
	MENU_AGENT,
	MENU_SUBMENU,
	MENU_LANGUAGE, /* the same menu in another language */
	MENU_DOES
};

struct menu_key {
	char digit; /* 0-9 * # */
	enum menu_does does;
	struct menu_text text;	       /* INFO: what is said; else may be empty */
	const char *to;		       /* OPERATOR: E.164; "" the number's own */
	const char *engine, *dialogue; /* AGENT: "" the number's own */
	enum menu_language language;   /* LANGUAGE */
	const struct menu_node *menu;  /* SUBMENU */
};

enum { MENU_MAX_KEYS = 12, MENU_MAX_DEPTH = 4, MENU_MAX_TEXTS = 256, MENU_PATH_BYTES = 8 };

struct menu_node {
	struct menu_text prompt;
	struct menu_key keys[MENU_MAX_KEYS];
	unsigned key_count;
};

/* What is said around the menu itself. */
enum menu_phrase {
	MENU_PHRASE_INVALID, /* no such key */
	MENU_PHRASE_GOODBYE,
	MENU_PHRASE_CLOSED,
	MENU_PHRASE_VOICEMAIL, /* leave a message after the tone */
	MENU_PHRASE_HOLD,      /* you are being connected */
	MENU_PHRASE_BUSY,      /* nobody can take it: a message, then */
	MENU_PHRASE_THANKS,    /* for the message */
	MENU_PHRASE_FAILED,    /* something broke: a message, please */
	MENU_PHRASES
};

struct menu;

/* Of voice_menus.menu. NULL with words that name the member: "keys.3.do: ...". Lives in the arena, but its
 * zone is freed by menu_close(). */
struct menu *menu_read(const struct json *json, struct arena *arena, struct error *error);
/* 1 information, 2 voicemail, 0 operator. */
struct menu *menu_default(struct arena *arena);
void menu_close(struct menu *menu);

bool menu_language_from(struct str name, enum menu_language *language); /* "fr" */
const char *menu_language_name(enum menu_language language);
/* In that language, else in the first one that there is; empty when there is none. */
struct str menu_text_in(const struct menu_text *text, enum menu_language language);

const struct menu_text *menu_phrase(const struct menu *menu, enum menu_phrase phrase);
/* Where there is no menu at all. */
const struct menu_text *menu_default_phrase(enum menu_phrase phrase);
/* The menu behind these keys ("" the first, "3", "31"); NULL: there is none. */
const struct menu_node *menu_at(const struct menu *menu, struct str path);
const struct menu_key *menu_key(const struct menu_node *node, char digit);
unsigned menu_tries(const struct menu *menu);	     /* how often it is said: 3 */
unsigned menu_wait_seconds(const struct menu *menu); /* for a key: 5 */

/* Is somebody there? By hours and holidays, in the menu's zone, else in `zone` (NULL: UTC). */
bool menu_open(const struct menu *menu, int64_t wall_ms, const struct clock_zone *zone);
/* Where a caller goes outside of the hours: VOICEMAIL, or AGENT, OPERATOR, INFO (then goodbye). */
enum menu_does menu_closed_does(const struct menu *menu);

/* The answer to a text that is one of the menu's words (INFO, HORAIRES, CONTACT, AIDE, ...), in any case
 * and accents; NULL: it is none. */
const struct menu_text *menu_keyword(const struct menu *menu, struct str text);

/* Every text of it, for those who make audio: `size_t at = 0; while ((text = menu_next(menu, &at)))`. */
const struct menu_text *menu_next(const struct menu *menu, size_t *at);

#endif
