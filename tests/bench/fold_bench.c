/*
 * fold_bench: what an event costs the fold, and what an open call weighs.
 *
 * usage: fold_bench [EVENTS [OPEN_CALLS]]: folds EVENTS events (a million) of calls that ring three
 * phones, are answered and end, a thousand at a time; then leaves OPEN_CALLS (200,000) talking.
 * Events are made beforehand or taken off the time; text of numbers and ids is as hosts send it.
 */
#include "call_fold.h"

#include <inttypes.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { AT_ONCE = 1000, STEPS = 12, EXTENSIONS = 120, LINES = 40, TEXT_BYTES = 64 };
enum { DEFAULT_EVENTS = 1000 * 1000, DEFAULT_OPEN = 200 * 1000 };

/* All texts of one call. */
struct call_texts {
	char external[16], shown[16], line[8], ours[3][4];
	char uid[2][TEXT_BYTES], bridge[40], channel[2][TEXT_BYTES];
};

static void name_call(struct call_texts *to, unsigned number)
{
	snprintf(to->external, sizeof(to->external), "375%09u", 290000000u + number % 100000000u);
	snprintf(to->line, sizeof(to->line), "%07u", 1000 + number % LINES);
	for (unsigned i = 0; i < 3; i++)
		snprintf(to->ours[i], sizeof(to->ours[i]), "%03u", 100 + (number + i) % EXTENSIONS);
	for (unsigned i = 0; i < 2; i++)
		snprintf(to->uid[i], TEXT_BYTES, "%u.%u", 1757840000 + number, number * 2 + i);
	snprintf(to->bridge, sizeof(to->bridge), "6d75df96-318d-42ba-a074-%012u", number);
	snprintf(to->channel[0], TEXT_BYTES, "SIP/%s-%08x", to->line, number * 2);
	snprintf(to->channel[1], TEXT_BYTES, "SIP/%s-%08x", to->ours[1], number * 2 + 1);
}

/* One of us, or the other side, in the bridge. */
static void in_bridge(struct call_event *event, const struct call_texts *texts, unsigned side)
{
	event->unique_id = str_from(texts->uid[side]);
	event->bridge_id = str_from(texts->bridge);
	event->channel = str_from(texts->channel[side]);
	event->caller_id_num = str_from(side == 0 ? texts->external : texts->ours[1]);
	event->connected_num = str_from(side == 0 ? texts->ours[1] : texts->external);
	event->exten = str_from(side == 0 ? texts->line : "");
}

static void of_call(struct call_event *event, const struct call_texts *texts)
{
	event->unique_id = str_from(texts->uid[0]);
	event->phone = str_from(texts->external);
	event->trunk = str_from(texts->line);
	event->call_type = 0;
}

static void with_extensions(struct call_event *event, const struct call_texts *texts,
	struct str extensions[3], unsigned first, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		extensions[i] = str_from(texts->ours[first + i]);
	event->extensions = (struct json_strings){extensions, count};
}

/* Step by step what a host says of scenario 2-3. */
static struct call_event event_of(
	unsigned step, const struct call_texts *texts, struct str extensions[3])
{
	static const enum call_event_type types[STEPS] = {EVENT_START, EVENT_NEW_CALLERID,
		EVENT_DIAL, EVENT_BRIDGE_CREATE, EVENT_BRIDGE, EVENT_BRIDGE, EVENT_NEW_CALLERID,
		EVENT_BRIDGE_LEAVE, EVENT_BRIDGE_LEAVE, EVENT_BRIDGE_DESTROY, EVENT_HANGUP,
		EVENT_HANGUP};
	struct call_event event = {.type = types[step],
		.call_type = -1,
		.call_status = -1,
		.bridge_channels = -1,
		.start_ms = CALL_NO_TIME,
		.received_ms = CALL_NO_TIME,
		.end_ms = CALL_NO_TIME};

	if (event.type == EVENT_START || event.type == EVENT_DIAL || event.type == EVENT_HANGUP)
		of_call(&event, texts);
	else if (event.type == EVENT_BRIDGE_CREATE || event.type == EVENT_BRIDGE_DESTROY)
		event.bridge_id = str_from(texts->bridge);
	else
		in_bridge(&event, texts, step == 4 || step == 7);
	if (event.type == EVENT_DIAL)
		with_extensions(&event, texts, extensions, 0, 3);
	if (event.type == EVENT_HANGUP) {
		with_extensions(&event, texts, extensions, 1, 1);
		event.call_status = 2;
	}
	return event;
}

static double now_s(void)
{
	struct timespec now;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now); /* others may use the machine, too */
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static struct call_fold *new_fold(void)
{
	const struct call_fold_rules rules = {
		.country = "BY", .max_open_calls = 10 * 1000 * 1000, .linger_ms = 60 * 1000};

	return call_fold_new(&rules);
}

/* AT_ONCE calls step by step, then the next ones; ended calls linger for a minute. */
static void measure_time(unsigned events)
{
	static struct call_texts texts[AT_ONCE];
	struct call_fold *fold = new_fold();
	struct call_changes changes;
	struct str extensions[3];
	double spent = 0;
	int64_t id = 0;

	for (unsigned first = 0; (unsigned)id < events; first += AT_ONCE) {
		double from;

		for (unsigned i = 0; i < AT_ONCE; i++)
			name_call(&texts[i], first + i);
		from = now_s();
		for (unsigned at = 0; at < AT_ONCE * STEPS; at++) {
			struct call_event event =
				event_of(at / AT_ONCE, &texts[at % AT_ONCE], extensions);

			event.id = ++id;
			event.at_ms = INT64_C(1757840723000) + id;
			call_fold_event(fold, &event, &changes);
		}
		spent += now_s() - from;
	}
	printf("%" PRId64 " events, %u calls at once: %.3f us an event\n", id, AT_ONCE,
		spent * 1e6 / (double)id);
	call_fold_free(&fold);
}

static long resident_kib(void)
{
	FILE *file = fopen("/proc/self/status", "r");
	char line[128];
	long kib = -1;

	while (file != NULL && fgets(line, sizeof(line), file) != NULL) {
		if (strncmp(line, "VmRSS:", 6) == 0)
			kib = strtol(line + 6, NULL, 10);
	}
	if (file != NULL)
		fclose(file);
	return kib;
}

static void measure_memory(unsigned calls)
{
	struct call_fold *fold = new_fold();
	struct call_changes changes;
	struct call_texts texts;
	struct str extensions[3];
	long before_kib = resident_kib();
	double bytes;
	int64_t id = 0;

	for (unsigned i = 0; i < calls; i++) {
		name_call(&texts, i);
		for (unsigned step = 0; step < 7; step++) {
			struct call_event event = event_of(step, &texts, extensions);

			event.id = ++id;
			event.at_ms = INT64_C(1757840723000) + id / 100;
			call_fold_event(fold, &event, &changes);
		}
	}
	bytes = (double)(resident_kib() - before_kib) * 1024;
	printf("%u open calls: %.1f MB resident, %.0f bytes a call (%zu bytes asked of malloc)\n",
		call_fold_open(fold), bytes / 1e6, bytes / calls, mallinfo2().uordblks / calls);
	call_fold_free(&fold);
}

int main(int argc, char **argv)
{
	unsigned events = argc > 1 ? (unsigned)strtoul(argv[1], NULL, 10) : DEFAULT_EVENTS;
	unsigned calls = argc > 2 ? (unsigned)strtoul(argv[2], NULL, 10) : DEFAULT_OPEN;

	if (calls > 0)
		measure_memory(calls);
	if (events > 0)
		measure_time(events);
	return 0;
}
