/*
 * golden_compare: two JSON values member by member, with both texts where they differ.
 */
#include "golden.h"

#include <stdio.h>

enum { PATH_BYTES = 300, SHOWN_BYTES = 4000 };

static bool differ(
	const char *path, const struct json *expected, const struct json *actual, struct buf *words)
{
	buf_printf(words, "  %s\n    expected ", path);
	if (expected != NULL)
		json_print(words, expected, false);
	buf_add(words, STR("\n    actual   "));
	if (actual != NULL)
		json_print(words, actual, false);
	buf_add(words, STR("\n"));
	return false;
}

static bool is_nothing(const struct json *json)
{
	switch (json_kind(json)) {
	case JSON_NULL:
		return true;
	case JSON_BOOLEAN:
		return !json_is_true(json);
	case JSON_TEXT:
		return json_text(json).size == 0;
	case JSON_NUMBER:
		return json_number(json) == -1;
	default:
		return json_first(json) == NULL;
	}
}

/* Where an absent member is an empty one: at the top, ".exchange[2]", ".exchange[2].request", and in
 * what was heard and answered; not inside bodies and headers. */
static bool is_lenient(const char *path)
{
	struct str rest = str_from(path);

	if (rest.size == 0 || strcmp(path, ".heard") == 0 || strcmp(path, ".answer") == 0)
		return true;
	if (!str_starts(rest, STR(".exchange[")))
		return false;
	str_cut(&rest, ']');
	return rest.size == 0 || str_equal(rest, STR(".request"));
}

static bool same_at(const struct json *expected, const struct json *actual, const char *path,
	struct buf *words);

static bool same_member(const struct json *expected, const struct json *actual, const char *path,
	const char *name, struct buf *words)
{
	char below[PATH_BYTES];

	snprintf(below, sizeof(below), "%s.%s", path, name);
	if ((expected == NULL || actual == NULL) && is_lenient(path) &&
		is_nothing(expected != NULL ? expected : actual))
		return true;
	if (expected == NULL || actual == NULL)
		return differ(below, expected, actual, words);
	return same_at(expected, actual, below, words);
}

static bool same_objects(
	const struct json *expected, const struct json *actual, const char *path, struct buf *words)
{
	bool same = true;

	for (const struct json *at = json_first(expected); at != NULL; at = json_next(at))
		same &= same_member(
			at, json_member(actual, json_name(at)), path, json_name(at), words);
	for (const struct json *at = json_first(actual); at != NULL; at = json_next(at)) {
		if (json_member(expected, json_name(at)) == NULL)
			same &= same_member(NULL, at, path, json_name(at), words);
	}
	return same;
}

static bool same_arrays(
	const struct json *expected, const struct json *actual, const char *path, struct buf *words)
{
	const struct json *left = json_first(expected), *right = json_first(actual);
	char below[PATH_BYTES];
	bool same = true;

	if (json_count(expected) != json_count(actual))
		return differ(path, expected, actual, words);
	for (unsigned i = 0; left != NULL && right != NULL; i++) {
		snprintf(below, sizeof(below), "%s[%u]", path, i);
		same &= same_at(left, right, below, words);
		left = json_next(left);
		right = json_next(right);
	}
	return same;
}

static bool same_at(
	const struct json *expected, const struct json *actual, const char *path, struct buf *words)
{
	bool same = json_kind(expected) == json_kind(actual);

	if (same && json_kind(expected) == JSON_OBJECT)
		return same_objects(expected, actual, path, words);
	if (same && json_kind(expected) == JSON_ARRAY)
		return same_arrays(expected, actual, path, words);
	if (same && json_kind(expected) == JSON_TEXT)
		same = str_equal(json_text(expected), json_text(actual));
	if (same && json_kind(expected) == JSON_NUMBER)
		same = json_number(expected) == json_number(actual);
	if (same && json_kind(expected) == JSON_BOOLEAN)
		same = json_is_true(expected) == json_is_true(actual);
	return same || differ(path, expected, actual, words);
}

bool golden_same(const struct json *expected, const struct json *actual, struct buf *words)
{
	return same_at(expected, actual, "", words);
}
