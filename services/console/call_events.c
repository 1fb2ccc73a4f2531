/*
 * call_events: what the PBX sent, one row an event: first in people's words, then as it came.
 */
#include "call_page.h"

/* What one event says. */
static void say_start(struct html *html, const struct call_event *event)
{
	html_say(html, "Звонок пришёл", "A call came in");
	if (event->phone.size > 0)
		html_say(html, ": ", ": ");
	html_str(html, event->phone);
	if (event->trunk.size > 0) {
		html_say(html, ", линия ", ", line ");
		html_str(html, event->trunk);
	}
}

static void add_list(struct html *html, const struct json_strings *list)
{
	for (size_t i = 0; i < list->count; i++) {
		html_add(html, i > 0 ? ", " : "");
		html_str(html, list->items[i]);
	}
}

static void say_dial(struct html *html, const struct call_event *event)
{
	html_say(html, "Вызов ", "Dials ");
	if (event->call_type == 1) {
		html_str(html, event->phone);
		html_say(html, " для ", " for ");
	}
	add_list(html, &event->extensions);
	if (event->trunk.size > 0) {
		html_say(html, ", линия ", ", line ");
		html_str(html, event->trunk);
	}
}

/* A bridge by the beginning of its id: enough to see which are the same. */
static void add_bridge(struct html *html, struct str id)
{
	html_add(html, " <code>");
	html_str(html, str_of(id.data, id.size < 4 ? id.size : 4));
	html_add(html, "</code>");
}

static void add_channel_number(struct html *html, const struct call_event *event)
{
	if (event->caller_id_num.size > 0)
		html_str(html, event->caller_id_num);
	else
		html_add(html, "?");
}

static void say_bridge(struct html *html, const struct call_event *event)
{
	add_channel_number(html, event);
	html_say(html, " входит в мост", " enters bridge");
	add_bridge(html, event->bridge_id);
	if (event->connected_num.size > 0) {
		html_say(html, ", на связи ", ", connected to ");
		html_str(html, event->connected_num);
	}
}

static void say_leave(struct html *html, const struct call_event *event)
{
	add_channel_number(html, event);
	html_say(html, " выходит из моста", " leaves bridge");
	add_bridge(html, event->bridge_id);
	if (event->bridge_channels >= 0) {
		html_say(html, ", осталось ", ", left in it: ");
		html_int(html, event->bridge_channels);
	}
}

static void say_bridge_itself(struct html *html, const struct call_event *event)
{
	html_say(html, "Мост", "Bridge");
	add_bridge(html, event->bridge_id);
	if (event->type == EVENT_BRIDGE_CREATE)
		html_say(html, " создан", " made");
	else
		html_say(html, " разобран", " taken down");
}

static void say_callerid(struct html *html, const struct call_event *event)
{
	html_say(html, "Номер канала: ", "Number of the channel: ");
	add_channel_number(html, event);
	if (event->connected_num.size > 0) {
		html_say(html, ", вторая сторона ", ", the other side ");
		html_str(html, event->connected_num);
	}
}

static void say_hangup(struct html *html, const struct call_event *event)
{
	html_say(html, "Конец", "The end");
	if (event->phone.size > 0) {
		html_add(html, ": ");
		html_str(html, event->phone);
	}
	if (event->extensions.count > 0)
		html_add(html, " – ");
	add_list(html, &event->extensions);
	if (event->call_status == 2)
		html_say(html, ", отвечен", ", answered");
	else
		html_say(html, ", без ответа", ", not answered");
	if (event->start_ms == CALL_NO_TIME || event->end_ms == CALL_NO_TIME)
		return;
	html_say(html, "; по часам АТС ", "; by the PBX's clock ");
	html_clock(html, event->start_ms);
	html_add(html, " – ");
	html_clock(html, event->end_ms);
}

static void say(struct html *html, const struct view_event *row)
{
	static void (*const words[EVENT_TYPES])(struct html *, const struct call_event *) = {
		[EVENT_START] = say_start,
		[EVENT_DIAL] = say_dial,
		[EVENT_BRIDGE] = say_bridge,
		[EVENT_HANGUP] = say_hangup,
		[EVENT_BRIDGE_CREATE] = say_bridge_itself,
		[EVENT_BRIDGE_LEAVE] = say_leave,
		[EVENT_BRIDGE_DESTROY] = say_bridge_itself,
		[EVENT_NEW_CALLERID] = say_callerid,
	};

	if (row->event.type != EVENT_TYPES)
		words[row->event.type](html, &row->event);
	else
		html_say(html, "Событие, которое нельзя прочесть", "An event that cannot be read");
}

/* -- rows --------------------------------------------------------------------------------------------- */

static void add_json(struct html *html, const struct view_event *row)
{
	static const struct json_limits limits = {VIEW_MAX_EVENT_BYTES, 2 * CALL_EVENT_JSON_DEPTH};
	struct error error;
	struct json *json = json_parse(row->json, limits, &error);
	struct buf text;

	html_add(html, "<details><summary>JSON</summary><pre>");
	buf_init(&text, 4 * VIEW_MAX_EVENT_BYTES);
	if (json != NULL)
		json_print(&text, json, true);
	if (json != NULL && !text.failed)
		html_str(html, buf_str(&text));
	else
		html_say(html, "слишком длинный, чтобы показать", "too long to be shown");
	buf_free(&text);
	json_free(&json);
	html_add(html, "</pre>");
	html_say(html, "<p class=\"soft\">Запрос <code>POST /",
		"<p class=\"soft\">Request <code>POST /");
	html_str(html, row->type);
	html_add(html, "</code>, ");
	html_int(html, (int64_t)row->raw_bytes);
	html_say(html, " байт, след <code>", " bytes, trace <code>");
	html_str(html, row->trace);
	html_say(html, "</code>, событие ", "</code>, event ");
	html_int(html, row->event.id);
	html_add(html, "</p></details>");
}

static void add_row(struct html *html, const struct view_event *row)
{
	html_add(html, "<tr id=\"event-");
	html_int(html, row->event.id);
	html_add(html, "\"><td class=\"when\">");
	html_time(html, row->event.at_ms);
	html_add(html, " <span class=\"soft\">");
	html_offset(html, row->event.at_ms - html->view->drawing.from_ms, true);
	html_add(html, "</span></td><td><span class=\"type t-");
	html_str(html, row->type);
	html_add(html, "\">");
	html_str(html, row->type);
	html_add(html, "</span>");
	if (!str_equal(row->source, STR("live"))) {
		html_add(html, " <span class=\"soft\">🔄 ");
		html_str(html, row->source);
		html_add(html, "</span>");
	}
	html_add(html, "</td><td class=\"words\">");
	say(html, row);
	html_add(html, "<div class=\"soft channel\">");
	html_str(html, row->event.channel.size > 0 ? row->event.channel : row->event.unique_id);
	html_add(html, "</div></td><td class=\"raw\">");
	add_json(html, row);
	html_add(html, "</td></tr>");
}

void call_events(struct html *html)
{
	const struct call_view *view = html->view;

	html_add(html, "<section aria-labelledby=\"h-events\"><h2 id=\"h-events\">");
	html_say(html, "События АТС", "Events of the PBX");
	html_add(html, " <span class=\"count\">");
	html_int(html, (int64_t)view->event_count);
	html_add(html, "</span></h2><table class=\"rows\"><thead><tr>");
	html_say(html, "<th>Время</th><th>Событие</th><th>Что произошло</th><th>Как пришло</th>",
		"<th>Time</th><th>Event</th><th>What happened</th><th>As it came</th>");
	html_add(html, "</tr></thead><tbody>");
	for (size_t i = 0; i < view->event_count; i++)
		add_row(html, &view->events[i]);
	html_add(html, "</tbody></table>");
	if (view->events_cut)
		html_say(html, "<p class=\"soft\">Показана первая тысяча событий.</p>",
			"<p class=\"soft\">The first thousand of its events are shown.</p>");
	html_add(html, "</section>");
}
