/*
 * json: the tree. The only file that includes cJSON; all others see struct json.
 */
#include "json.h"

#include "json_scan.h"

#include <cjson/cJSON.h>
#include <stdlib.h>

/* struct json is cJSON under another name: never defined, only cast. */
static const cJSON *inside(const struct json *json)
{
	return (const cJSON *)json;
}

static const struct json *outside(const cJSON *node)
{
	return (const struct json *)node;
}

struct json *json_parse(struct str text, struct json_limits limits, struct error *error)
{
	const char *end = NULL;
	cJSON *root;

	if (text.size > limits.max_bytes) {
		error_set(error, ERROR_INPUT, "longer than %zu bytes", limits.max_bytes);
		return NULL;
	}
	if (text.size == 0) {
		error_set(error, ERROR_INPUT, "empty: JSON is needed");
		return NULL;
	}
	/* First all that cJSON is lax in; then it cannot go wrong. */
	if (!json_scan(text, limits.max_depth, error))
		return NULL;
	root = cJSON_ParseWithLengthOpts(text.data, text.size, &end, false);
	if (root == NULL) /* a document that passed the scan fails by memory alone */
		abort();
	return (struct json *)root;
}

void json_free(struct json **json)
{
	cJSON_Delete((cJSON *)*json);
	*json = NULL;
}

/* cJSON keeps flags of its own above the low byte. What is absent reads as null. */
enum json_kind json_kind(const struct json *json)
{
	switch (json != NULL ? inside(json)->type & 0xff : cJSON_NULL) {
	case cJSON_True:
	case cJSON_False:
		return JSON_BOOLEAN;
	case cJSON_Number:
		return JSON_NUMBER;
	case cJSON_String:
		return JSON_TEXT;
	case cJSON_Array:
		return JSON_ARRAY;
	case cJSON_Object:
		return JSON_OBJECT;
	default:
		return JSON_NULL;
	}
}

const struct json *json_first(const struct json *json)
{
	return json != NULL ? outside(inside(json)->child) : NULL;
}

const struct json *json_next(const struct json *json)
{
	return outside(inside(json)->next);
}

/* Backwards, so that of members with the same name the last one is found: jsonb's rule. In cJSON
 * the first node's prev is the last node. */
const struct json *json_member(const struct json *json, const char *name)
{
	const cJSON *first = json != NULL ? inside(json)->child : NULL;
	const cJSON *node = first != NULL ? first->prev : NULL;

	if (json_kind(json) != JSON_OBJECT)
		return NULL;
	for (; node != NULL; node = node != first ? node->prev : NULL) {
		/* Most names differ at once: a table of twenty fields asks some hundred times. */
		if (node->string[0] == name[0] && strcmp(node->string, name) == 0)
			return outside(node);
	}
	return NULL;
}

/* A walk from the start: for loops over long arrays there is json_next(). */
const struct json *json_item(const struct json *json, size_t index)
{
	const struct json *item = json_first(json);

	while (item != NULL && index-- > 0)
		item = json_next(item);
	return item;
}

size_t json_count(const struct json *json)
{
	size_t count = 0;

	for (const struct json *item = json_first(json); item != NULL; item = json_next(item))
		count++;
	return count;
}

/* Borrowed from the tree. No NUL inside: json_scan() refuses \u0000, so the length is strlen(). */
struct str json_text(const struct json *json)
{
	return json_kind(json) == JSON_TEXT ? str_from(inside(json)->valuestring) : str_of(NULL, 0);
}

double json_number(const struct json *json)
{
	return json_kind(json) == JSON_NUMBER ? inside(json)->valuedouble : 0;
}

bool json_is_true(const struct json *json)
{
	return json != NULL && (inside(json)->type & 0xff) == cJSON_True;
}

const char *json_name(const struct json *json)
{
	return json != NULL ? inside(json)->string : NULL;
}
