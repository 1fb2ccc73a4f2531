/*
 * bitrix24_told: what Bitrix24's answers about a call mean, and what is remembered of it.
 */
#include "bitrix24.h"

/* "externalCall.<md5>.<seconds>"; longer ones would not fit the memory. */
enum { CALL_ID_MAX_BYTES = 200 };

static const struct json_field memory_fields[] = {
	JSON_FIELD(struct bitrix24_memory, call_id, JSON_STRING, JSON_SKIP_EMPTY),
	JSON_FIELD(struct bitrix24_memory, user, JSON_STRING, JSON_SKIP_EMPTY),
	JSON_FIELD(struct bitrix24_memory, shown, JSON_STRINGS, JSON_SKIP_EMPTY),
	JSON_FIELD(struct bitrix24_memory, finished, JSON_BOOL, JSON_SKIP_EMPTY),
	JSON_FIELD(struct bitrix24_memory, recorded, JSON_STRING, JSON_SKIP_EMPTY),
	{0},
};

void bitrix24_read_memory(struct crm_job *job)
{
	crm_memory_read(job, memory_fields, &bitrix24_own(job)->memory);
}

static enum crm_verdict remember(struct crm_job *job)
{
	crm_memory_write(job, memory_fields, &bitrix24_own(job)->memory);
	return bitrix24_on(job);
}

/* Somebody left the firm, or was never there: once more, by the other way to name him. */
static bool tries_other_user(struct crm_job *job, const struct crm_reply *reply)
{
	struct bitrix24 *own = bitrix24_own(job);

	if (own->other_user || !bitrix24_says(reply, "User is not found"))
		return false;
	own->other_user = true;
	job->why = (struct error){0};
	return true;
}

static bool is_unknown_call(const struct crm_reply *reply)
{
	return bitrix24_says(reply, "Call is not found");
}

/* -- register ------------------------------------------------------------------------------------ */

/* The same CALL_ID as the one that was not found: Bitrix24 forgets calls that are finished, but not
 * their registration. So it was finished by an attempt whose answer was lost. */
static void take_call_id(struct crm_job *job, struct str call_id)
{
	struct bitrix24 *own = bitrix24_own(job);
	struct bitrix24_memory *memory = &own->memory;

	memory->call_id = crm_keep(call_id, job->arena);
	if (own->lost.size == 0 || !str_equal(own->lost, call_id))
		return;
	memory->finished = true;
	/* The step behind this one is to finish. */
	own->steps.at++;
}

/* Found by his extension nobody knows his id: then nobody's card is noted as shown. */
static void take_user(struct crm_job *job)
{
	struct bitrix24_memory *memory = &bitrix24_own(job)->memory;

	if (memory->user.size > 0 || bitrix24_own(job)->other_user)
		return;
	memory->user = bitrix24_registered_user(job);
	if (memory->user.size > 0 && bitrix24_shows_card(job))
		crm_put_among(&memory->shown, memory->user, job->arena);
}

enum crm_verdict bitrix24_read_register(
	struct crm_job *job, const struct crm_reply *reply, int64_t *wait_ms)
{
	enum crm_verdict verdict = bitrix24_verdict(job, reply, wait_ms);
	struct str call_id = json_text(json_member(json_member(reply->json, "result"), "CALL_ID"));

	if (verdict == CRM_REFUSED && tries_other_user(job, reply))
		return CRM_WELL; /* the same step */
	if (verdict != CRM_WELL)
		return verdict;
	if (call_id.size == 0 || call_id.size > CALL_ID_MAX_BYTES) {
		error_set(&job->why, ERROR_UPSTREAM, "the answer of Bitrix24 has no CALL_ID");
		return CRM_REFUSED;
	}
	take_user(job);
	bitrix24_own(job)->other_user = false;
	take_call_id(job, call_id);
	return remember(job);
}

/* -- show, hide ---------------------------------------------------------------------------------- */

/* A card that cannot be shown is no reason to lose the call: a warning. */
enum crm_verdict bitrix24_read_popup(
	struct crm_job *job, const struct crm_reply *reply, int64_t *wait_ms)
{
	struct bitrix24 *own = bitrix24_own(job);
	enum crm_verdict verdict = bitrix24_verdict(job, reply, wait_ms);

	if (verdict != CRM_WELL && verdict != CRM_REFUSED)
		return verdict;
	if (crm_steps_now(&own->steps)->operation == B24_HIDE)
		bitrix24_keep_talker(job);
	else if (verdict == CRM_WELL)
		bitrix24_keep_shown(job);
	return remember(job);
}

/* -- finish, attachRecord ------------------------------------------------------------------------ */

/* A call of Bitrix24's own is never registered anew: it would be a second one. */
enum crm_verdict bitrix24_read_finish(
	struct crm_job *job, const struct crm_reply *reply, int64_t *wait_ms)
{
	struct bitrix24 *own = bitrix24_own(job);
	enum crm_verdict verdict = bitrix24_verdict(job, reply, wait_ms);
	struct str origin = job->call->origin_call;

	if (verdict == CRM_REFUSED && tries_other_user(job, reply))
		return CRM_WELL;
	if (verdict == CRM_REFUSED && is_unknown_call(reply) && own->lost.size == 0 &&
		!str_equal(own->memory.call_id, origin)) {
		own->lost = own->memory.call_id;
		own->other_user = false;
		job->why = (struct error){0};
		crm_steps_insert(&own->steps, B24_FINISH);
		crm_steps_insert(&own->steps, B24_REGISTER);
		return bitrix24_on(job);
	}
	if (verdict == CRM_REFUSED && bitrix24_says(reply, "finished"))
		job->why = (struct error){0};
	else if (verdict != CRM_WELL)
		return verdict;
	own->memory.finished = true;
	return remember(job);
}

/* Bitrix24 fetches the file later and does not say how that went. */
enum crm_verdict bitrix24_read_record(
	struct crm_job *job, const struct crm_reply *reply, int64_t *wait_ms)
{
	enum crm_verdict verdict = bitrix24_verdict(job, reply, wait_ms);

	if (verdict != CRM_WELL)
		return verdict;
	bitrix24_own(job)->memory.recorded = job->call->record_url;
	return remember(job);
}
