/*
 * message_grammar: plurals and one case, by the endings that decide them.
 */
#include "message_grammar.h"

#include <inttypes.h>

unsigned grammar_plural_ru(uint64_t number)
{
	unsigned tens = (unsigned)(number % 100), ones = (unsigned)(number % 10);

	if (tens >= 11 && tens <= 14)
		return 2;
	if (ones == 1)
		return 0;
	return ones >= 2 && ones <= 4 ? 1 : 2;
}

static void add_counted(
	struct buf *to, const char *locale, uint64_t number, const char *const words[5])
{
	bool english = str_equal(str_from(locale), STR("en"));
	unsigned which = english ? 3 + (number != 1) : grammar_plural_ru(number);

	buf_printf(to, "%" PRIu64 " %s", number, words[which]);
}

void grammar_add_times(const char *locale, uint64_t number, struct buf *to)
{
	static const char *const words[5] = {"раз", "раза", "раз", "time", "times"};

	add_counted(to, locale, number, words);
}

void grammar_add_transfers(const char *locale, uint64_t number, struct buf *to)
{
	static const char *const words[5] = {
		"перевод", "перевода", "переводов", "transfer", "transfers"};

	add_counted(to, locale, number, words);
}

/* Longer endings first. A surname that merely sounds like a regular one (Лев, Калина) is bent, too:
 * two letters before the ending keep the shortest of them out. */
void grammar_add_genitive_ru(struct str surname, struct buf *to)
{
	static const struct {
		const char *ending;
		size_t cut; /* bytes */
		const char *instead;
	} rules[] = {
		{"ский", 4, "ого"},
		{"цкий", 4, "ого"},
		{"ская", 4, "ой"},
		{"цкая", 4, "ой"},
		{"ова", 2, "ой"},
		{"ева", 2, "ой"},
		{"ёва", 2, "ой"},
		{"ина", 2, "ой"},
		{"ына", 2, "ой"},
		{"ов", 0, "а"},
		{"ев", 0, "а"},
		{"ёв", 0, "а"},
		{"ин", 0, "а"},
		{"ын", 0, "а"},
	};

	for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
		struct str ending = str_from(rules[i].ending);
		if (!str_ends(surname, ending) || surname.size < ending.size + 4)
			continue;
		buf_add(to, str_of(surname.data, surname.size - rules[i].cut));
		buf_add(to, str_from(rules[i].instead));
		return;
	}
	buf_add(to, surname);
}
