/*
 * crm_steps: see crm_steps.h. Shared by the drivers that tell one call in several requests.
 */
#include "crm_steps.h"

#include "crm_make.h"

/* A full list drops what comes last: cards, never the end of a call, of which there is one. */
void crm_steps_add(struct crm_steps *steps, int operation, struct str who)
{
	if (steps->count == CRM_MAX_STEPS)
		return;
	steps->items[steps->count].operation = operation;
	steps->items[steps->count].who = who;
	steps->count++;
}

void crm_steps_insert(struct crm_steps *steps, int operation)
{
	unsigned place = steps->at + 1;

	if (steps->count == CRM_MAX_STEPS || place > steps->count)
		return;
	memmove(&steps->items[place + 1], &steps->items[place],
		(steps->count - place) * sizeof(steps->items[0]));
	steps->items[place] = (struct crm_step){.operation = operation};
	steps->count++;
}

const struct crm_step *crm_steps_now(const struct crm_steps *steps)
{
	return steps->at < steps->count ? &steps->items[steps->at] : NULL;
}

int crm_steps_next(struct crm_steps *steps, struct crm_job *job, int (*plan)(struct crm_job *job))
{
	const struct crm_step *step;

	if (!steps->made) {
		int ended = plan(job);

		if (ended != 0)
			return ended;
		steps->made = true;
	}
	step = crm_steps_now(steps);
	return step != NULL ? step->operation : CRM_DONE;
}

enum crm_verdict crm_steps_on(struct crm_steps *steps)
{
	steps->at++;
	return CRM_WELL;
}

/* -- memory -------------------------------------------------------------------------------------- */

/* It is our own text; a version that wrote other members is read as far as it goes. */
void crm_memory_read(struct crm_job *job, const struct json_field *fields, void *to)
{
	struct json *json = NULL;

	if (job->memory.size > 0)
		json = json_parse(job->memory, (struct json_limits){CRM_MEMORY_MAX, 8}, NULL);
	if (json_kind(json) == JSON_OBJECT)
		(void)json_read(json, fields, to, job->arena, NULL);
	json_free(&json);
}

void crm_memory_write(struct crm_job *job, const struct json_field *fields, const void *from)
{
	struct buf text;
	struct str made;

	buf_init(&text, CRM_MEMORY_MAX);
	json_write(&text, fields, from);
	made = crm_take(&text, job->arena);
	/* Too long to be kept: better what was known before than nothing. */
	if (made.size > 0)
		job->memory = made;
}

bool crm_among(const struct json_strings *list, struct str text)
{
	for (size_t i = 0; i < list->count; i++) {
		if (str_equal(list->items[i], text))
			return true;
	}
	return false;
}

void crm_put_among(struct json_strings *list, struct str text, struct arena *arena)
{
	struct str *items;

	if (crm_among(list, text) || list->count >= CRM_MAX_STEPS)
		return;
	items = arena_array(arena, list->count + 1, sizeof(items[0]));
	if (list->count > 0)
		memcpy(items, list->items, list->count * sizeof(items[0]));
	items[list->count] = crm_keep(text, arena);
	list->items = items;
	list->count++;
}

/* -- words --------------------------------------------------------------------------------------- */

int crm_stop(struct crm_job *job, const char *words)
{
	error_set(&job->why, ERROR_INPUT, "%s", words);
	return CRM_STOP;
}

int crm_skip(struct crm_job *job, const char *words)
{
	error_set(&job->why, ERROR_NONE, "%s", words);
	return CRM_SKIP;
}

struct str crm_external_id(const struct crm_job *job)
{
	return str_from(
		arena_printf(job->arena, "%s-%.*s", job->account->number, STR_ARG(job->call->key)));
}

int64_t crm_first_ms(const struct crm_job *job)
{
	const struct crm_call *call = job->call;

	if (call->started_ms != CRM_NO_TIME)
		return call->started_ms;
	if (call->answered_ms != CRM_NO_TIME)
		return call->answered_ms;
	return call->ended_ms != CRM_NO_TIME ? call->ended_ms : job->now_ms;
}

struct str crm_number(const struct crm_call *call)
{
	return call->hidden || call->phone.size == 0 ? STR("+000") : call->phone;
}

/* -- answers to hooks ---------------------------------------------------------------------------- */

void crm_answer(struct crm_heard *heard, int status, const char *json)
{
	heard->status = status;
	heard->content_type = "application/json";
	heard->answer = str_from(json);
}

void crm_refuse(struct crm_heard *heard, int status, const char *json, const char *why)
{
	heard->kind = CRM_HEARD_NOTHING;
	crm_answer(heard, status, json);
	error_set(&heard->why, ERROR_AUTH, "%s", why);
}
