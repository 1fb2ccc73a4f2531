/*
 * keywords: see keywords.h. Accents are taken off by a table of the Latin letters that have them; Cyrillic
 * is only put in upper case, Hebrew has none.
 */
#include "keywords.h"

struct letters {
	uint32_t from, to; /* code points */
	const char *base;  /* one letter each, '?' keeps it */
};

static const struct letters latin[] = {
	{0x00C0, 0x00D6, "AAAAAA?CEEEEIIII?NOOOOO"},
	{0x00D8, 0x00DD, "OUUUUY"},
	{0x00E0, 0x00F6, "AAAAAA?CEEEEIIII?NOOOOO"},
	{0x00F8, 0x00FD, "OUUUUY"},
	{0x00FF, 0x010F, "YAAAAAACCCCCCCCDD"},
	{0x0112, 0x011B, "EEEEEEEEEE"},
	{0x0141, 0x0148, "LLNNNNNN"},
	{0x0158, 0x0161, "RRSSSSSSSS"},
	{0x0164, 0x0165, "TT"},
	{0x016A, 0x0173, "UUUUUUUUUU"},
	{0x0179, 0x017E, "ZZZZZZ"},
};

/* -- code points ------------------------------------------------------------------------------------- */

/* The first character; `size` is what str_utf8_size() said of it. */
static uint32_t code_point(struct str text, size_t size)
{
	static const unsigned char masks[] = {0, 0x7F, 0x1F, 0x0F, 0x07};
	uint32_t code = (unsigned char)text.data[0] & masks[size];

	for (size_t i = 1; i < size; i++)
		code = code << 6 | ((unsigned char)text.data[i] & 0x3F);
	return code;
}

static bool is_mark(uint32_t code) /* accents that stand behind their letter */
{
	return code >= 0x0300 && code <= 0x036F;
}

/* Blanks, marks of direction and punctuation that people put around a word. */
static bool is_around(uint32_t code)
{
	if (code < 0x80)
		return !((code >= '0' && code <= '9') || (code >= 'A' && code <= 'Z') ||
			 (code >= 'a' && code <= 'z'));
	return code == 0xA0 || code == 0xAB || code == 0xBB || (code >= 0x2000 && code <= 0x206F) ||
	       code == 0xFEFF;
}

/* 0: it has no other form. */
static char latin_base(uint32_t code)
{
	for (size_t i = 0; i < sizeof(latin) / sizeof(latin[0]); i++) {
		if (code >= latin[i].from && code <= latin[i].to) {
			char base = latin[i].base[code - latin[i].from];

			return base == '?' ? '\0' : base;
		}
	}
	return '\0';
}

static uint32_t cyrillic_upper(uint32_t code)
{
	if (code >= 0x0430 && code <= 0x044F)
		return code - 0x20;
	if (code == 0x0451 || code == 0x0401) /* yo is written as ye as often as not */
		return 0x0415;
	return code;
}

/* -- folding ----------------------------------------------------------------------------------------- */

struct folded {
	char *to;
	size_t size, end; /* `end`: behind the last character that counts */
	bool full;
};

static void put(struct folded *folded, const char *bytes, size_t size, bool counts)
{
	if (!counts && folded->size == 0)
		return;
	if (folded->size + size >= KEYWORD_BYTES) {
		folded->full = folded->full || counts;
		return;
	}
	memcpy(folded->to + folded->size, bytes, size);
	folded->size += size;
	if (counts)
		folded->end = folded->size;
}

static void put_letter(struct folded *folded, struct str text, size_t size)
{
	uint32_t code = code_point(text, size);
	char base = latin_base(code);

	if (code < 0x80) {
		base = (char)(code >= 'a' && code <= 'z' ? code - 32 : code);
		put(folded, &base, 1, !is_around(code));
	} else if (base != '\0') {
		put(folded, &base, 1, true);
	} else if (code >= 0x0400 && code <= 0x045F) {
		uint32_t upper = cyrillic_upper(code);
		const char bytes[] = {(char)(0xC0 | upper >> 6), (char)(0x80 | (upper & 0x3F))};

		put(folded, bytes, sizeof(bytes), true);
	} else if (!is_mark(code)) {
		put(folded, text.data, size, !is_around(code));
	}
}

bool keyword_fold(struct str body, char to[KEYWORD_BYTES])
{
	struct folded folded = {.to = to};

	to[0] = '\0';
	while (body.size > 0 && !folded.full) {
		size_t size = str_utf8_size(body);

		if (size == 0)
			return false;
		put_letter(&folded, body, size);
		body.data += size;
		body.size -= size;
	}
	to[folded.full ? 0 : folded.end] = '\0';
	return !folded.full && folded.end > 0;
}

/* -- what they mean ---------------------------------------------------------------------------------- */

static const struct {
	const char *word;
	struct keyword_found found;
} words[] = {
	{"STOP", {KEYWORD_STOP, true}},
	{"STOPALL", {KEYWORD_STOP, true}},
	{"UNSUBSCRIBE", {KEYWORD_STOP, true}},
	{"CANCEL", {KEYWORD_STOP, true}},
	{"END", {KEYWORD_STOP, true}},
	{"QUIT", {KEYWORD_STOP, true}},
	{"REVOKE", {KEYWORD_STOP, true}},
	{"OPTOUT", {KEYWORD_STOP, true}},
	{"ARRET", {KEYWORD_STOP, false}},
	{"DESABONNER", {KEYWORD_STOP, false}},
	{"DESABONNEMENT", {KEYWORD_STOP, false}},
	{"DESINSCRIRE", {KEYWORD_STOP, false}},
	{"СТОП", {KEYWORD_STOP, false}},
	{"ОТПИСАТЬСЯ", {KEYWORD_STOP, false}},
	{"הסר", {KEYWORD_STOP, false}},
	{"הסרה", {KEYWORD_STOP, false}},
	{"START", {KEYWORD_START, true}},
	{"YES", {KEYWORD_START, true}},
	{"UNSTOP", {KEYWORD_START, true}},
	{"REABONNER", {KEYWORD_START, false}},
	{"СТАРТ", {KEYWORD_START, false}},
	{"HELP", {KEYWORD_HELP, true}},
};

struct keyword_found keyword_find(struct str folded)
{
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (str_equal(folded, str_from(words[i].word)))
			return words[i].found;
	}
	return (struct keyword_found){KEYWORD_NONE, false};
}

enum keyword keyword_of_type(struct str type)
{
	if (str_equal(type, STR("STOP")))
		return KEYWORD_STOP;
	if (str_equal(type, STR("START")))
		return KEYWORD_START;
	return str_equal(type, STR("HELP")) ? KEYWORD_HELP : KEYWORD_NONE;
}

/* -- what is said ------------------------------------------------------------------------------------ */

static const struct {
	const char *language, *stopped, *started;
} confirmations[] = {
	{"fr",
		"Vous ne recevrez plus de messages de notre part. Répondez START pour en recevoir "
		"à nouveau.",
		"Vous recevrez à nouveau nos messages. Répondez STOP pour ne plus en recevoir."},
	{"he", "לא תקבלו מאיתנו הודעות נוספות. לחידוש השיבו START.",
		"תקבלו שוב את ההודעות שלנו. להסרה השיבו STOP."},
	{"ru", "Мы больше не будем писать вам. Чтобы снова получать сообщения, ответьте START.",
		"Вы снова будете получать наши сообщения. Чтобы отказаться, ответьте STOP."},
	{"en", "You will receive no more messages from us. Reply START to receive them again.",
		"You will receive our messages again. Reply STOP to stop them."},
};

struct str keyword_confirmation(enum keyword keyword, struct str language)
{
	size_t last = sizeof(confirmations) / sizeof(confirmations[0]) - 1, at = 0;

	while (at < last && !str_equal(language, str_from(confirmations[at].language)))
		at++;
	if (keyword == KEYWORD_STOP)
		return str_from(confirmations[at].stopped);
	return keyword == KEYWORD_START ? str_from(confirmations[at].started) : STR("");
}
