/*
 * bitrix24_call: one call: registered at its first ringing, cards shown and hidden, finished with
 * who really talked. What the answers mean is in bitrix24_told.c.
 *
 * Registering again within 30 minutes with the same user, number, line and EXTERNAL_CALL_ID gives
 * the same CALL_ID: an answer that was lost is asked for anew without harm.
 */
#include "bitrix24.h"

#include "json_put.h"

#include <stdlib.h>

/* The sheet's table of results (7.6). */
static const char *status_code(const struct crm_call *call)
{
	static const char *const codes[CRM_RESULTS] = {
		[CRM_OPEN] = "OTHER",
		[CRM_TALKED] = "200",
		[CRM_NO_ANSWER] = "304",
		[CRM_BUSY] = "486",
		[CRM_CANCELLED] = "304",
		[CRM_FAILED] = "503",
		[CRM_BLOCKED] = "403",
		[CRM_UNCLEAR] = "OTHER",
	};

	if (call->result == CRM_CANCELLED && call->outgoing)
		return "603-S";
	return codes[call->result];
}

/* -- who ----------------------------------------------------------------------------------------- */

static struct str user_of(const struct crm_job *job, struct str extension)
{
	return crm_user_of(job->account, extension, job->arena);
}

/* The first of them whom our map knows. */
static struct str first_user(const struct crm_job *job, const struct json_strings *extensions)
{
	for (size_t i = 0; i < extensions->count; i++) {
		struct str user = user_of(job, extensions->items[i]);

		if (user.size > 0)
			return user;
	}
	return str_of(NULL, 0);
}

/* Who called, or whose phone rang first: the same at each event of a call, so that a registration
 * whose answer was lost is found again by a later one. */
struct str bitrix24_registered_user(struct crm_job *job)
{
	const struct crm_call *call = job->call;
	struct str user = bitrix24_own(job)->memory.user;

	if (user.size == 0 && call->outgoing)
		user = first_user(job, &call->talkers);
	if (user.size == 0 && call->outgoing)
		user = user_of(job, call->extension);
	if (user.size == 0)
		user = first_user(job, &call->rang);
	if (user.size == 0)
		user = first_user(job, &call->ringing);
	if (user.size == 0)
		user = user_of(job, call->extension);
	return user;
}

/* Whose the calls are in which nobody took part whom Bitrix24 knows, since it takes none without a
 * user: the one of the settings, else the one who installed the application. */
static struct str default_user(struct crm_job *job)
{
	struct str user = crm_config_text(job->account, "default_user_id", NULL, job->arena);

	return user.size > 0 ? user : bitrix24_token(job->account, "user_id");
}

/* The extension by which Bitrix24 may know somebody whom our map does not: for a registration the
 * same at each event, for the end of a call that of the talker. */
static struct str any_extension(const struct crm_job *job, bool talker)
{
	const struct crm_call *call = job->call;

	if (call->extension.size > 0 && (talker || call->outgoing))
		return call->extension;
	if (call->rang.count > 0)
		return call->rang.items[0];
	return call->ringing.count > 0 ? call->ringing.items[0] : call->extension;
}

/* By id where our map has one, else by the extension; the other way round when Bitrix24 did not
 * find anybody so. */
static void put_user(
	struct json_writer *writer, struct crm_job *job, struct str user, struct str extension)
{
	bool by_extension = (user.size == 0) != bitrix24_own(job)->other_user;

	if (user.size == 0)
		user = bitrix24_registered_user(job);
	if (user.size == 0)
		user = default_user(job);
	if (user.size == 0 || (by_extension && extension.size > 0))
		json_put_member_str(writer, "USER_PHONE_INNER", extension);
	else
		bitrix24_put_id(writer, "USER_ID", user);
}

/* -- the list of requests ------------------------------------------------------------------------ */

static void add(struct crm_job *job, int operation)
{
	crm_steps_add(&bitrix24_own(job)->steps, operation, str_of(NULL, 0));
}

static bool shown_to(const struct bitrix24_memory *memory, struct str user)
{
	return user.size == 0 || crm_among(&memory->shown, user);
}

static bool rings(const struct crm_job *job, struct str user)
{
	const struct json_strings *ringing = &job->call->ringing;

	for (size_t i = 0; i < ringing->count; i++) {
		if (str_equal(user_of(job, ringing->items[i]), user))
			return true;
	}
	return job->call->outgoing && str_equal(user_of(job, job->call->extension), user);
}

/* Does the registration itself open the card? Only with him whom it is for now. */
bool bitrix24_shows_card(struct crm_job *job)
{
	struct str user = bitrix24_registered_user(job);

	if (job->late)
		return false;
	if (job->kind == CRM_RINGING)
		return user.size > 0
			       ? rings(job, user)
			       : job->call->ringing.count > 0 && !bitrix24_own(job)->other_user;
	return job->kind == CRM_ANSWERED && user.size > 0 &&
	       str_equal(user, user_of(job, job->call->extension));
}

/* Is somebody of them to be shown the card who does not see it yet? */
static bool is_new(struct crm_job *job, const struct json_strings *extensions)
{
	struct bitrix24 *own = bitrix24_own(job);
	bool registers = own->memory.call_id.size == 0 && bitrix24_shows_card(job);
	struct str first = registers ? bitrix24_registered_user(job) : str_of(NULL, 0);

	for (size_t i = 0; i < extensions->count; i++) {
		struct str user = user_of(job, extensions->items[i]);

		if (!shown_to(&own->memory, user) && !str_equal(user, first))
			return true;
	}
	return false;
}

/* A registration shows the card to one user; the others are told in one more request. */
static void plan_ringing(struct crm_job *job)
{
	bool more = !job->late && is_new(job, &job->call->ringing);

	if (bitrix24_own(job)->memory.call_id.size == 0)
		add(job, B24_REGISTER);
	if (more)
		add(job, B24_SHOW);
}

/* Cards of the others close; who took it by a transfer sees one, too. */
static void plan_answered(struct crm_job *job)
{
	const struct bitrix24_memory *memory = &bitrix24_own(job)->memory;
	struct str talker = user_of(job, job->call->extension);
	bool others = false;

	for (size_t i = 0; i < memory->shown.count; i++)
		others |= !str_equal(memory->shown.items[i], talker);
	/* A call of somebody whom Bitrix24 does not know is registered at its end. */
	if (memory->call_id.size == 0 && !job->late && talker.size > 0)
		add(job, B24_REGISTER);
	if ((memory->call_id.size > 0 || !bitrix24_shows_card(job)) && !job->late &&
		!shown_to(memory, talker))
		add(job, B24_SHOW);
	if (others)
		add(job, B24_HIDE);
}

/* Memory shortens it: what was finished is not finished again, only its recording may be new. */
static void plan_end(struct crm_job *job)
{
	const struct bitrix24_memory *memory = &bitrix24_own(job)->memory;
	struct str url = job->call->record_url;

	if (memory->call_id.size == 0)
		add(job, B24_REGISTER);
	if (!memory->finished)
		add(job, B24_FINISH);
	if (url.size > 0 && !str_equal(url, memory->recorded))
		add(job, B24_RECORD);
}

/* Without anybody of ours Bitrix24 takes no call. */
static int why_not(struct crm_job *job)
{
	const struct bitrix24_memory *memory = &bitrix24_own(job)->memory;

	if (memory->call_id.size > 0)
		return 0;
	if (bitrix24_registered_user(job).size == 0 && any_extension(job, false).size == 0 &&
		default_user(job).size == 0)
		return crm_skip(job,
			"nobody of the enterprise took part, and Bitrix24 takes no call "
			"without a user: default_user_id may name one");
	return 0;
}

int bitrix24_plan_call(struct crm_job *job)
{
	struct bitrix24 *own = bitrix24_own(job);
	bool theirs = str_equal(job->call->origin_crm, STR("bitrix24")) &&
		      job->call->origin_call.size > 0;
	int ended;

	bitrix24_read_memory(job);
	/* Its own call has a CALL_ID and a card already. */
	if (theirs && own->memory.call_id.size == 0)
		own->memory.call_id = job->call->origin_call;
	ended = why_not(job);
	if (ended != 0)
		return ended;
	if (job->kind == CRM_HANGUP || job->kind == CRM_RECOVERED || job->kind == CRM_RECORDING)
		plan_end(job);
	else if (!theirs && !own->memory.finished && job->kind == CRM_RINGING)
		plan_ringing(job);
	else if (!theirs && !own->memory.finished)
		plan_answered(job);
	if (own->steps.count > 0)
		return 0;
	return crm_skip(job, theirs ? "Bitrix24 began this call and shows it itself"
				    : "Bitrix24 shows all of this already");
}

/* -- requests ------------------------------------------------------------------------------------ */

/* ISO 8601 with the enterprise's offset. */
static const char *start_date(struct crm_job *job)
{
	int64_t ms = job->call->started_ms != CRM_NO_TIME ? job->call->started_ms : job->now_ms;
	struct clock_civil at = clock_to_civil(ms, job->account->zone);
	int minutes = (int)((clock_from_civil(&at, NULL) - ms) / 60000);

	return arena_printf(job->arena, "%04d-%02d-%02dT%02d:%02d:%02d%c%02d:%02d", at.year,
		at.month, at.day, at.hour, at.minute, at.second, minutes < 0 ? '-' : '+',
		abs(minutes) / 60, abs(minutes) % 60);
}

/* By default no lead is made of every wrong number. */
static void put_crm(struct json_writer *writer, struct crm_job *job)
{
	struct str source = crm_config_text(job->account, "crm_source", NULL, job->arena);
	bool creates = crm_config_bool(job->account, "crm_create", false) && !job->call->hidden;

	json_put_member_int(writer, "CRM_CREATE", creates ? 1 : 0);
	if (source.size > 0)
		json_put_member_str(writer, "CRM_SOURCE", source);
}

/* Into the chat of the user, unless that is switched off, or all of it is long past. */
static void put_chat(struct json_writer *writer, struct crm_job *job)
{
	bool chat = crm_config_bool(job->account, "add_to_chat", true) &&
		    job->kind != CRM_RECOVERED && !job->late;

	json_put_member_int(writer, "ADD_TO_CHAT", chat ? 1 : 0);
}

bool bitrix24_build_register(struct crm_job *job, struct crm_request *request)
{
	const struct crm_call *call = job->call;
	struct json_writer writer;
	struct buf body;

	bitrix24_begin(&writer, &body);
	put_user(&writer, job, bitrix24_registered_user(job), any_extension(job, false));
	json_put_member_str(&writer, "PHONE_NUMBER", crm_number(call));
	json_put_member_int(&writer, "TYPE", call->outgoing ? 1 : 2);
	json_put_member_str(&writer, "CALL_START_DATE", str_from(start_date(job)));
	put_crm(&writer, job);
	if (call->line.size > 0)
		json_put_member_str(&writer, "LINE_NUMBER", call->line);
	json_put_member_str(&writer, "EXTERNAL_CALL_ID", crm_external_id(job));
	json_put_member_int(&writer, "SHOW", bitrix24_shows_card(job) ? 1 : 0);
	put_chat(&writer, job);
	return bitrix24_end(&writer, job, request);
}

/* To whom the card is to be shown now. */
static struct json_strings new_users(struct crm_job *job)
{
	const struct bitrix24_memory *memory = &bitrix24_own(job)->memory;
	struct json_strings users = {0};

	for (size_t i = 0; i < job->call->ringing.count && job->kind == CRM_RINGING; i++) {
		struct str user = user_of(job, job->call->ringing.items[i]);

		if (!shown_to(memory, user))
			crm_put_among(&users, user, job->arena);
	}
	if (job->kind == CRM_ANSWERED)
		crm_put_among(&users, user_of(job, job->call->extension), job->arena);
	return users;
}

/* Who sees the card and does not talk. */
static struct json_strings other_users(struct crm_job *job)
{
	const struct bitrix24_memory *memory = &bitrix24_own(job)->memory;
	struct str talker = user_of(job, job->call->extension);
	struct json_strings users = {0};

	for (size_t i = 0; i < memory->shown.count; i++) {
		if (!str_equal(memory->shown.items[i], talker))
			crm_put_among(&users, memory->shown.items[i], job->arena);
	}
	return users;
}

void bitrix24_keep_shown(struct crm_job *job)
{
	struct json_strings users = new_users(job);

	for (size_t i = 0; i < users.count; i++)
		crm_put_among(&bitrix24_own(job)->memory.shown, users.items[i], job->arena);
}

void bitrix24_keep_talker(struct crm_job *job)
{
	struct bitrix24_memory *memory = &bitrix24_own(job)->memory;
	struct str talker = user_of(job, job->call->extension);
	bool shown = talker.size > 0 && crm_among(&memory->shown, talker);

	memory->shown = (struct json_strings){0};
	if (shown)
		crm_put_among(&memory->shown, talker, job->arena);
}

bool bitrix24_build_popup(struct crm_job *job, struct crm_request *request)
{
	const struct crm_step *step = crm_steps_now(&bitrix24_own(job)->steps);
	struct json_strings users = step->operation == B24_SHOW ? new_users(job) : other_users(job);
	struct json_writer writer;
	struct buf body;

	bitrix24_begin(&writer, &body);
	json_put_member_str(&writer, "CALL_ID", bitrix24_own(job)->memory.call_id);
	json_put_name(&writer, "USER_ID");
	json_open_array(&writer);
	for (size_t i = 0; i < users.count; i++)
		bitrix24_put_id(&writer, NULL, users.items[i]);
	json_close_array(&writer);
	return bitrix24_end(&writer, job, request);
}

/* Who really talked; of a call that nobody took, for whom it was registered. Where somebody talked and
 * nobody knows who, not he whose phone happened to ring first. */
bool bitrix24_build_finish(struct crm_job *job, struct crm_request *request)
{
	const struct crm_call *call = job->call;
	struct str talker = user_of(job, call->extension);
	struct json_writer writer;
	struct buf body;

	bitrix24_begin(&writer, &body);
	json_put_member_str(&writer, "CALL_ID", bitrix24_own(job)->memory.call_id);
	if (talker.size == 0 && call->extension.size == 0 && call->result == CRM_TALKED)
		talker = default_user(job);
	if (talker.size == 0 && (call->result != CRM_TALKED || call->extension.size == 0))
		talker = bitrix24_registered_user(job);
	put_user(&writer, job, talker, any_extension(job, true));
	json_put_member_int(&writer, "DURATION", call->talk_seconds > 0 ? call->talk_seconds : 0);
	json_put_member_str(&writer, "STATUS_CODE", str_from(status_code(call)));
	put_chat(&writer, job);
	return bitrix24_end(&writer, job, request);
}

bool bitrix24_build_record(struct crm_job *job, struct crm_request *request)
{
	struct json_writer writer;
	struct buf body;

	bitrix24_begin(&writer, &body);
	json_put_member_str(&writer, "CALL_ID", bitrix24_own(job)->memory.call_id);
	json_put_member_str(&writer, "RECORD_URL", job->call->record_url);
	return bitrix24_end(&writer, job, request);
}
