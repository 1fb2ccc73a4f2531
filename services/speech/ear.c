/*
 * ear: two searches of one decoder: "question", set anew each time, and "anything", set at the start.
 */
#include "ear.h"

#include "alloc.h"
#include "grammar.h"

#include <math.h>
#include <pocketsphinx.h>
#include <sphinxbase/err.h>
#include <sphinxbase/jsgf.h>
#include <stdlib.h>

/* The sounds of the en-us model. They become words of the same name, which no caller can ask for:
 * phrases are letters only. */
static const char *const sounds[][2] = {
	{"_aa", "AA"},
	{"_ae", "AE"},
	{"_ah", "AH"},
	{"_ao", "AO"},
	{"_aw", "AW"},
	{"_ay", "AY"},
	{"_b", "B"},
	{"_ch", "CH"},
	{"_d", "D"},
	{"_dh", "DH"},
	{"_eh", "EH"},
	{"_er", "ER"},
	{"_ey", "EY"},
	{"_f", "F"},
	{"_g", "G"},
	{"_hh", "HH"},
	{"_ih", "IH"},
	{"_iy", "IY"},
	{"_jh", "JH"},
	{"_k", "K"},
	{"_l", "L"},
	{"_m", "M"},
	{"_n", "N"},
	{"_ng", "NG"},
	{"_ow", "OW"},
	{"_oy", "OY"},
	{"_p", "P"},
	{"_r", "R"},
	{"_s", "S"},
	{"_sh", "SH"},
	{"_t", "T"},
	{"_th", "TH"},
	{"_uh", "UH"},
	{"_uw", "UW"},
	{"_v", "V"},
	{"_w", "W"},
	{"_y", "Y"},
	{"_z", "Z"},
};
enum {
	SOUNDS = sizeof(sounds) / sizeof(sounds[0]),
	FRAME_MS = 10,
	FRAME_SAMPLES = EAR_HZ / 1000 * FRAME_MS
};

static const char QUESTION[] = "question", ANYTHING[] = "anything";
/* Of scores a frame: with the recordings of tests/unit/speech answers lie above -1, other words and
 * noise below it (docs/adr/0024). */
static const double SCALE = 2;
static const float WEIGHT = 6.5F; /* of the grammar against the sounds: pocketsphinx' own -lw */

struct ear {
	cmd_ln_t *config;
	ps_decoder_t *decoder;
};

/* What ps_set_jsgf_string() does, but that one never frees the grammar. */
static bool set_grammar(struct ear *ear, const char *name, const struct buf *grammar)
{
	jsgf_t *jsgf = grammar->failed ? NULL : jsgf_parse_string(grammar->data, NULL);
	jsgf_rule_t *rule = jsgf != NULL ? jsgf_get_public_rule(jsgf) : NULL;
	fsg_model_t *fsg =
		rule != NULL ? jsgf_build_fsg(jsgf, rule, ps_get_logmath(ear->decoder), WEIGHT)
			     : NULL;
	bool ok = fsg != NULL && ps_set_fsg(ear->decoder, name, fsg) == 0;

	if (fsg != NULL)
		(void)fsg_model_free(fsg);
	if (jsgf != NULL)
		jsgf_grammar_free(jsgf);
	return ok;
}

static bool add_sounds(struct ear *ear)
{
	const char *words[SOUNDS];
	struct buf grammar;
	bool ok = true;

	for (size_t i = 0; i < SOUNDS; i++) {
		words[i] = sounds[i][0];
		ok = ok &&
		     ps_add_word(ear->decoder, sounds[i][0], sounds[i][1], i + 1 == SOUNDS) >= 0;
	}
	buf_init(&grammar, GRAMMAR_MAX_BYTES);
	grammar_write_loop(words, SOUNDS, &grammar);
	ok = ok && set_grammar(ear, ANYTHING, &grammar);
	buf_free(&grammar);
	return ok;
}

struct ear *ear_new(const char *model, const char *dictionary, struct error *error)
{
	struct ear *ear = alloc_zeroed(1, sizeof(*ear));

	(void)err_set_logfp(NULL); /* it would print its whole configuration */
	ear->config = cmd_ln_init(NULL, ps_args(), TRUE, "-hmm", model, "-dict", dictionary, NULL);
	ear->decoder = ear->config != NULL ? ps_init(ear->config) : NULL;
	if (ear->decoder != NULL && add_sounds(ear))
		return ear;
	(void)error_set(error, ERROR_INTERNAL,
		"pocketsphinx does not start with the model %s: is pocketsphinx-en-us installed?",
		model);
	ear_free(&ear);
	return NULL;
}

void ear_free(struct ear **ear)
{
	if (*ear == NULL)
		return;
	if ((*ear)->decoder != NULL)
		(void)ps_free((*ear)->decoder);
	if ((*ear)->config != NULL)
		(void)cmd_ln_free_r((*ear)->config);
	free(*ear);
	*ear = NULL;
}

static bool knows_words(struct ear *ear, struct str phrase, struct error *error)
{
	while (phrase.size > 0) {
		char word[GRAMMAR_MAX_PHRASE + 1];
		(void)str_copy(word, sizeof(word), str_cut(&phrase, ' '));
		char *sounds_of = ps_lookup_word(ear->decoder, word);
		if (sounds_of == NULL)
			return error_set(error, ERROR_INPUT,
				"phrases: \"%s\" is not in the English dictionary", word);
		free(sounds_of);
	}
	return true;
}

bool ear_ask(struct ear *ear, const struct grammar *grammar, struct error *error)
{
	struct buf text;

	for (unsigned i = 0; i < grammar->count; i++)
		if (!knows_words(ear, grammar->phrases[i].said, error))
			return false;
	buf_init(&text, GRAMMAR_MAX_BYTES);
	grammar_write(grammar, &text);
	bool ok = set_grammar(ear, QUESTION, &text) ||
		  error_set(error, ERROR_INPUT, "phrases: too long together");
	buf_free(&text);
	return ok;
}

/* Fillers are <sil>, [NOISE] and their like. */
static void count_frames(ps_decoder_t *decoder, struct ear_heard *heard)
{
	for (ps_seg_t *at = ps_seg_iter(decoder); at != NULL; at = ps_seg_next(at)) {
		int from = 0, to = 0;
		ps_seg_frames(at, &from, &to);
		if (strchr("<[(+", ps_seg_word(at)[0]) == NULL)
			heard->word_frames += to - from + 1;
	}
}

struct ear_heard ear_hear(struct ear *ear, const int16_t *samples, size_t count, bool anything)
{
	struct ear_heard heard = {{0}, 0, 0};
	bool ok = ps_set_search(ear->decoder, anything ? ANYTHING : QUESTION) == 0 &&
		  ps_start_utt(ear->decoder) == 0;

	if (!ok)
		return heard;
	/* All at once: its mean is taken over the whole then, not over earlier callers. */
	(void)ps_process_raw(ear->decoder, samples, count, FALSE, TRUE);
	(void)ps_end_utt(ear->decoder);
	const char *words = ps_get_hyp(ear->decoder, &heard.score);
	(void)str_copy(heard.text, sizeof(heard.text), str_from(words));
	count_frames(ear->decoder, &heard);
	return heard;
}

bool ear_plausible(const struct ear_heard *answer, int64_t voice_ms)
{
	return answer->text[0] != '\0' && 2 * FRAME_MS * answer->word_frames >= voice_ms;
}

double ear_confidence(
	const struct ear_heard *answer, const struct ear_heard *anything, size_t samples)
{
	double frames = (double)samples / FRAME_SAMPLES;
	double better = ((double)answer->score - (double)anything->score) / frames;

	return 1 / (1 + exp(-better / SCALE));
}
