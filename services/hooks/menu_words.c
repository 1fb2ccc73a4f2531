/*
 * menu_words: what people write in one word: in any case and accents (keywords.h).
 */
#include "keywords.h"
#include "menu_private.h"

bool menu_add_word(struct menu *menu, struct str word, const struct menu_text *answer)
{
	struct menu_word *place = menu->words;
	char folded[KEYWORD_BYTES];

	if (!keyword_fold(word, folded))
		return false;
	while (place < menu->words + menu->word_count && strcmp(place->word, folded) != 0)
		place++;
	if (place == menu->words + menu->word_count) {
		if (menu->word_count == MENU_MAX_WORDS)
			return false;
		menu->word_count++;
	}
	(void)str_copy(place->word, sizeof(place->word), str_from(folded));
	place->answer = *answer;
	return true;
}

const struct menu_text *menu_keyword(const struct menu *menu, struct str text)
{
	char folded[KEYWORD_BYTES];

	if (!keyword_fold(text, folded))
		return NULL;
	for (unsigned i = 0; i < menu->word_count; i++) {
		if (strcmp(menu->words[i].word, folded) == 0)
			return &menu->words[i].answer;
	}
	return NULL;
}
