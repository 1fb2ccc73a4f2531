/*
 * fold_story: a fold that is fed event by event, for tests that tell small stories.
 */
#ifndef CALLWEAVE_TESTS_FOLD_STORY_H
#define CALLWEAVE_TESTS_FOLD_STORY_H

#include "fold_corpus.h"

struct story {
	struct call_fold *fold;
	struct arena *arena;
	struct call_changes changes;
	int64_t at_ms, next_id;
};

static inline struct story begin(struct call_fold_rules rules)
{
	rules.country = "BY";
	return (struct story){.fold = call_fold_new(&rules),
		.arena = arena_new(CORPUS_ARENA_BYTES),
		.at_ms = CORPUS_START_MS};
}

static inline void finish(struct story *story)
{
	call_fold_free(&story->fold);
	arena_free(&story->arena);
}

/* A body as JSON with ' for ". */
static inline int64_t feed(struct story *story, enum call_event_type type, const char *body)
{
	char *text = arena_strdup(story->arena, body);
	struct json *json;
	struct call_event event;
	struct error error = {0};

	for (char *at = text; *at != '\0'; at++)
		*at = *at == '\'' ? '"' : *at;
	json = json_parse(str_from(text), (struct json_limits){65536, 8}, &error);
	assert_non_null(json);
	assert_true(call_event_read(type, json, NULL, story->arena, &event, &error));
	event.id = ++story->next_id;
	event.at_ms = story->at_ms;
	call_fold_event(story->fold, &event, &story->changes);
	json_free(&json);
	return event.id;
}

static inline const struct call *found(const struct story *story, int64_t id)
{
	const struct call *call = call_fold_find(story->fold, id);

	assert_non_null(call);
	return call;
}

#endif
