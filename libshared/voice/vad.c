/*
 * vad: energy over a floor, with hysteresis; the floor is the quietest moment of the last two seconds.
 *
 * A floor that follows minima needs no phase of calibration that a talking caller could spoil, comes
 * down in one pause between two words, and grows over a hum that stays.
 */
#include "vad.h"

#include <math.h>

enum {
	SAMPLES_A_MS = 8,
	BUCKET_MS = 250,     /* VAD_BUCKETS of them are the memory of the floor */
	CALIBRATION_MS = 500 /* the floor is held down so long: whoever speaks at once is heard */
};

/* RMS of 16-bit samples. Line noise lies below 40, soft speech begins at about 150. */
static const double LEAST_ON = 60, LEAST_OFF = 45;
static const double CALIBRATION_MOST = 400;
static const double SHARP =
	0.25; /* of the loudest frame: who stops from there has stopped sharply */

static void options_complete(struct vad_options *options)
{
	static const struct vad_options standard = {60, 150, 400, 250, 8000, 120};

	if (options->start_ms == 0)
		options->start_ms = standard.start_ms;
	if (options->barge_ms == 0)
		options->barge_ms = standard.barge_ms;
	if (options->silence_ms == 0)
		options->silence_ms = standard.silence_ms;
	if (options->sharp_ms == 0)
		options->sharp_ms = standard.sharp_ms;
	if (options->most_ms == 0)
		options->most_ms = standard.most_ms;
	if (options->least_ms == 0)
		options->least_ms = standard.least_ms;
}

void vad_init(struct vad *vad, const struct vad_options *options)
{
	*vad = (struct vad){.smooth = -1};
	if (options != NULL)
		vad->options = *options;
	options_complete(&vad->options);
	for (unsigned i = 0; i < VAD_BUCKETS; i++)
		vad->lows[i] = INFINITY;
}

static double rms_of(const int16_t *samples, size_t count)
{
	double sum = 0, squares = 0;

	for (size_t i = 0; i < count; i++) {
		sum += samples[i];
		squares += (double)samples[i] * samples[i];
	}
	/* Without the mean: some lines have an offset. */
	double mean = sum / (double)count;
	return sqrt(fmax(0, squares / (double)count - mean * mean));
}

static void floor_follow(struct vad *vad, double rms, unsigned ms)
{
	double weight = (double)ms / (ms + 20.0);
	unsigned bucket = (unsigned)(vad->at_ms / BUCKET_MS % VAD_BUCKETS);

	vad->smooth = vad->smooth < 0 ? rms : vad->smooth + (rms - vad->smooth) * weight;
	if (bucket != vad->bucket) {
		vad->bucket = bucket;
		vad->lows[bucket] = INFINITY;
	}
	vad->lows[bucket] = fmin(vad->lows[bucket], vad->smooth);
	vad->floor = INFINITY;
	for (unsigned i = 0; i < VAD_BUCKETS; i++)
		vad->floor = fmin(vad->floor, vad->lows[i]);
	if (vad->at_ms < CALIBRATION_MS)
		vad->floor = fmin(vad->floor, CALIBRATION_MOST);
}

static enum vad_event finish(struct vad *vad, enum vad_event event)
{
	vad->utterance_ms = vad->at_ms - vad->silent_ms - vad->begun_ms;
	vad->speaking = false;
	vad->over_ms = 0;
	return event;
}

static enum vad_event hear_quiet(struct vad *vad, double rms, unsigned ms)
{
	double on = fmax(LEAST_ON, 2.2 * vad->floor + 20);

	vad->over_ms = rms > on ? vad->over_ms + ms : 0;
	if (vad->over_ms < vad->options.start_ms)
		return VAD_NONE;
	vad->speaking = true;
	vad->barged = vad->sharp = false;
	vad->begun_ms = vad->at_ms - vad->over_ms;
	vad->voice_ms = vad->over_ms;
	vad->silent_ms = 0;
	vad->loudest = vad->last = rms;
	return VAD_STARTED;
}

static void count_frame(struct vad *vad, double rms, unsigned ms)
{
	if (rms > fmax(LEAST_OFF, 1.6 * vad->floor + 14)) {
		vad->voice_ms += ms;
		vad->silent_ms = 0;
		vad->loudest = fmax(vad->loudest, rms);
		vad->last = rms;
		return;
	}
	if (vad->silent_ms == 0)
		vad->sharp = vad->last > SHARP * vad->loudest;
	vad->silent_ms += ms;
}

static enum vad_event hear_speech(struct vad *vad, double rms, unsigned ms)
{
	const struct vad_options *options = &vad->options;

	count_frame(vad, rms, ms);
	if (vad->silent_ms >= (vad->sharp ? options->sharp_ms : options->silence_ms))
		return finish(vad, vad->voice_ms < options->least_ms ? VAD_DROPPED : VAD_ENDED);
	if (vad->at_ms - vad->begun_ms >= options->most_ms)
		return finish(vad, VAD_CUT);
	if (vad->barged || vad->voice_ms < options->barge_ms)
		return VAD_NONE;
	vad->barged = true;
	return VAD_BARGED;
}

enum vad_event vad_hear(struct vad *vad, const int16_t *samples, size_t count)
{
	unsigned ms = ((unsigned)count + vad->carry) / SAMPLES_A_MS;

	if (count == 0)
		return VAD_NONE;
	vad->carry = ((unsigned)count + vad->carry) % SAMPLES_A_MS;
	double rms = rms_of(samples, count);
	floor_follow(vad, rms, ms);
	vad->at_ms += ms;
	return vad->speaking ? hear_speech(vad, rms, ms) : hear_quiet(vad, rms, ms);
}

bool vad_speaking(const struct vad *vad)
{
	return vad->speaking;
}

int64_t vad_utterance_ms(const struct vad *vad)
{
	return vad->speaking ? vad->at_ms - vad->begun_ms : vad->utterance_ms;
}
