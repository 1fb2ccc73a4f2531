/*
 * customer_record: see customer_record.h.
 */
#include "customer_record.h"

#include "alloc.h"
#include "json_put.h"

#include <stdio.h>
#include <stdlib.h>

#define MAX_DEPTH      8
#define SCRATCH_BYTES  ((size_t)256 << 10)
#define CORPORATE_MARK "_corp:"

struct shown {
	struct str name, last_name, first_name, middle_name, enterprise_name, source, person_uid;
	bool black_list;
	const struct json *ids, *responsible;
};

static const struct json_field shown_fields[] = {
	JSON_FIELD(struct shown, name, JSON_STRING, 0),
	JSON_FIELD(struct shown, last_name, JSON_STRING, 0),
	JSON_FIELD(struct shown, first_name, JSON_STRING, 0),
	JSON_FIELD(struct shown, middle_name, JSON_STRING, 0),
	JSON_FIELD(struct shown, enterprise_name, JSON_STRING, 0),
	JSON_FIELD(struct shown, source, JSON_STRING, 0),
	JSON_FIELD(struct shown, person_uid, JSON_STRING, 0),
	JSON_FIELD(struct shown, black_list, JSON_BOOL, 0),
	JSON_FIELD(struct shown, ids, JSON_RAW, 0),
	JSON_FIELD(struct shown, responsible, JSON_RAW, 0),
	{0},
};

/* -- reading -------------------------------------------------------------------------------------- */

static struct customer_crm *crm_of(struct customer *to, struct str code)
{
	for (unsigned i = 0; i < to->crm_count; i++) {
		if (str_equal(to->crms[i].code, code))
			return &to->crms[i];
	}
	if (to->crm_count == CUSTOMER_MAX_CRMS)
		return NULL;
	to->crms[to->crm_count] = (struct customer_crm){.code = code};
	return &to->crms[to->crm_count++];
}

/* The last of a list; also a single text. */
static struct str newest(const struct json *ids)
{
	struct str id = json_text(ids);

	if (json_kind(ids) != JSON_ARRAY)
		return id;
	for (const struct json *at = json_first(ids); at != NULL; at = json_next(at))
		id = json_text(at);
	return id;
}

static void read_crms(const struct shown *shown, struct customer *to)
{
	bool ids = json_kind(shown->ids) == JSON_OBJECT;
	bool responsible = json_kind(shown->responsible) == JSON_OBJECT;
	struct customer_crm *crm;

	for (const struct json *at = ids ? json_first(shown->ids) : NULL; at != NULL;
		at = json_next(at)) {
		crm = crm_of(to, str_from(json_name(at)));
		if (crm != NULL)
			crm->id = newest(at);
	}
	for (const struct json *at = responsible ? json_first(shown->responsible) : NULL;
		at != NULL; at = json_next(at)) {
		crm = crm_of(to, str_from(json_name(at)));
		if (crm != NULL)
			crm->manager = json_text(at);
	}
}

/* -- into one block ------------------------------------------------------------------------------- */

static void keep(struct str *text, char **to)
{
	if (text->size > 0)
		memcpy(*to, text->data, text->size);
	text->data = *to;
	*to += text->size;
}

/* Every text of a record, in one place: once to measure, once to move. */
static unsigned texts_of(struct customer *of, struct str *to[])
{
	unsigned count = 0;

	to[count++] = &of->name;
	to[count++] = &of->last_name;
	to[count++] = &of->first_name;
	to[count++] = &of->middle_name;
	to[count++] = &of->enterprise_name;
	to[count++] = &of->source;
	to[count++] = &of->person_uid;
	for (unsigned i = 0; i < of->crm_count; i++) {
		to[count++] = &of->crms[i].code;
		to[count++] = &of->crms[i].id;
		to[count++] = &of->crms[i].manager;
	}
	return count;
}

static char *keep_all(struct customer *of)
{
	struct str *texts[7 + 3 * CUSTOMER_MAX_CRMS];
	unsigned count = texts_of(of, texts);
	size_t size = 1;
	char *block, *to;

	for (unsigned i = 0; i < count; i++)
		size += texts[i]->size;
	to = block = alloc_zeroed(1, size);
	for (unsigned i = 0; i < count; i++)
		keep(texts[i], &to);
	return block;
}

static char *read_object(const struct json *json, struct customer *to, struct error *error)
{
	struct arena *arena = arena_new(SCRATCH_BYTES);
	struct shown shown = {.black_list = false};
	char *texts = NULL;

	if (json_read(json, shown_fields, &shown, arena, error)) {
		*to = (struct customer){
			.known = true,
			.black_list = shown.black_list,
			.name = shown.name,
			.last_name = shown.last_name,
			.first_name = shown.first_name,
			.middle_name = shown.middle_name,
			.enterprise_name = shown.enterprise_name,
			.source = shown.source,
			.person_uid = shown.person_uid,
		};
		read_crms(&shown, to);
		texts = keep_all(to);
	}
	arena_free(&arena);
	return texts;
}

bool customer_read(struct str json, struct customer *to, char **texts, struct error *error)
{
	const struct json_limits limits = {CUSTOMER_MAX_RECORD_BYTES, MAX_DEPTH};
	struct json *document = json_parse(json, limits, error);

	*to = (struct customer){.known = false};
	*texts = NULL;
	if (document == NULL)
		return false;
	*texts = json_kind(document) == JSON_NULL ? alloc_zeroed(1, 1)
						  : read_object(document, to, error);
	json_free(&document);
	return *texts != NULL;
}

/* -- showing -------------------------------------------------------------------------------------- */

const struct customer_crm *customer_crm(const struct customer *customer, struct str code)
{
	for (unsigned i = 0; i < customer->crm_count; i++) {
		if (str_equal(customer->crms[i].code, code))
			return &customer->crms[i];
	}
	return NULL;
}

void customer_put_text(struct json_writer *writer, const char *name, struct str text)
{
	json_put_name(writer, name);
	if (text.size > 0)
		json_put_str(writer, text);
	else
		json_put_null(writer);
}

static bool is_corporate(const struct customer *customer)
{
	struct str kind = customer->person_uid, mark = STR(CORPORATE_MARK);
	size_t at = customer->source.size;

	return kind.size >= at + mark.size && memcmp(kind.data + at, mark.data, mark.size) == 0;
}

/* {"raw": {"id": "815"}, "type": "retailcrm"}; a company's type ends in _corporate. */
static void write_source(struct json_writer *writer, const struct customer *customer)
{
	const struct customer_crm *crm = customer_crm(customer, customer->source);
	char type[64];

	if (crm == NULL || crm->id.size == 0)
		return;
	(void)snprintf(type, sizeof(type), "%.*s%s", STR_ARG(crm->code),
		is_corporate(customer) ? "_corporate" : "");
	json_put_name(writer, "source");
	json_open_object(writer);
	json_put_name(writer, "raw");
	json_open_object(writer);
	json_put_member_str(writer, "id", crm->id);
	json_close_object(writer);
	json_put_member_str(writer, "type", str_from(type));
	json_close_object(writer);
}

void customer_write_profile(struct json_writer *writer, const struct customer *customer)
{
	json_open_object(writer);
	customer_put_text(writer, "last_name", customer->last_name);
	customer_put_text(writer, "first_name", customer->first_name);
	customer_put_text(writer, "middle_name", customer->middle_name);
	customer_put_text(writer, "enterprise_name", customer->enterprise_name);
	write_source(writer, customer);
	json_close_object(writer);
}
