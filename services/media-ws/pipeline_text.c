/*
 * pipeline_text: see pipeline_text.h.
 */
#include "pipeline_text.h"

#include <ctype.h>

enum {
	CLAUSE_BYTES = 40,   /* a first clause is spoken alone from here on */
	LONGEST_BYTES = 400, /* spoken at once; some 25 s */
};

static bool is_space(char c)
{
	return c == ' ' || c == '\n' || c == '\t' || c == '\r';
}

/* Bytes of an end of a sentence at the front: . ! ? or the ellipsis U+2026, and what closes quotes. */
static size_t end_mark(struct str text)
{
	size_t size = 0;

	while (size < text.size) {
		struct str rest = str_of(text.data + size, text.size - size);

		if (strchr(".!?", rest.data[0]) != NULL)
			size++;
		else if (str_starts(rest, STR("\xe2\x80\xa6")))
			size += 3;
		else
			break;
	}
	while (size > 0 && size < text.size) {
		struct str rest = str_of(text.data + size, text.size - size);

		if (strchr(")\"'", rest.data[0]) != NULL)
			size++;
		else if (str_starts(rest, STR("\xc2\xbb")) || str_starts(rest, STR("\xe2\x80\x9d")))
			size += str_utf8_size(rest);
		else
			break;
	}
	return size;
}

/* "Dr. Cohen", "M. Dupont", "ул. Ленина", and "1. First" of a list. Not by length: "OK.", "No.", "Да."
 * are sentences, and so is "... at 9.". */
static bool is_abbreviation(struct str before)
{
	static const char *const words[] = {
		"Mr", "Mrs", "Ms", "Dr", "St", "Prof", "Mme", "Mlle", "ул", "им", "тел"};
	size_t size = 0;
	struct str word;

	while (size < before.size && !is_space(before.data[before.size - 1 - size]))
		size++;
	word = str_of(before.data + before.size - size, size);
	if (str_is_digits(word))
		return str_trim(before).size == size;
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (str_equal(word, str_from(words[i])))
			return true;
	}
	return size > 0 && str_utf8_size(word) == size &&
	       (isupper((unsigned char)word.data[0]) || size > 1); /* a letter: "M.", "г." */
}

/* Up to the last space before `most`; never inside a character. */
static size_t cut_between_words(struct str text, size_t most)
{
	size_t size = most < text.size ? most : text.size;

	while (size > 0 && !is_space(text.data[size - 1]))
		size--;
	if (size > 0)
		return size;
	size = most < text.size ? most : text.size;
	while (size > 0 && size < text.size && ((unsigned char)text.data[size] & 0xc0) == 0x80)
		size--;
	return size;
}

/* Of a sentence, or of a clause where that is enough, that ends at `at`; 0: none does. */
static size_t piece_at(struct str text, size_t at, bool clause)
{
	struct str rest = str_of(text.data + at, text.size - at);
	size_t mark = end_mark(rest);

	if (rest.data[0] == '\n' && at > 0)
		return at + 1;
	if (mark > 0 && mark < rest.size && is_space(rest.data[mark]) &&
		!(rest.data[0] == '.' && mark == 1 && is_abbreviation(str_of(text.data, at))))
		return at + mark;
	if (clause && at >= CLAUSE_BYTES && strchr(",;:", rest.data[0]) != NULL && rest.size > 1 &&
		is_space(rest.data[1]))
		return at + 1;
	return 0;
}

size_t text_speakable(struct str text, bool first, bool whole)
{
	size_t limit = text.size < LONGEST_BYTES ? text.size : LONGEST_BYTES;

	for (size_t at = 0; at < limit; at++) {
		size_t size = piece_at(text, at, first);

		if (size > 0)
			return size;
	}
	if (text.size > LONGEST_BYTES)
		return cut_between_words(text, LONGEST_BYTES);
	return whole ? text.size : 0;
}

void text_add_spoken(struct buf *to, struct str text)
{
	for (size_t i = 0; i < text.size; i++) {
		char c = is_space(text.data[i]) ? ' ' : text.data[i];

		if (strchr("*#`_", c) == NULL)
			(void)buf_add_char(to, c);
	}
}

struct str text_heard(struct str text, int64_t played_ms, int64_t total_ms)
{
	size_t size;

	if (played_ms <= 0 || total_ms <= 0)
		return str_of(text.data, 0);
	if (played_ms >= total_ms)
		return text;
	size = (size_t)((int64_t)text.size * played_ms / total_ms);
	while (size > 0 && !is_space(text.data[size]))
		size--;
	return str_trim(str_of(text.data, size));
}

/* -- was anything said? ---------------------------------------------------------------------------- */

bool text_sound_is_speech(const struct text_sound *sound)
{
	return sound->voice_ms >= TEXT_SHORTEST_MS && sound->loudest >= TEXT_QUIET_RMS;
}

/* What speech models were trained on is subtitles, and those say this while nobody speaks. */
static const char *const subtitles[] = {
	"thank you for watching",
	"thanks for watching",
	"subtitles by the amara.org community",
	"sous-titres réalisés par la communauté d'amara.org",
	"sous-titrage st' 501",
	"merci d'avoir regardé cette vidéo",
	"продолжение следует",
	"спасибо за просмотр",
	"субтитры сделал dimatorzok",
	"субтитры создавал dimatorzok",
	"редактор субтитров а.семкин корректор а.егорова",
	"תודה על הצפייה",
	"תודה שצפיתם",
};

static bool is_punctuation(struct str text, size_t at)
{
	return (unsigned char)text.data[at] < 0x80 && !isalnum((unsigned char)text.data[at]);
}

/* Without what stands around the words. */
static struct str words_of(struct str text)
{
	while (text.size > 0 && is_punctuation(text, 0))
		text = str_of(text.data + 1, text.size - 1);
	while (text.size > 0 && is_punctuation(text, text.size - 1))
		text.size--;
	return text;
}

/* Equal but for the case of ASCII letters; of others only the first may differ ("С" and "с"). */
static bool is_phrase(struct str text, struct str phrase)
{
	size_t skip = str_utf8_size(text);

	if (text.size != phrase.size)
		return false;
	if (str_equal_nocase(text, phrase))
		return true;
	return skip > 1 && str_equal_nocase(str_of(text.data + skip, text.size - skip),
				   str_of(phrase.data + skip, phrase.size - skip));
}

static bool is_one_word(struct str text)
{
	for (size_t i = 0; i < text.size; i++) {
		if (is_space(text.data[i]))
			return false;
	}
	return true;
}

bool text_is_imagined(struct str text, const struct text_sound *sound)
{
	static const char *const polite[] = {"thank you", "thank you very much", "bye bye",
		"merci beaucoup", "au revoir", "спасибо большое", "до свидания", "תודה רבה"};
	bool soft = sound->loudest < TEXT_SOFT_RMS || sound->voice_ms < TEXT_SOFT_MS;

	text = words_of(text);
	if (text.size == 0)
		return true;
	for (size_t i = 0; i < sizeof(subtitles) / sizeof(subtitles[0]); i++) {
		if (is_phrase(text, str_from(subtitles[i])))
			return true;
	}
	for (size_t i = 0; soft && i < sizeof(polite) / sizeof(polite[0]); i++) {
		if (is_phrase(text, str_from(polite[i])))
			return true;
	}
	return is_one_word(text) && sound->loudest < TEXT_SOFT_RMS &&
	       sound->voice_ms < TEXT_SOFT_MS;
}
