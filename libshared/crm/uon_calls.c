/*
 * uon_calls: how a call is told to U-ON: a message on the screen of each manager whose phone rings, an
 * entry in the journal, a reminder of a missed call.
 *
 * The journal knows no id of ours. So the entry's note ends with "[0367-<UniqueId>]", and before an
 * entry is made the newest ones are searched for it: the answer to an earlier attempt may be lost.
 */
#include "uon.h"

#include "phone.h"

enum { DEFAULT_TASK_MINUTES = 15, MAX_TASK_MINUTES = 7 * 24 * 60 };
enum { MINUTE_MS = 60 * 1000, HOUR_MS = 60 * MINUTE_MS };

/* -- settings ------------------------------------------------------------------------------------ */

struct str uon_action(const struct crm_job *job, const char *name)
{
	const char *path = arena_printf(job->arena, "%s.%s",
		job->call->outgoing ? "outgoing_call_actions" : "incoming_call_actions", name);

	return crm_config_text(job->account, path, "", job->arena);
}

static bool wants_popups(const struct crm_job *job)
{
	struct str mode = crm_config_text(
		job->account, "notifications.call_notify_mode", "during", job->arena);

	if (str_equal(mode, STR("none")))
		return false;
	return job->call->outgoing
		       ? crm_config_bool(job->account, "notifications.notify_outgoing", false)
		       : crm_config_bool(job->account, "notifications.notify_incoming", true);
}

bool uon_creates_client(const struct crm_job *job)
{
	return crm_config_bool(job->account,
		job->call->outgoing ? "outgoing_call_actions.create_client_on_call"
				    : "incoming_call_actions.create_client_on_call",
		false);
}

bool uon_creates_lead(const struct crm_job *job)
{
	struct str when = uon_action(job, "create_request");

	return str_equal(when, STR("if_no_open")) || str_equal(when, STR("if_no_request"));
}

static bool is_missed(const struct crm_call *call)
{
	return !call->outgoing &&
	       (call->result == CRM_NO_ANSWER || call->result == CRM_BUSY ||
		       call->result == CRM_CANCELLED || call->result == CRM_FAILED);
}

/* -- who ----------------------------------------------------------------------------------------- */

static struct str manager_of(const struct crm_job *job, struct str extension)
{
	return crm_user_of(job->account, extension, job->arena);
}

struct str uon_manager(const struct crm_job *job)
{
	const struct crm_call *call = job->call;
	struct str manager = manager_of(job, call->extension);

	for (size_t i = 0; manager.size == 0 && i < call->rang.count; i++)
		manager = manager_of(job, call->rang.items[i]);
	return manager;
}

/* A popup for each manager whose phone rings, and for nobody else: once a call. */
static void add_popup(struct crm_job *job, struct str extension)
{
	struct uon *own = job->own;
	struct str manager = manager_of(job, extension);

	if (manager.size == 0 || crm_among(&own->memory.notified, manager))
		return;
	for (unsigned i = 0; i < own->steps.count; i++) {
		if (own->steps.items[i].operation == UON_NOTIFY &&
			str_equal(own->steps.items[i].who, manager))
			return;
	}
	crm_steps_add(&own->steps, UON_NOTIFY, manager);
}

static void add_popups(struct crm_job *job)
{
	const struct crm_call *call = job->call;
	const struct json_strings *ringing = call->ringing.count > 0 ? &call->ringing : &call->rang;

	if (call->outgoing) {
		add_popup(job, call->extension);
		return;
	}
	for (size_t i = 0; i < ringing->count; i++)
		add_popup(job, ringing->items[i]);
}

/* -- plans --------------------------------------------------------------------------------------- */

/* Without a number there is nobody to look for, and nothing to make. */
static bool has_number(const struct crm_job *job)
{
	return !job->call->hidden && job->call->phone.size > 0;
}

/* Popups and the making of clients and leads are separate switches. The look-up goes first, its name
 * stands in the popup; what follows from it is added when it is answered, or here when it was
 * answered at an earlier attempt. */
static int plan_ringing(struct crm_job *job)
{
	struct uon *own = job->own;
	bool makes = has_number(job) && (uon_creates_client(job) || uon_creates_lead(job));
	bool looks = has_number(job) && !own->memory.looked;

	if (job->late)
		return crm_skip(job, "too late for a message on the screen");
	if (looks)
		crm_steps_add(&own->steps, UON_CLIENT, STR(""));
	else if (makes && own->memory.client.size == 0 && uon_creates_client(job))
		crm_steps_add(&own->steps, UON_CREATE_CLIENT, STR(""));
	if (wants_popups(job))
		add_popups(job);
	if (makes && !looks)
		uon_add_leads(job);
	if (own->steps.count > (looks && !makes ? 1 : 0))
		return 0;
	if (!wants_popups(job))
		return crm_skip(job, "messages on the screen are switched off");
	return crm_skip(job, own->memory.notified.count > 0
				     ? "all managers who ring were told already"
				     : "none of those who ring is a manager of U-ON");
}

static void add_history(struct crm_job *job)
{
	struct uon *own = job->own;

	if (own->memory.history || !crm_config_bool(job->account, "log_calls", true))
		return;
	crm_steps_add(&own->steps, UON_LOOK, STR(""));
	crm_steps_add(&own->steps, UON_HISTORY, STR(""));
}

/* Of a missed call: a reminder, and another status for the lead that is open. */
static void add_missed(struct crm_job *job)
{
	struct uon *own = job->own;
	bool reminds = str_equal(uon_action(job, "create_task"), STR("on_missed")) &&
		       !own->memory.reminded;
	bool moves = uon_action(job, "missed_call_status").size > 0 && !own->memory.moved;
	bool looks = has_number(job) && !own->memory.looked;

	if (looks && (reminds || moves))
		crm_steps_add(&own->steps, UON_CLIENT, STR(""));
	if (reminds)
		crm_steps_add(&own->steps, UON_REMINDER, STR(""));
	if (moves && own->memory.lead.size > 0)
		crm_steps_add(&own->steps, UON_REQUEST, own->memory.lead);
	else if (moves && own->memory.client.size > 0)
		crm_steps_add(&own->steps, UON_STATUSES, STR(""));
}

static int plan_over(struct crm_job *job)
{
	struct uon *own = job->own;

	add_history(job);
	if (job->kind == CRM_HANGUP && !job->late && is_missed(job->call))
		add_missed(job);
	if (own->steps.count > 0)
		return 0;
	return crm_skip(
		job, own->memory.history
			     ? "it is in the journal already, and U-ON cannot change an entry"
			     : "the journal is switched off");
}

int uon_plan_tell(struct crm_job *job)
{
	if (job->kind == CRM_ANSWERED)
		return crm_skip(job, "U-ON knows no event of an answer");
	if (job->kind == CRM_RECORDING && job->call->record_url.size == 0)
		return crm_skip(job, "there is no link");
	return job->kind == CRM_RINGING ? plan_ringing(job) : plan_over(job);
}

/* -- the popup ----------------------------------------------------------------------------------- */

/* "june" is june.u-on.ru. */
static const char *office_url(const struct crm_job *job)
{
	struct str name = crm_config_text(job->account, "subdomain", NULL, job->arena);
	const char *url = crm_config_url(job->account, "subdomain", NULL, job->arena);

	if (url == NULL || (name.size > 0 && memchr(name.data, '.', name.size) != NULL))
		return url;
	return arena_printf(job->arena, "%s.u-on.ru", url);
}

static struct str customer_name(const struct crm_job *job)
{
	const struct uon *own = job->own;

	return own->memory.name.size > 0 ? own->memory.name : job->call->customer_name;
}

static void add_customer(const struct crm_job *job, struct buf *to)
{
	const struct uon *own = job->own;
	const char *office = office_url(job);
	struct str name = customer_name(job);

	if (name.size == 0)
		name = str_from(own->memory.client.size > 0
					? uon_words(job, "Без имени", "No name")
					: uon_words(job, "Новый клиент", "New client"));
	buf_add(to, STR("<br>"));
	if (own->memory.client.size == 0 || office == NULL) {
		buf_add_html(to, name);
		return;
	}
	buf_add(to, STR("<a href=\""));
	buf_add_html(to, str_from(office));
	buf_add(to, STR("/client_edit.php?client_id="));
	buf_add_html(to, str_from(crm_digits(own->memory.client, job->arena)));
	buf_add(to, STR("\">"));
	buf_add_html(to, name);
	buf_add(to, STR("</a>"));
}

/* U-ON shows it as HTML: whatever comes from outside is escaped. */
static struct str card(const struct crm_job *job)
{
	const struct crm_call *call = job->call;
	struct str line = call->line_name.size > 0 ? call->line_name : call->line;
	char phone[PHONE_TEXT_BYTES];
	struct buf buf;

	buf_init(&buf, CRM_BODY_MAX_BYTES);
	buf_printf(&buf, "<b>%s</b><br>",
		call->outgoing ? uon_words(job, "Исходящий звонок", "Outgoing call")
			       : uon_words(job, "Входящий звонок", "Incoming call"));
	phone_format(call->phone, phone);
	buf_add_html(&buf, str_from(call->hidden || phone[0] == '\0'
					    ? uon_words(job, "Номер скрыт", "Number withheld")
					    : phone));
	if (!call->hidden)
		add_customer(job, &buf);
	if (line.size > 0) {
		buf_printf(&buf, "<br>%s: ", uon_words(job, "Линия", "Line"));
		buf_add_html(&buf, line);
	}
	return crm_take(&buf, job->arena);
}

bool uon_build_notify(struct crm_job *job, struct crm_request *request)
{
	struct json_writer writer;
	struct buf buf;

	crm_json_begin(&writer, &buf);
	json_put_member_str(&writer, "text", card(job));
	uon_put_id(&writer, "manager_id", uon_who(job));
	return uon_post(job, request, "notification/create", &writer);
}

void uon_read_notify(struct crm_job *job, const struct json *reply)
{
	struct uon *own = job->own;

	crm_put_among(&own->memory.notified, uon_who(job), job->arena);
	uon_remember(job);
}

/* -- the journal --------------------------------------------------------------------------------- */

static const char *marker(const struct crm_job *job)
{
	return arena_printf(job->arena, "[%.*s]", STR_ARG(crm_external_id(job)));
}

/* Of this client, where one is known: that list is short. */
bool uon_build_look(struct crm_job *job, struct crm_request *request)
{
	const struct uon *own = job->own;

	if (own->memory.client.size == 0)
		return uon_get(job, request, "call_history/1");
	return uon_get(job, request,
		arena_printf(job->arena, "call_history_by_user/%s/1",
			crm_digits(own->memory.client, job->arena)));
}

/* The text of an answer is searched as it stands: nobody documents the shape of this list, and the
 * marker has nothing that JSON would write otherwise. */
void uon_read_look(struct crm_job *job, const struct crm_reply *reply)
{
	struct uon *own = job->own;
	const char *wanted = marker(job);

	if (reply->body.size == 0 ||
		memmem(reply->body.data, reply->body.size, wanted, strlen(wanted)) == NULL)
		return;
	own->memory.history = true;
	uon_remember(job);
	own->steps.at++; /* past call_history/create */
}

/* By 7.6 of the facts: answered or not; of a call without an end it says nothing. */
static const char *note(const struct crm_job *job)
{
	const char *words = "";

	if (job->call->result == CRM_TALKED)
		words = uon_words(job, "Статус: отвеченный ", "Status: answered ");
	else if (job->call->result != CRM_UNCLEAR && job->call->result != CRM_OPEN)
		words = uon_words(job, "Статус: неотвеченный ", "Status: not answered ");
	return arena_printf(job->arena, "%s%s", words, marker(job));
}

bool uon_build_history(struct crm_job *job, struct crm_request *request)
{
	const struct uon *own = job->own;
	const struct crm_call *call = job->call;
	const char *phone = crm_digits(call->phone, job->arena);
	struct json_writer writer;
	struct buf buf;

	crm_json_begin(&writer, &buf);
	json_put_member_str(&writer, "phone", str_from(phone[0] != '\0' ? phone : "000"));
	json_put_member_str(&writer, "start",
		str_from(crm_local_time(job->account, crm_first_ms(job), job->arena)));
	if (call->talk_seconds >= 0)
		json_put_member_int(&writer, "duration", call->talk_seconds);
	json_put_member_int(&writer, "direction", call->outgoing ? 1 : 2);
	if (!own->nobody)
		uon_put_id(&writer, "manager_id", manager_of(job, call->extension));
	if (call->record_url.size > 0)
		json_put_member_str(&writer, "record_link", call->record_url);
	json_put_member_str(&writer, "note", str_from(note(job)));
	return uon_post(job, request, "call_history/create", &writer);
}

void uon_read_history(struct crm_job *job, const struct json *reply)
{
	struct uon *own = job->own;

	own->memory.history = true;
	uon_remember(job);
}

/* -- the reminder -------------------------------------------------------------------------------- */

static int64_t task_minutes(const struct crm_job *job)
{
	int64_t minutes;

	if (!str_to_int64(uon_action(job, "task_minutes"), &minutes) || minutes < 1 ||
		minutes > MAX_TASK_MINUTES)
		return DEFAULT_TASK_MINUTES;
	return minutes;
}

/* For the client's manager; else for the first of those whom it rang. */
bool uon_build_reminder(struct crm_job *job, struct crm_request *request)
{
	const struct uon *own = job->own;
	const struct uon_memory *memory = &own->memory;
	int64_t at_ms = job->now_ms + task_minutes(job) * MINUTE_MS;
	char phone[PHONE_TEXT_BYTES];
	struct json_writer writer;
	struct buf buf;

	phone_format(job->call->phone, phone);
	crm_json_begin(&writer, &buf);
	json_put_member_int(&writer, "type_id", 1);
	json_put_member_str(
		&writer, "datetime", str_from(crm_local_time(job->account, at_ms, job->arena)));
	json_put_member_str(&writer, "datetime_to",
		str_from(crm_local_time(job->account, at_ms + HOUR_MS, job->arena)));
	json_put_member_str(&writer, "text",
		str_from(arena_printf(job->arena, "%s: %s",
			uon_words(job, "Пропущенный звонок", "Missed call"),
			phone[0] != '\0' ? phone
					 : uon_words(job, "номер скрыт", "number withheld"))));
	uon_put_id(&writer, "manager_id",
		memory->manager.size > 0 ? memory->manager : uon_manager(job));
	uon_put_id(&writer, "tr_id", memory->client);
	uon_put_id(&writer, "r_id", memory->lead);
	return uon_post(job, request, "reminder/create", &writer);
}

void uon_read_reminder(struct crm_job *job, const struct json *reply)
{
	struct uon *own = job->own;

	own->memory.reminded = true;
	uon_remember(job);
}
