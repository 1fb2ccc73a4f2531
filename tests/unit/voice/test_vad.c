/* vad: speech among noise, hum and clicks; pains P8 (it calibrates, it ends utterances), P9 (no deaf
 * windows) and P29 (noise is no speech). */
#include "vad.h"

#include "audio.h"

#include "../base/check.h"

#include <stdlib.h>

enum { MOST_EVENTS = 64 };

struct heard {
	struct {
		enum vad_event event;
		int64_t at_ms, begun_ms, length_ms;
	} events[MOST_EVENTS];
	unsigned count;
	double floor;
};

static struct audio *sound(void)
{
	static struct audio audio; /* a minute: too much for a stack */

	audio.count = 0;
	return &audio;
}

static struct heard listen_in(
	const struct audio *audio, const struct vad_options *options, size_t frame)
{
	struct heard heard = {.count = 0};
	struct vad vad;

	vad_init(&vad, options);
	for (size_t at = 0; at + frame <= audio->count; at += frame) {
		enum vad_event event = vad_hear(&vad, audio->samples + at, frame);
		if (event == VAD_NONE)
			continue;
		assert_true(heard.count < MOST_EVENTS);
		heard.events[heard.count].event = event;
		heard.events[heard.count].at_ms = vad.at_ms;
		heard.events[heard.count].begun_ms = vad.begun_ms;
		heard.events[heard.count++].length_ms = vad_utterance_ms(&vad);
	}
	heard.floor = vad.floor;
	return heard;
}

static struct heard listen(const struct audio *audio)
{
	return listen_in(audio, NULL, 160);
}

static unsigned count_of(const struct heard *heard, enum vad_event event)
{
	unsigned count = 0;

	for (unsigned i = 0; i < heard->count; i++)
		count += heard->events[i].event == event;
	return count;
}

static int64_t first_at(const struct heard *heard, enum vad_event event)
{
	for (unsigned i = 0; i < heard->count; i++)
		if (heard->events[i].event == event)
			return heard->events[i].at_ms;
	fail_msg("event %d did not come", event);
	return -1;
}

static const char *const speakers[] = {
	"flite:slt", "flite:rms", "flite:awb", "flite:kal16", "espeak:en-us", "espeak:fr"};
enum { SPEAKERS = sizeof(speakers) / sizeof(speakers[0]) };

static void words_are_one_utterance_with_its_end(void **state)
{
	for (unsigned i = 0; i < SPEAKERS; i++) {
		struct audio *audio = sound();
		audio_silence(audio, 1000);
		unsigned ms = audio_words(audio, speakers[i], "opening hours");
		audio_silence(audio, 1000);
		struct heard heard = listen(audio);
		assert_int_equal(count_of(&heard, VAD_STARTED), 1);
		assert_int_equal(count_of(&heard, VAD_BARGED), 1);
		assert_int_equal(count_of(&heard, VAD_ENDED), 1);
		/* The begin lies inside the words; the pre-roll of 300 ms reaches before them. */
		assert_in_range(heard.events[0].begun_ms, 1000, 1300);
		assert_in_range(first_at(&heard, VAD_ENDED), 1000 + 200, 1000 + ms + 420);
	}
}

/* 400 ms of silence end an utterance, 250 a sharp drop: well under the second of the old system. */
static void an_end_is_told_after_its_silence(void **state)
{
	struct audio *audio = sound();

	audio_silence(audio, 500);
	audio_tone(audio, 1000, 300, 3000); /* stops at full loudness */
	audio_silence(audio, 1000);
	struct heard heard = listen(audio);
	assert_int_equal(first_at(&heard, VAD_ENDED), 1500 + 260);
	assert_in_range(heard.events[heard.count - 1].length_ms, 980, 1020);

	audio = sound();
	audio_silence(audio, 500);
	audio_tone(audio, 800, 300, 3000);
	for (unsigned i = 0; i < 10; i++) /* dies away */
		audio_tone(audio, 20, 300, 3000 / (1.8 * (i + 1)));
	audio_silence(audio, 1000);
	heard = listen(audio);
	assert_int_equal(first_at(&heard, VAD_ENDED), 1500 + 400);
}

static void a_short_pause_between_words_ends_nothing(void **state)
{
	struct audio *audio = sound();

	audio_silence(audio, 500);
	for (unsigned i = 0; i < 4; i++) {
		audio_tone(audio, 300, 250, 2500);
		audio_silence(audio, 160);
	}
	audio_silence(audio, 600);
	struct heard heard = listen(audio);
	assert_int_equal(count_of(&heard, VAD_STARTED), 1);
	assert_int_equal(count_of(&heard, VAD_ENDED), 1);
}

static void who_interrupts_is_noticed_in_time(void **state)
{
	struct audio *audio = sound();

	audio_noise(audio, 1000, 15);
	audio_tone(audio, 500, 250, 2500);
	struct heard heard = listen(audio);
	assert_in_range(first_at(&heard, VAD_STARTED), 1060, 1080);
	assert_in_range(first_at(&heard, VAD_BARGED), 1150, 1180);
}

/* P29 */
static void noise_hum_and_silence_are_no_speech(void **state)
{
	static const double loudness[] = {0, 5, 30, 100, 300, 390};

	for (unsigned i = 0; i < sizeof(loudness) / sizeof(loudness[0]); i++) {
		struct audio *audio = sound();
		audio_noise(audio, 10000, loudness[i]);
		struct heard heard = listen(audio);
		assert_int_equal(heard.count, 0);
		audio = sound();
		audio_tone(audio, 10000, 50, loudness[i]);
		heard = listen(audio);
		assert_int_equal(heard.count, 0);
	}
}

static void clicks_are_dropped(void **state)
{
	struct audio *audio = sound();

	audio_silence(audio, 700);
	for (unsigned i = 0; i < 5; i++) {
		audio_tone(audio, 20, 1000, 8000); /* a click */
		audio_silence(audio, 700);
	}
	audio_tone(audio, 100, 300, 4000); /* a knock */
	audio_silence(audio, 700);
	struct heard heard = listen(audio);
	assert_int_equal(count_of(&heard, VAD_STARTED), 1);
	assert_int_equal(count_of(&heard, VAD_DROPPED), 1);
	assert_int_equal(count_of(&heard, VAD_ENDED), 0);
	assert_int_equal(count_of(&heard, VAD_BARGED), 0);
}

/* P8: the old one never calibrated: its threshold stayed at 35 whatever the line was like. */
static void it_calibrates_to_the_line(void **state)
{
	for (unsigned i = 0; i < SPEAKERS; i++) {
		struct audio *audio = sound();
		audio_silence(audio, 1500);
		audio_words(audio, speakers[i], "my order");
		audio_silence(audio, 1500);
		audio_add_noise(audio, 0, 150);
		struct heard heard = listen(audio);
		assert_in_range((int)heard.floor, 100, 170);
		assert_int_equal(count_of(&heard, VAD_STARTED), 1);
		assert_int_equal(count_of(&heard, VAD_ENDED), 1);
	}
}

/* P8: a hum that begins in mid-call and stays must not be an utterance without end. */
static void a_new_noise_becomes_the_floor(void **state)
{
	struct audio *audio = sound();

	audio_noise(audio, 2000, 10);
	audio_noise(audio, 12000, 600);
	struct heard heard = listen(audio);
	assert_int_equal(count_of(&heard, VAD_STARTED), 1);
	assert_int_equal(count_of(&heard, VAD_ENDED) + count_of(&heard, VAD_CUT), 1);
	assert_in_range(heard.events[heard.count - 1].at_ms, 2000, 5000);

	/* And words over it are heard still. */
	audio_words(audio, "flite:rms", "operator");
	audio_silence(audio, 1000);
	audio_add_noise(audio, 14000, 600);
	heard = listen(audio);
	assert_int_equal(count_of(&heard, VAD_STARTED), 2);
}

/* P9: whoever speaks from the first sample on is heard, also before anything is known of the line. */
static void there_is_no_deaf_window(void **state)
{
	struct audio *audio = sound();
	unsigned ms = audio_words(audio, "flite:slt", "opening hours");

	audio_silence(audio, 600);
	audio_words(audio, "flite:slt", "yes"); /* at once after the end */
	audio_silence(audio, 600);
	struct heard heard = listen(audio);
	assert_int_equal(count_of(&heard, VAD_STARTED), 2);
	assert_true(heard.events[0].begun_ms < 250);
	assert_true(first_at(&heard, VAD_ENDED) < ms + 420);
}

static void too_long_is_cut_and_goes_on(void **state)
{
	struct audio *audio = sound();

	audio_silence(audio, 500);
	/* Talk without end: syllables of 180 ms with 60 ms between them. */
	for (unsigned i = 0; i < 80; i++) {
		audio_tone(audio, 180, 200 + 10 * (i % 7), 2500);
		audio_silence(audio, 60);
	}
	audio_silence(audio, 1000);
	struct heard heard = listen(audio);
	assert_int_equal(count_of(&heard, VAD_CUT), 2);
	assert_in_range(first_at(&heard, VAD_CUT), 8500, 8560);
	assert_int_equal(count_of(&heard, VAD_STARTED), 3);
	assert_int_equal(count_of(&heard, VAD_ENDED), 1);
}

/* The clock is the audio: frames of any size tell the same story, and no wall clock is asked. */
static void frames_of_any_size_tell_the_same(void **state)
{
	static const size_t frames[] = {80, 160, 161, 240, 333, 480};

	for (unsigned i = 0; i < sizeof(frames) / sizeof(frames[0]); i++) {
		struct audio *audio = sound();
		audio_noise(audio, 1000, 20);
		audio_words(audio, "flite:rms", "leave a message");
		audio_noise(audio, 1000, 20);
		struct heard heard = listen_in(audio, NULL, frames[i]);
		assert_int_equal(count_of(&heard, VAD_STARTED), 1);
		assert_int_equal(count_of(&heard, VAD_ENDED), 1);
		assert_in_range(heard.events[0].begun_ms, 1000, 1300);
	}
}

static void options_count(void **state)
{
	const struct vad_options options = {.silence_ms = 900, .sharp_ms = 900, .most_ms = 2000};
	struct audio *audio = sound();

	audio_silence(audio, 500);
	audio_tone(audio, 500, 300, 3000);
	audio_silence(audio, 600);
	audio_tone(audio, 500, 300, 3000);
	audio_silence(audio, 1500);
	struct heard heard = listen_in(audio, &options, 160);
	assert_int_equal(count_of(&heard, VAD_STARTED), 1);
	assert_int_equal(heard.events[heard.count - 1].event, VAD_CUT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(words_are_one_utterance_with_its_end),
		cmocka_unit_test(an_end_is_told_after_its_silence),
		cmocka_unit_test(a_short_pause_between_words_ends_nothing),
		cmocka_unit_test(who_interrupts_is_noticed_in_time),
		cmocka_unit_test(noise_hum_and_silence_are_no_speech),
		cmocka_unit_test(clicks_are_dropped),
		cmocka_unit_test(it_calibrates_to_the_line),
		cmocka_unit_test(a_new_noise_becomes_the_floor),
		cmocka_unit_test(there_is_no_deaf_window),
		cmocka_unit_test(too_long_is_cut_and_goes_on),
		cmocka_unit_test(frames_of_any_size_tell_the_same),
		cmocka_unit_test(options_count),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
