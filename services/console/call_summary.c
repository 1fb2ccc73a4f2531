/*
 * call_summary: what the call was, in a headline and a list of facts.
 */
#include "call_page.h"

static const char *direction_words(const struct markup *html, enum call_direction direction)
{
	static const char *const ru[] = {
		"Звонок", "Входящий звонок", "Исходящий звонок", "Внутренний звонок"};
	static const char *const en[] = {"Call", "Incoming call", "Outgoing call", "Internal call"};

	return markup_pick(html, ru[direction], en[direction]);
}

static const char *state_words(const struct markup *html, const struct call *call)
{
	switch (call->state) {
	case CALL_GREETING:
		return markup_pick(html, "звучит приветствие", "hears the greeting");
	case CALL_RINGING:
		return markup_pick(html, "идёт вызов", "ringing");
	case CALL_TALKING:
		return markup_pick(html, "идёт разговор", "talking");
	case CALL_LOST:
		return markup_pick(html, "конец не пришёл", "its end never came");
	default:
		break;
	}
	if (call->answered)
		return markup_pick(html, "отвечен", "answered");
	return markup_pick(html, "без ответа", "not answered");
}

static const char *state_class(const struct call *call)
{
	if (call->state == CALL_LOST)
		return "lost";
	if (call->state != CALL_ENDED)
		return "open";
	return call->answered ? "good" : "bad";
}

/* The way of the call, in the order in which it went. */
static void add_way(struct markup *html, const struct call *call)
{
	bool inward = call->direction == CALL_INCOMING || call->direction == CALL_UNKNOWN;

	if (call->direction == CALL_INTERNAL) {
		markup_person(html, call->caller);
		markup_add(html, " → ");
		markup_person(html, call->callee);
		return;
	}
	if (inward) {
		markup_number(html, call->external);
		markup_add(html, " → ");
		markup_line(html, call->line);
		return;
	}
	markup_person(html, call->caller);
	markup_add(html, " → ");
	markup_number(html, call->external);
}

static void add_headline(struct markup *html)
{
	const struct call *call = &html->view->call;

	markup_add(html, "<div class=\"headline\"><h1>");
	markup_add(html, direction_words(html, call->direction));
	markup_add(html, " <span class=\"state ");
	markup_add(html, state_class(call));
	markup_add(html, "\">");
	markup_add(html, state_words(html, call));
	markup_add(html, "</span></h1><p class=\"way\">");
	add_way(html, call);
	markup_add(html, "</p></div>");
}

/* -- facts -------------------------------------------------------------------------------------------- */

static void open_fact(struct markup *html, const char *ru, const char *en)
{
	markup_add(html, "<div><dt>");
	markup_say(html, ru, en);
	markup_add(html, "</dt><dd>");
}

static void close_fact(struct markup *html)
{
	markup_add(html, "</dd></div>");
}

static void add_customer_link(struct markup *html)
{
	const char *url = html->view->customer_page;

	if (url == NULL || url[0] == '\0')
		return;
	markup_add(html, "<br><a href=\"");
	markup_text(html, url);
	markup_add(html, html->russian ? "&amp;lang=ru\">" : "&amp;lang=en\">");
	markup_say(html, "Все звонки и сообщения", "All calls and messages");
	markup_add(html, "</a>");
}

static void add_other_side(struct markup *html)
{
	const struct call *call = &html->view->call;

	if (call->direction == CALL_INTERNAL)
		return;
	open_fact(html, "Клиент", "The other side");
	markup_add(html, "<span class=\"n\">");
	markup_number(html, call->external);
	markup_add(html, "</span>");
	if (html->view->customer.size > 0) {
		markup_add(html, "<br>");
		markup_str(html, html->view->customer);
	}
	add_customer_link(html);
	close_fact(html);
	if (call->line[0] == '\0')
		return;
	open_fact(html, "Линия", "Line");
	markup_line(html, call->line);
	close_fact(html);
}

static void add_times(struct markup *html)
{
	const struct call *call = &html->view->call;
	int64_t ring_s = call_ring_seconds(call), talk_s = call_talk_seconds(call);

	open_fact(html, "Начало", "Began");
	markup_date(html, call->started_ms);
	markup_add(html, " ");
	markup_time(html, call->started_ms);
	close_fact(html);
	open_fact(html, "Ответ", "Answered");
	markup_time(html, call->answered_ms);
	if (ring_s >= 0 && call->answered) {
		markup_say(html, ", через ", ", after ");
		markup_offset(html, ring_s * 1000, false);
	}
	close_fact(html);
	open_fact(html, "Конец", "Ended");
	markup_time(html, call->ended_ms);
	if (talk_s >= 0 && call->answered) {
		markup_say(html, ", разговор ", ", talked for ");
		markup_offset(html, talk_s * 1000, false);
	}
	close_fact(html);
}

/* Numbers are not broken at the end of a line. */
static void add_whole(struct markup *html, const char *number)
{
	bool has_name = view_name(html->view, number)[0] != '\0';

	markup_add(html, has_name ? "<span>" : "<span class=\"n\">");
	markup_person(html, number);
	markup_add(html, "</span>");
}

static void add_people(
	struct markup *html, const char *ru, const char *en, const struct call_numbers *numbers)
{
	if (numbers->count == 0)
		return;
	open_fact(html, ru, en);
	for (unsigned i = 0; i < numbers->count; i++) {
		markup_add(html, i > 0 ? "<br>" : "");
		add_whole(html, numbers->items[i]);
	}
	close_fact(html);
}

static void add_transfers(struct markup *html)
{
	const struct call *call = &html->view->call;

	if (call->transfer_count == 0)
		return;
	open_fact(html, "Переводы", "Transfers");
	for (unsigned i = 0; i < call->transfer_count; i++) {
		const struct call_transfer *transfer = &call->transfers[i];

		markup_add(html, i > 0 ? "<br>" : "");
		markup_number(html, transfer->from);
		markup_add(html, " → ");
		markup_number(html, transfer->to);
		markup_add(html, " <span class=\"soft\">");
		markup_add(html, call_kind_words(html, transfer->kind));
		markup_add(html, ", ");
		markup_add(html, call_result_words(html, transfer->result));
		markup_add(html, "</span>");
	}
	close_fact(html);
}

static void add_origin(struct markup *html)
{
	const struct call_view *view = html->view;

	open_fact(html, "Номер звонка", "Call id");
	markup_add(html, "<code>");
	markup_int(html, view->call.id);
	markup_add(html, "</code> <span class=\"soft\">");
	markup_str(html, view->unique_id);
	markup_add(html, "</span>");
	if (!str_equal(view->source, STR("live"))) {
		markup_add(html, "<br>🔄 ");
		markup_say(html, "восстановлен: ", "recovered: ");
		markup_str(html, view->source);
	}
	close_fact(html);
	if (view->trace.size == 0)
		return;
	open_fact(html, "След", "Trace");
	markup_add(html, "<code>");
	markup_str(html, view->trace);
	markup_add(html, "</code>");
	close_fact(html);
}

void call_summary(struct markup *html)
{
	const struct call *call = &html->view->call;

	add_headline(html);
	markup_add(html, "<dl class=\"facts\">");
	add_other_side(html);
	add_times(html);
	add_people(html, "Говорили", "Talked", &call->talkers);
	add_people(html, "Вызывали", "Rang", &call->rang);
	add_transfers(html);
	add_origin(html);
	markup_add(html, "</dl>");
}
