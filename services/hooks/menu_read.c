/*
 * menu_read: a menu out of its JSON, with words about what is wrong with it.
 */
#include "menu_private.h"

#include "phone.h"

enum { TEXT_MAX_BYTES = 2000, TRIES = 3, WAIT_SECONDS = 5 };

static const char *const does_names[MENU_DOES] = {
	[MENU_INFO] = "info",
	[MENU_VOICEMAIL] = "voicemail",
	[MENU_OPERATOR] = "operator",
	[MENU_AGENT] = "agent",
	[MENU_SUBMENU] = "menu",
	[MENU_LANGUAGE] = "language",
};

static const char *const phrase_names[MENU_PHRASES] = {
	[MENU_PHRASE_INVALID] = "invalid",
	[MENU_PHRASE_GOODBYE] = "goodbye",
	[MENU_PHRASE_CLOSED] = "closed",
	[MENU_PHRASE_VOICEMAIL] = "voicemail",
	[MENU_PHRASE_HOLD] = "hold",
	[MENU_PHRASE_BUSY] = "busy",
	[MENU_PHRASE_THANKS] = "thanks",
	[MENU_PHRASE_FAILED] = "failed",
};

/* What every part of the reading needs. */
struct reading {
	struct menu *menu;
	struct arena *arena;
	struct error *error;
};

static bool complain(struct reading *reading, const char *where, const char *words)
{
	return error_set(reading->error, ERROR_INPUT, "%s: %s", where, words);
}

static struct str keep(struct reading *reading, struct str text)
{
	return str_of(arena_strndup(reading->arena, text.data, text.size), text.size);
}

/* -- texts ------------------------------------------------------------------------------------------------ */

bool menu_add_text(struct menu *menu, const struct menu_text *text)
{
	if (menu->text_count == MENU_MAX_TEXTS)
		return false;
	menu->texts[menu->text_count++] = text;
	return true;
}

static bool read_one(struct reading *reading, const struct json *json, const char *where,
	struct menu_text *text, enum menu_language language)
{
	if (json_kind(json) != JSON_TEXT || json_text(json).size > TEXT_MAX_BYTES)
		return complain(reading, where, "not a text, or longer than 2000 bytes");
	text->in[language] = keep(reading, str_trim(json_text(json)));
	return true;
}

/* {"fr": "...", "he": "..."}. */
static bool read_text(
	struct reading *reading, const struct json *json, const char *where, struct menu_text *text)
{
	*text = (struct menu_text){0};
	if (json_kind(json) != JSON_OBJECT || json_count(json) == 0)
		return complain(reading, where, "takes {\"fr\": \"...\"}");
	for (const struct json *at = json_first(json); at != NULL; at = json_next(at)) {
		enum menu_language language;

		if (!menu_language_from(str_from(json_name(at)), &language))
			return complain(reading, where, "languages are fr, he, ru and en");
		if (!read_one(reading, at, where, text, language))
			return false;
	}
	return true;
}

/* -- keys --------------------------------------------------------------------------------------------------- */

static bool read_node(struct reading *reading, const struct json *json, const char *where,
	unsigned depth, struct menu_node *node);

static bool find_does(struct str name, enum menu_does *does)
{
	for (int i = 0; i < MENU_DOES; i++) {
		if (str_equal(name, str_from(does_names[i]))) {
			*does = (enum menu_does)i;
			return true;
		}
	}
	return false;
}

static const char *text_or_empty(struct reading *reading, const struct json *json, const char *name)
{
	return keep(reading, json_text(json_member(json, name))).data;
}

static bool read_to(
	struct reading *reading, const struct json *json, const char *where, struct menu_key *key)
{
	char number[PHONE_TEXT_BYTES];

	key->to = text_or_empty(reading, json, "to");
	if (key->to[0] == '\0')
		return true;
	if (key->to[0] != '+' || !phone_e164(str_from(key->to), "", number))
		return complain(reading, where, "\"to\" takes a number as +33123456789");
	key->to = arena_strdup(reading->arena, number);
	return true;
}

static bool read_submenu(struct reading *reading, const struct json *json, const char *where,
	unsigned depth, struct menu_key *key)
{
	struct menu_node *node = arena_alloc(reading->arena, sizeof(*node));

	if (depth + 1 == MENU_MAX_DEPTH)
		return complain(reading, where, "menus are nested too deep");
	key->menu = node;
	return read_node(reading, json_member(json, "menu"), where, depth + 1, node);
}

static bool read_does(struct reading *reading, const struct json *json, const char *where,
	unsigned depth, struct menu_key *key)
{
	switch (key->does) {
	case MENU_INFO:
		return key->text.in[0].size + key->text.in[1].size + key->text.in[2].size +
				       key->text.in[3].size >
			       0 ||
		       complain(reading, where, "\"info\" needs a \"text\"");
	case MENU_OPERATOR:
		return read_to(reading, json, where, key);
	case MENU_AGENT:
		key->engine = text_or_empty(reading, json, "engine");
		key->dialogue = text_or_empty(reading, json, "dialogue");
		return true;
	case MENU_SUBMENU:
		return read_submenu(reading, json, where, depth, key);
	case MENU_LANGUAGE:
		return menu_language_from(
			       json_text(json_member(json, "language")), &key->language) ||
		       complain(reading, where, "\"language\" takes fr, he, ru or en");
	default:
		return true;
	}
}

static bool read_key(struct reading *reading, const struct json *json, const char *where,
	unsigned depth, struct menu_key *key)
{
	const struct json *text = json_member(json, "text");

	if (!find_does(json_text(json_member(json, "do")), &key->does))
		return complain(reading, where,
			"\"do\" takes info, voicemail, operator, agent, menu or language");
	if (text != NULL && !read_text(reading, text, where, &key->text))
		return false;
	if (text != NULL && !menu_add_text(reading->menu, &key->text))
		return complain(reading, where, "too many texts");
	key->to = key->engine = key->dialogue = "";
	return read_does(reading, json, where, depth, key);
}

static bool read_keys(struct reading *reading, const struct json *keys, const char *where,
	unsigned depth, struct menu_node *node)
{
	if (json_kind(keys) != JSON_OBJECT || json_count(keys) == 0)
		return complain(reading, where, "\"keys\" takes {\"1\": {\"do\": ...}}");
	for (const struct json *at = json_first(keys); at != NULL; at = json_next(at)) {
		const char *name = json_name(at);
		const char *place = arena_printf(reading->arena, "%s.keys.%.8s", where, name);
		struct menu_key *key = &node->keys[node->key_count];

		if (strlen(name) != 1 || strchr("0123456789*#", name[0]) == NULL)
			return complain(reading, place, "a key is one of 0-9 * #");
		if (menu_key(node, name[0]) != NULL)
			return complain(reading, place, "twice");
		key->digit = name[0];
		if (!read_key(reading, at, place, depth, key))
			return false;
		node->key_count++;
	}
	return true;
}

static bool read_node(struct reading *reading, const struct json *json, const char *where,
	unsigned depth, struct menu_node *node)
{
	const struct json *prompt = json_member(json, "prompt");

	if (json == NULL || json_kind(json) != JSON_OBJECT)
		return complain(reading, where, "not an object");
	if (prompt == NULL)
		return complain(reading, where, "\"prompt\" is missing");
	if (!read_text(reading, prompt, where, &node->prompt))
		return false;
	if (!menu_add_text(reading->menu, &node->prompt))
		return complain(reading, where, "too many texts");
	return read_keys(reading, json_member(json, "keys"), where, depth, node);
}

/* -- the rest -------------------------------------------------------------------------------------------------- */

void menu_put_phrases(struct menu *menu)
{
	for (int i = 0; i < MENU_PHRASES; i++) {
		menu->phrases[i] = menu_default_phrases[i];
		(void)menu_add_text(menu, &menu->phrases[i]);
	}
	for (const struct menu_default_word *at = menu_default_words; at->word != NULL; at++)
		(void)menu_add_word(menu, str_from(at->word), at->answer);
}

/* Languages that the enterprise leaves out keep the default's words. */
static bool read_phrases(struct reading *reading, const struct json *json)
{
	for (int i = 0; i < MENU_PHRASES; i++) {
		const struct json *own = json_member(json, phrase_names[i]);
		struct menu_text text;

		if (own == NULL)
			continue;
		if (!read_text(reading, own, phrase_names[i], &text))
			return false;
		for (int l = 0; l < MENU_LANGUAGES; l++) {
			if (text.in[l].size > 0)
				reading->menu->phrases[i].in[l] = text.in[l];
		}
	}
	return true;
}

static bool read_words(struct reading *reading, const struct json *json)
{
	if (json != NULL && json_kind(json) != JSON_OBJECT)
		return complain(reading, "keywords", "not an object");
	for (const struct json *at = json_first(json); at != NULL; at = json_next(at)) {
		struct menu_text answer;

		if (!read_text(reading, at, "keywords", &answer))
			return false;
		if (!menu_add_word(reading->menu, str_from(json_name(at)), &answer))
			return complain(reading, "keywords", "too many, or a word is too long");
	}
	return true;
}

static bool read_number(struct reading *reading, const struct json *json, const char *name,
	unsigned most, unsigned *to)
{
	const struct json *own = json_member(json, name);
	double value = own != NULL ? json_number(own) : *to;

	if (value < 1 || value > most || value != (unsigned)value)
		return complain(reading, name, "out of range");
	*to = (unsigned)value;
	return true;
}

static bool read_zone(struct reading *reading, const struct json *json)
{
	const struct json *own = json_member(json, "zone");
	const char *name;

	if (own == NULL)
		return true;
	name = keep(reading, json_text(own)).data;
	reading->menu->zone = clock_zone_new(name);
	return reading->menu->zone != NULL ||
	       complain(reading, "zone", "not known; takes a name as Europe/Paris");
}

static bool read_closed(struct reading *reading, const struct json *json)
{
	const struct json *own = json_member(json, "closed_do");
	enum menu_does *does = &reading->menu->closed_does;

	if (own != NULL && (!find_does(json_text(own), does) || *does > MENU_AGENT))
		return complain(reading, "closed_do", "takes info, voicemail, operator or agent");
	return true;
}

static struct menu *menu_new(struct arena *arena)
{
	struct menu *menu = arena_alloc(arena, sizeof(*menu));

	menu->tries = TRIES;
	menu->wait_seconds = WAIT_SECONDS;
	menu->closed_does = MENU_VOICEMAIL;
	menu_put_phrases(menu);
	return menu;
}

struct menu *menu_read(const struct json *json, struct arena *arena, struct error *error)
{
	struct reading reading = {menu_new(arena), arena, error};
	struct menu *menu = reading.menu;

	if (read_node(&reading, json, "menu", 0, &menu->root) && read_phrases(&reading, json) &&
		read_words(&reading, json_member(json, "keywords")) &&
		menu_read_hours(json_member(json, "hours"), menu, error) &&
		menu_read_holidays(json_member(json, "holidays"), menu, error) &&
		read_number(&reading, json, "tries", 10, &menu->tries) &&
		read_number(&reading, json, "wait_seconds", 60, &menu->wait_seconds) &&
		read_closed(&reading, json) && read_zone(&reading, json))
		return menu;
	menu_close(menu);
	return NULL;
}

struct menu *menu_default(struct arena *arena)
{
	static const struct menu_key keys[] = {
		{.digit = '1', .does = MENU_INFO, .to = "", .engine = "", .dialogue = ""},
		{.digit = '2', .does = MENU_VOICEMAIL, .to = "", .engine = "", .dialogue = ""},
		{.digit = '0', .does = MENU_OPERATOR, .to = "", .engine = "", .dialogue = ""},
	};
	struct menu *menu = menu_new(arena);
	struct menu_node *root = &menu->root;

	root->prompt = menu_default_prompt;
	(void)menu_add_text(menu, &root->prompt);
	for (; root->key_count < sizeof(keys) / sizeof(keys[0]); root->key_count++)
		root->keys[root->key_count] = keys[root->key_count];
	root->keys[0].text = menu_default_info;
	(void)menu_add_text(menu, &root->keys[0].text);
	return menu;
}
