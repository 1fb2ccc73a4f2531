/*
 * call_events: what the PBX sent, one row an event: first in people's words, then as it came.
 */
#include "call_page.h"

/* What one event says. */
static void say_start(struct markup *html, const struct call_event *event)
{
	markup_say(html, "Звонок пришёл", "A call came in");
	if (event->phone.size > 0)
		markup_say(html, ": ", ": ");
	markup_str(html, event->phone);
	if (event->trunk.size > 0) {
		markup_say(html, ", линия ", ", line ");
		markup_str(html, event->trunk);
	}
}

static void add_list(struct markup *html, const struct json_strings *list)
{
	for (size_t i = 0; i < list->count; i++) {
		markup_add(html, i > 0 ? ", " : "");
		markup_str(html, list->items[i]);
	}
}

static void say_dial(struct markup *html, const struct call_event *event)
{
	markup_say(html, "Вызов ", "Dials ");
	if (event->call_type == 1) {
		markup_str(html, event->phone);
		markup_say(html, " для ", " for ");
	}
	add_list(html, &event->extensions);
	if (event->trunk.size > 0) {
		markup_say(html, ", линия ", ", line ");
		markup_str(html, event->trunk);
	}
}

/* A bridge by the beginning of its id: enough to see which are the same. */
static void add_bridge(struct markup *html, struct str id)
{
	markup_add(html, " <code>");
	markup_str(html, str_of(id.data, id.size < 4 ? id.size : 4));
	markup_add(html, "</code>");
}

static void add_channel_number(struct markup *html, const struct call_event *event)
{
	if (event->caller_id_num.size > 0)
		markup_str(html, event->caller_id_num);
	else
		markup_add(html, "?");
}

static void say_bridge(struct markup *html, const struct call_event *event)
{
	add_channel_number(html, event);
	markup_say(html, " входит в мост", " enters bridge");
	add_bridge(html, event->bridge_id);
	if (event->connected_num.size > 0) {
		markup_say(html, ", на связи ", ", connected to ");
		markup_str(html, event->connected_num);
	}
}

static void say_leave(struct markup *html, const struct call_event *event)
{
	add_channel_number(html, event);
	markup_say(html, " выходит из моста", " leaves bridge");
	add_bridge(html, event->bridge_id);
	if (event->bridge_channels >= 0) {
		markup_say(html, ", осталось ", ", left in it: ");
		markup_int(html, event->bridge_channels);
	}
}

static void say_bridge_itself(struct markup *html, const struct call_event *event)
{
	markup_say(html, "Мост", "Bridge");
	add_bridge(html, event->bridge_id);
	if (event->type == EVENT_BRIDGE_CREATE)
		markup_say(html, " создан", " made");
	else
		markup_say(html, " разобран", " taken down");
}

static void say_callerid(struct markup *html, const struct call_event *event)
{
	markup_say(html, "Номер канала: ", "Number of the channel: ");
	add_channel_number(html, event);
	if (event->connected_num.size > 0) {
		markup_say(html, ", вторая сторона ", ", the other side ");
		markup_str(html, event->connected_num);
	}
}

static void say_hangup(struct markup *html, const struct call_event *event)
{
	markup_say(html, "Конец", "The end");
	if (event->phone.size > 0) {
		markup_add(html, ": ");
		markup_str(html, event->phone);
	}
	if (event->extensions.count > 0)
		markup_add(html, " – ");
	add_list(html, &event->extensions);
	if (event->call_status == 2)
		markup_say(html, ", отвечен", ", answered");
	else
		markup_say(html, ", без ответа", ", not answered");
	if (event->start_ms == CALL_NO_TIME || event->end_ms == CALL_NO_TIME)
		return;
	markup_say(html, "; по часам АТС ", "; by the PBX's clock ");
	markup_clock(html, event->start_ms);
	markup_add(html, " – ");
	markup_clock(html, event->end_ms);
}

static void say(struct markup *html, const struct view_event *row)
{
	static void (*const words[EVENT_TYPES])(struct markup *, const struct call_event *) = {
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
		markup_say(
			html, "Событие, которое нельзя прочесть", "An event that cannot be read");
}

/* -- rows --------------------------------------------------------------------------------------------- */

static void add_json(struct markup *html, const struct view_event *row)
{
	static const struct json_limits limits = {VIEW_MAX_EVENT_BYTES, 2 * CALL_EVENT_JSON_DEPTH};
	struct error error;
	struct json *json = json_parse(row->json, limits, &error);
	struct buf text;

	markup_add(html, "<details><summary>JSON</summary><pre>");
	buf_init(&text, 4 * VIEW_MAX_EVENT_BYTES);
	if (json != NULL)
		json_print(&text, json, true);
	if (json != NULL && !text.failed)
		markup_str(html, buf_str(&text));
	else
		markup_say(html, "слишком длинный, чтобы показать", "too long to be shown");
	buf_free(&text);
	json_free(&json);
	markup_add(html, "</pre>");
	markup_say(html, "<p class=\"soft\">Запрос <code>POST /",
		"<p class=\"soft\">Request <code>POST /");
	markup_str(html, row->type);
	markup_add(html, "</code>, ");
	markup_int(html, (int64_t)row->raw_bytes);
	markup_say(html, " байт, след <code>", " bytes, trace <code>");
	markup_str(html, row->trace);
	markup_say(html, "</code>, событие ", "</code>, event ");
	markup_int(html, row->event.id);
	markup_add(html, "</p></details>");
}

static void add_row(struct markup *html, const struct view_event *row)
{
	markup_add(html, "<tr id=\"event-");
	markup_int(html, row->event.id);
	markup_add(html, "\"><td class=\"when\">");
	markup_time(html, row->event.at_ms);
	markup_add(html, " <span class=\"soft\">");
	markup_offset(html, row->event.at_ms - html->view->drawing.from_ms, true);
	markup_add(html, "</span></td><td><span class=\"type t-");
	markup_str(html, row->type);
	markup_add(html, "\">");
	markup_str(html, row->type);
	markup_add(html, "</span>");
	if (!str_equal(row->source, STR("live"))) {
		markup_add(html, " <span class=\"soft\">🔄 ");
		markup_str(html, row->source);
		markup_add(html, "</span>");
	}
	markup_add(html, "</td><td class=\"words\">");
	say(html, row);
	markup_add(html, "<div class=\"soft channel\">");
	markup_str(html, row->event.channel.size > 0 ? row->event.channel : row->event.unique_id);
	markup_add(html, "</div></td><td class=\"raw\">");
	add_json(html, row);
	markup_add(html, "</td></tr>");
}

void call_events(struct markup *html)
{
	const struct call_view *view = html->view;

	markup_add(html, "<section aria-labelledby=\"h-events\"><h2 id=\"h-events\">");
	markup_say(html, "События АТС", "Events of the PBX");
	markup_add(html, " <span class=\"count\">");
	markup_int(html, (int64_t)view->event_count);
	markup_add(html, "</span></h2><table class=\"rows\"><thead><tr>");
	markup_say(html, "<th>Время</th><th>Событие</th><th>Что произошло</th><th>Как пришло</th>",
		"<th>Time</th><th>Event</th><th>What happened</th><th>As it came</th>");
	markup_add(html, "</tr></thead><tbody>");
	for (size_t i = 0; i < view->event_count; i++)
		add_row(html, &view->events[i]);
	markup_add(html, "</tbody></table>");
	if (view->events_cut)
		markup_say(html, "<p class=\"soft\">Показана первая тысяча событий.</p>",
			"<p class=\"soft\">The first thousand of its events are shown.</p>");
	markup_add(html, "</section>");
}
