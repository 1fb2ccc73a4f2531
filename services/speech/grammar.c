/*
 * grammar: JSGF (W3C note of 2000): "#JSGF V1.0;", a name, and one public rule.
 */
#include "grammar.h"

static const char *const digit_words[] = {
	"zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"};
enum { DIGIT_WORDS = 10 };

static const char *const yes_words[] = {"yes", "yeah", "yes please"};
static const char *const no_words[] = {"no", "nope", "no thanks"};

/* Words of a to z and apostrophes, in lower case, with one space between them. */
static bool tidy(struct str from, struct arena *arena, struct str *to)
{
	char *data = arena_alloc(arena, from.size + 1);
	size_t size = 0;

	for (size_t i = 0; i < from.size; i++) {
		char c = from.data[i];
		if (c >= 'A' && c <= 'Z')
			c = (char)(c - 'A' + 'a');
		if (c == ' ' && (size == 0 || data[size - 1] == ' '))
			continue;
		if (!(c >= 'a' && c <= 'z') && c != '\'' && c != ' ')
			return false;
		data[size++] = c;
	}
	*to = str_trim(str_of(data, size));
	return to->size > 0 && to->size <= GRAMMAR_MAX_PHRASE;
}

static bool read_phrases(const struct grammar_order *order, struct arena *arena,
	struct grammar *grammar, struct error *error)
{
	if (order->phrases.count > GRAMMAR_MAX_PHRASES)
		return error_set(error, ERROR_INPUT, "phrases: more than %d", GRAMMAR_MAX_PHRASES);
	for (unsigned i = 0; i < order->phrases.count; i++) {
		struct grammar_phrase *phrase = &grammar->phrases[i];
		*phrase = (struct grammar_phrase){.text = order->phrases.items[i], .phrase = i};
		if (!tidy(phrase->text, arena, &phrase->said))
			return error_set(error, ERROR_INPUT,
				"phrases[%u]: English words of a to z, at most %d characters", i,
				GRAMMAR_MAX_PHRASE);
		for (unsigned j = 0; j < i; j++)
			if (str_equal(grammar->phrases[j].said, phrase->said))
				return error_set(error, ERROR_INPUT, "phrases[%u]: said twice", i);
	}
	grammar->count = (unsigned)order->phrases.count;
	return true;
}

static void add_answers(struct grammar *grammar, const char *const *words, size_t count, bool yes)
{
	for (size_t i = 0; i < count; i++)
		grammar->phrases[grammar->count++] = (struct grammar_phrase){
			.said = str_from(words[i]),
			.text = yes ? STR("yes") : STR("no"),
			.phrase = yes ? 0 : 1,
		};
}

bool grammar_read(const struct grammar_order *order, struct arena *arena, struct grammar *grammar,
	struct error *error)
{
	bool phrases = order->phrases.count > 0, digits = order->digits != 0;

	*grammar = (struct grammar){0};
	if ((int)phrases + (int)order->yes_no + (int)digits != 1)
		return error_set(error, ERROR_INPUT, "one of phrases, yes_no and digits is needed");
	if (digits && (order->digits < 1 || order->digits > GRAMMAR_MAX_DIGITS))
		return error_set(error, ERROR_INPUT, "digits: 1 to %d", GRAMMAR_MAX_DIGITS);
	grammar->digits = (unsigned)order->digits;
	if (order->yes_no) {
		add_answers(grammar, yes_words, sizeof(yes_words) / sizeof(yes_words[0]), true);
		add_answers(grammar, no_words, sizeof(no_words) / sizeof(no_words[0]), false);
	}
	return !phrases || read_phrases(order, arena, grammar, error);
}

static void write_digits(const struct grammar *grammar, struct buf *to)
{
	(void)buf_add(to, STR("public <answer> ="));
	for (unsigned i = 0; i < grammar->digits; i++)
		(void)buf_add(to, STR(" <digit>"));
	(void)buf_add(to, STR(";\n<digit> = oh"));
	for (unsigned i = 0; i < DIGIT_WORDS; i++)
		(void)buf_printf(to, " | %s", digit_words[i]);
	(void)buf_add(to, STR(";\n"));
}

void grammar_write(const struct grammar *grammar, struct buf *to)
{
	(void)buf_add(to, STR("#JSGF V1.0;\ngrammar question;\n"));
	if (grammar->digits > 0) {
		write_digits(grammar, to);
		return;
	}
	(void)buf_add(to, STR("public <answer> ="));
	for (unsigned i = 0; i < grammar->count; i++)
		(void)buf_printf(
			to, "%s %.*s", i > 0 ? " |" : "", STR_ARG(grammar->phrases[i].said));
	(void)buf_add(to, STR(";\n"));
}

void grammar_write_loop(const char *const *words, size_t count, struct buf *to)
{
	(void)buf_add(to, STR("#JSGF V1.0;\ngrammar anything;\npublic <sounds> = ("));
	for (size_t i = 0; i < count; i++)
		(void)buf_printf(to, "%s %s", i > 0 ? " |" : "", words[i]);
	(void)buf_add(to, STR(" )+;\n"));
}

static bool digits_meaning(const struct grammar *grammar, struct str heard, struct buf *text)
{
	unsigned count = 0;

	while (heard.size > 0) {
		struct str word = str_cut(&heard, ' ');
		unsigned digit = 0;
		while (digit < DIGIT_WORDS && !str_equal(word, str_from(digit_words[digit])))
			digit++;
		if (str_equal(word, STR("oh")))
			digit = 0;
		if (digit == DIGIT_WORDS || ++count > grammar->digits)
			return false;
		(void)buf_add_char(text, (char)('0' + digit));
	}
	return count == grammar->digits;
}

bool grammar_meaning(const struct grammar *grammar, struct str heard, struct buf *text, int *phrase)
{
	*phrase = -1;
	heard = str_trim(heard);
	if (grammar->digits > 0)
		return digits_meaning(grammar, heard, text);
	for (unsigned i = 0; i < grammar->count; i++) {
		if (!str_equal(grammar->phrases[i].said, heard))
			continue;
		*phrase = (int)grammar->phrases[i].phrase;
		return buf_add(text, grammar->phrases[i].text);
	}
	return false;
}
