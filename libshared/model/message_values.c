/*
 * message_values: one function a placeholder, found by a table.
 *
 * Icons stand in the templates, words and data here. Every datum is escaped.
 */
#include "message_values.h"

#include "message_texts.h"
#include "phone.h"

#include <stdio.h>

enum { DATUM_BYTES = 192, MAX_URL = 500 };

static void add_text(const struct message_view *view, enum message_text which, struct buf *to)
{
	buf_add(to, str_from(message_text(view->tenant->locale, which)));
}

void message_add_datum(struct buf *to, const char *datum)
{
	char clean[DATUM_BYTES];
	str_copy(clean, sizeof(clean), str_from(datum));
	for (char *at = clean; *at != '\0'; at++) {
		if ((unsigned char)*at < ' ' || *at == 0x7f)
			*at = ' ';
	}
	buf_add_html(to, str_from(clean));
}

static void add_spelled(const char *number, struct buf *to)
{
	char spelled[PHONE_TEXT_BYTES];
	phone_format(str_from(number), spelled);
	message_add_datum(to, spelled);
}

/* -- the other side ------------------------------------------------------------------------------- */

static void add_customer(const struct message_view *view, struct buf *to)
{
	if (view->customer != NULL)
		message_add_datum(to, view->customer->name);
}

/* Never an empty bag: a number that is not known is said to be so. */
static void add_phone(const struct message_view *view, struct buf *to)
{
	size_t before = to->size;
	add_spelled(view->call->external, to);
	if (to->size == before)
		add_text(view, TEXT_HIDDEN_NUMBER, to);
}

static void add_client(const struct message_view *view, struct buf *to)
{
	add_phone(view, to);
	if (view->customer == NULL || view->customer->name[0] == '\0')
		return;
	buf_add(to, STR(" ("));
	add_customer(view, to);
	buf_add_char(to, ')');
}

static void add_black_list(const struct message_view *view, struct buf *to)
{
	if (view->customer != NULL && view->customer->black_list)
		add_text(view, TEXT_BLACK_LIST, to);
}

static void add_history(const struct message_view *view, struct buf *to)
{
	message_add_history(view, true, to);
}

static void add_history_short(const struct message_view *view, struct buf *to)
{
	message_add_history(view, false, to);
}

/* -- ours ----------------------------------------------------------------------------------------- */

/* An internal call has two of us, and one of them may not be known. */
static void add_colleague(const struct message_view *view, const char *number, struct buf *to)
{
	if (number[0] == '\0')
		add_text(view, TEXT_SOMEBODY, to);
	else if (tenant_is_extension(view->tenant, number))
		message_add_manager(view->tenant, number, false, to);
	else
		add_spelled(number, to);
}

static void add_caller(const struct message_view *view, struct buf *to)
{
	add_colleague(view, view->call->caller, to);
}

/* Of a department that is called it is the one who answered, not the number. */
static void add_callee(const struct message_view *view, struct buf *to)
{
	const struct call *call = view->call;
	bool known = call->state == CALL_TALKING && call->talking[0] != '\0';
	add_colleague(view, known ? call->talking : call->callee, to);
}

static bool talker_is_mobile(const struct message_view *view)
{
	return !tenant_is_extension(view->tenant, message_talker(view->call));
}

static void add_manager(const struct message_view *view, struct buf *to)
{
	const char *talker = message_talker(view->call);
	if (talker[0] != '\0' && !talker_is_mobile(view))
		message_add_manager(view->tenant, talker, false, to);
}

static void add_mobile(const struct message_view *view, struct buf *to)
{
	const char *talker = message_talker(view->call);
	if (talker[0] != '\0' && talker_is_mobile(view))
		add_spelled(talker, to);
}

/* Either of them, with its icon. */
static void add_talker(const struct message_view *view, struct buf *to)
{
	if (message_talker(view->call)[0] == '\0')
		return;
	buf_add(to, talker_is_mobile(view) ? STR("📱") : STR("☎️"));
	add_manager(view, to);
	add_mobile(view, to);
}

/* Did a number that rings one person's phones in turn take part; in the end only when it was taken
 * there. */
static bool went_by_followme(const struct call *call)
{
	bool over = call->state == CALL_ENDED || call->state == CALL_LOST;
	for (unsigned i = 0; i < call->transfer_count; i++) {
		const struct call_transfer *transfer = &call->transfers[i];
		if (transfer->follow_me && transfer->result == TRANSFER_ACCEPTED)
			return true;
	}
	for (unsigned i = 0; i < call->leg_count; i++) {
		const struct call_leg *leg = &call->legs[i];
		if (leg->follow_me && (!over || leg->answered_ms != CALL_NO_TIME))
			return true;
	}
	return false;
}

static void add_followme(const struct message_view *view, struct buf *to)
{
	if (went_by_followme(view->call))
		buf_add(to, STR("[FollowMe]"));
}

/* -- the line ------------------------------------------------------------------------------------- */

/* "МТС", else "Линия 0001363"; a trunk that is no line's id is another placeholder. */
static void add_line_name(const struct message_view *view, const char *line, struct buf *to)
{
	const char *name = tenant_line_name(view->tenant, line);
	if (name[0] != '\0') {
		message_add_datum(to, name);
	} else if (phone_line_id(str_from(line)).size > 0) {
		add_text(view, TEXT_LINE, to);
		buf_add_char(to, ' ');
		message_add_datum(to, line);
	}
}

static void add_line(const struct message_view *view, struct buf *to)
{
	add_line_name(view, view->call->line, to);
}

static void add_trunk(const struct message_view *view, struct buf *to)
{
	const char *line = view->call->line;
	if (tenant_line_name(view->tenant, line)[0] == '\0' &&
		phone_line_id(str_from(line)).size == 0)
		message_add_datum(to, line);
}

/* The line that was tried first, when another was taken for it. */
static void add_busy_line(const struct message_view *view, struct buf *to)
{
	const struct call *call = view->call;
	size_t before = to->size;
	if (call->line_first[0] == '\0' ||
		str_equal(str_from(call->line_first), str_from(call->line)))
		return;
	add_line_name(view, call->line, to);
	if (to->size == before)
		return; /* a trunk without a name: what would stand behind the arrow is missing */
	to->size = before;
	add_line_name(view, call->line_first, to);
	if (to->size == before)
		message_add_datum(to, call->line_first);
}

/* -- how it went ---------------------------------------------------------------------------------- */

/* A space stands after the cross, none after the tick or behind the mark of a recovered call. */
static void add_mark(const struct message_view *view, struct buf *to)
{
	const struct call *call = view->call;
	if (call->answered)
		buf_add(to, STR("✅"));
	else
		buf_add(to, call->state == CALL_LOST ? STR("⚠️") : STR("❌"));
	if (view->recovered)
		buf_add(to, STR("🔄"));
	else if (!call->answered)
		buf_add_char(to, ' ');
}

/* By the host's clock, in the enterprise's zone. */
static void add_start(const struct message_view *view, struct buf *to)
{
	const struct call *call = view->call;
	if (call->started_ms == CALL_NO_TIME) {
		if (view->recovered)
			add_text(view, TEXT_UNKNOWN_START, to);
		return;
	}
	struct clock_civil start = clock_to_civil(call->started_ms, view->tenant->zone);
	buf_printf(to, "%02d:%02d", start.hour, start.minute);
}

/* Minutes may pass 59. Without an end, or with one before the start (a clock that was set back), no
 * length is shown; a recovered call always has one. */
static void add_duration(const struct message_view *view, struct buf *to)
{
	const struct call *call = view->call;
	int64_t seconds = 0;
	bool known = call->state == CALL_ENDED && call->started_ms != CALL_NO_TIME &&
		     call->ended_ms >= call->started_ms;
	if (known)
		seconds = (call->ended_ms - call->started_ms) / 1000;
	if (known || (view->recovered && call->state == CALL_ENDED))
		buf_printf(
			to, "%02lld:%02lld", (long long)(seconds / 60), (long long)(seconds % 60));
}

static void add_recording_url(const struct message_view *view, struct buf *to)
{
	struct str url = str_from(view->recording_url);
	if (url.size <= MAX_URL &&
		(str_starts(url, STR("https://")) || str_starts(url, STR("http://"))))
		buf_add_html(to, url);
}

static void add_recording(const struct message_view *view, struct buf *to)
{
	struct buf url;
	buf_init(&url, MESSAGE_MAX_BYTES);
	add_recording_url(view, &url);
	if (url.size > 0)
		buf_printf(to, "<a href=\"%s\">%s</a>", url.data,
			message_text(view->tenant->locale, TEXT_RECORDING));
	buf_free(&url);
}

static const struct {
	const char *name;
	void (*add)(const struct message_view *view, struct buf *to);
} values[MESSAGE_VALUES] = {
	[VALUE_MARK] = {"mark", add_mark},
	[VALUE_CLIENT] = {"client", add_client},
	[VALUE_PHONE] = {"phone", add_phone},
	[VALUE_CUSTOMER] = {"customer", add_customer},
	[VALUE_BLACK_LIST] = {"black_list", add_black_list},
	[VALUE_CALLER] = {"caller", add_caller},
	[VALUE_CALLEE] = {"callee", add_callee},
	[VALUE_TALKER] = {"talker", add_talker},
	[VALUE_MANAGER] = {"manager", add_manager},
	[VALUE_MOBILE] = {"mobile", add_mobile},
	[VALUE_MANAGERS] = {"managers", message_add_managers},
	[VALUE_LINE] = {"line", add_line},
	[VALUE_TRUNK] = {"trunk", add_trunk},
	[VALUE_BUSY_LINE] = {"busy_line", add_busy_line},
	[VALUE_TRANSFERS] = {"transfers", message_add_transfers},
	[VALUE_FOLLOWME] = {"followme", add_followme},
	[VALUE_START] = {"start", add_start},
	[VALUE_DURATION] = {"duration", add_duration},
	[VALUE_HISTORY] = {"history", add_history},
	[VALUE_HISTORY_SHORT] = {"history_short", add_history_short},
	[VALUE_CALLS] = {"calls", message_add_calls},
	[VALUE_LAST_CALL] = {"last_call", message_add_last_call},
	[VALUE_RECORDING] = {"recording", add_recording},
	[VALUE_RECORDING_URL] = {"recording_url", add_recording_url},
};

bool message_value_from(struct str name, enum message_value *which)
{
	for (unsigned i = 0; i < MESSAGE_VALUES; i++) {
		if (str_equal(name, str_from(values[i].name))) {
			*which = (enum message_value)i;
			return true;
		}
	}
	return false;
}

void message_value_add(const struct message_view *view, enum message_value which, struct buf *to)
{
	values[which].add(view, to);
}
