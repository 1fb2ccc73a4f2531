/*
 * menu_private: a menu's own struct, for menu*.c.
 */
#ifndef HOOKS_MENU_PRIVATE_H
#define HOOKS_MENU_PRIVATE_H

#include "hook_menu.h"
#include "keywords.h"

enum { MENU_MAX_SPANS = 6, MENU_MAX_HOLIDAYS = 64, MENU_MAX_WORDS = 64, MENU_DAYS = 7 };

struct menu_span { /* of a day, in minutes; `to` is not part of it */
	int from, to;
};

struct menu_word {
	char word[KEYWORD_BYTES]; /* folded */
	struct menu_text answer;
};

struct menu_day { /* a holiday; year 0: each year */
	int year, month, day;
};

struct menu {
	struct menu_node root;
	struct menu_text phrases[MENU_PHRASES];
	unsigned tries, wait_seconds;
	struct clock_zone *zone; /* NULL: the enterprise's */
	bool has_hours;
	struct menu_span hours[MENU_DAYS][MENU_MAX_SPANS]; /* 0 Monday; to 0: none */
	struct menu_day holidays[MENU_MAX_HOLIDAYS];
	unsigned holiday_count;
	enum menu_does closed_does;
	struct menu_word words[MENU_MAX_WORDS];
	unsigned word_count;
	const struct menu_text *texts[MENU_MAX_TEXTS]; /* all that is said */
	size_t text_count;
};

/* What is said and answered where the enterprise says nothing of its own (menu_texts.c). */
extern const struct menu_text menu_default_phrases[MENU_PHRASES];
extern const struct menu_text menu_default_prompt, menu_default_info;
struct menu_default_word {
	const char *word; /* NULL ends the table */
	const struct menu_text *answer;
};
extern const struct menu_default_word menu_default_words[];

/* False when there are too many. */
bool menu_add_text(struct menu *menu, const struct menu_text *text);
bool menu_add_word(struct menu *menu, struct str word, const struct menu_text *answer);
void menu_put_phrases(struct menu *menu); /* the default ones */

/* "hours", "holidays" (menu_hours.c). */
bool menu_read_hours(const struct json *json, struct menu *menu, struct error *error);
bool menu_read_holidays(const struct json *json, struct menu *menu, struct error *error);

#endif
