/*
 * fold_corpus: the recorded calls of tests/corpus, one event a line, for tests of the model.
 */
#ifndef CALLWEAVE_TESTS_FOLD_CORPUS_H
#define CALLWEAVE_TESTS_FOLD_CORPUS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "alloc.h"
#include "call_fold.h"

#include <stdio.h>
#include <stdlib.h>

enum { CORPUS_LINE_BYTES = 65536, CORPUS_DEFAULT_DELAY_MS = 2000, CORPUS_ARENA_BYTES = 1 << 26 };
/* 2026-11-21, long after the calls were recorded: hosts' clocks and ours differ on purpose. */
#define CORPUS_START_MS INT64_C(1795262400000)

struct corpus_event {
	struct str scenario, type;
	int64_t delay_ms;
	const struct json *body;
	struct str text; /* the body as it was sent */
};

struct corpus {
	struct arena *arena;
	struct corpus_event *events;
	size_t count;
	struct json **lines;
};

static inline struct corpus corpus_load(const char *path)
{
	static const struct json_field fields[] = {
		JSON_FIELD(struct corpus_event, scenario, JSON_STRING, JSON_REQUIRED),
		JSON_FIELD_AS(struct corpus_event, type, "event", JSON_STRING, 0),
		JSON_FIELD(struct corpus_event, delay_ms, JSON_INT64, 0),
		JSON_FIELD(struct corpus_event, body, JSON_RAW, 0),
		{0},
	};
	struct corpus corpus = {.arena = arena_new(CORPUS_ARENA_BYTES)};
	char *line = alloc_zeroed(1, CORPUS_LINE_BYTES);
	FILE *file = fopen(path, "r");
	struct error error = {0};

	assert_non_null(file);
	while (fgets(line, CORPUS_LINE_BYTES, file) != NULL) {
		struct json *json = json_parse(str_trim(str_from(line)),
			(struct json_limits){CORPUS_LINE_BYTES, 16}, &error);
		struct corpus_event *event;
		struct buf text;

		assert_non_null(json);
		corpus.events =
			alloc_resize(corpus.events, (corpus.count + 1) * sizeof(*corpus.events));
		corpus.lines =
			alloc_resize(corpus.lines, (corpus.count + 1) * sizeof(struct json *));
		event = &corpus.events[corpus.count];
		*event = (struct corpus_event){.delay_ms = CORPUS_DEFAULT_DELAY_MS};
		assert_true(json_read(json, fields, event, corpus.arena, &error));
		buf_init(&text, CORPUS_LINE_BYTES);
		if (event->body != NULL)
			json_print(&text, event->body, false);
		event->text = str_of(
			arena_strndup(corpus.arena, text.data != NULL ? text.data : "", text.size),
			text.size);
		buf_free(&text);
		corpus.lines[corpus.count++] = json;
	}
	fclose(file);
	free(line);
	return corpus;
}

static inline void corpus_free(struct corpus *corpus)
{
	for (size_t i = 0; i < corpus->count; i++)
		json_free(&corpus->lines[i]);
	free(corpus->lines);
	free(corpus->events);
	arena_free(&corpus->arena);
}

/* One past the last line of the scenario that begins at `first`. */
static inline size_t corpus_end(const struct corpus *corpus, size_t first)
{
	size_t end = first;

	while (end < corpus->count &&
		str_equal(corpus->events[end].scenario, corpus->events[first].scenario))
		end++;
	return end;
}

/* The event of a line; it lives as long as the corpus. */
static inline struct call_event corpus_read(
	const struct corpus *corpus, size_t index, const struct clock_zone *zone)
{
	const struct corpus_event *line = &corpus->events[index];
	enum call_event_type type = EVENT_START;
	struct call_event event;
	struct error error = {0};

	assert_true(call_event_type_from(line->type, &type));
	assert_true(call_event_read(type, line->body, zone, corpus->arena, &event, &error));
	event.id = (int64_t)index + 1;
	return event;
}

#endif
