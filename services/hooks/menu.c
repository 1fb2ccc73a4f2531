/*
 * menu: see hook_menu.h; what is asked of a menu once it was read.
 */
#include "menu_private.h"

static const char *const language_names[MENU_LANGUAGES] = {"fr", "he", "ru", "en"};

bool menu_language_from(struct str name, enum menu_language *language)
{
	for (int i = 0; i < MENU_LANGUAGES; i++) {
		if (str_equal(name, str_from(language_names[i]))) {
			*language = (enum menu_language)i;
			return true;
		}
	}
	return false;
}

const char *menu_language_name(enum menu_language language)
{
	return language_names[language];
}

struct str menu_text_in(const struct menu_text *text, enum menu_language language)
{
	if (text->in[language].size > 0)
		return text->in[language];
	for (int i = 0; i < MENU_LANGUAGES; i++) {
		if (text->in[i].size > 0)
			return text->in[i];
	}
	return STR("");
}

const struct menu_text *menu_phrase(const struct menu *menu, enum menu_phrase phrase)
{
	return &menu->phrases[phrase];
}

const struct menu_text *menu_default_phrase(enum menu_phrase phrase)
{
	return &menu_default_phrases[phrase];
}

const struct menu_key *menu_key(const struct menu_node *node, char digit)
{
	for (unsigned i = 0; i < node->key_count; i++) {
		if (node->keys[i].digit == digit)
			return &node->keys[i];
	}
	return NULL;
}

const struct menu_node *menu_at(const struct menu *menu, struct str path)
{
	const struct menu_node *node = &menu->root;

	for (size_t i = 0; i < path.size && node != NULL; i++) {
		const struct menu_key *key = menu_key(node, path.data[i]);

		node = key != NULL && key->does == MENU_SUBMENU ? key->menu : NULL;
	}
	return node;
}

unsigned menu_tries(const struct menu *menu)
{
	return menu->tries;
}

unsigned menu_wait_seconds(const struct menu *menu)
{
	return menu->wait_seconds;
}

enum menu_does menu_closed_does(const struct menu *menu)
{
	return menu->closed_does;
}

const struct menu_text *menu_next(const struct menu *menu, size_t *at)
{
	return *at < menu->text_count ? menu->texts[(*at)++] : NULL;
}

void menu_close(struct menu *menu)
{
	if (menu != NULL)
		clock_zone_free(&menu->zone);
}
