/*
 * call_summary: what the call was, in a headline and a list of facts.
 */
#include "call_page.h"

static const char *direction_words(const struct html *html, enum call_direction direction)
{
	static const char *const ru[] = {
		"Звонок", "Входящий звонок", "Исходящий звонок", "Внутренний звонок"};
	static const char *const en[] = {"Call", "Incoming call", "Outgoing call", "Internal call"};

	return html_pick(html, ru[direction], en[direction]);
}

static const char *state_words(const struct html *html, const struct call *call)
{
	switch (call->state) {
	case CALL_GREETING:
		return html_pick(html, "звучит приветствие", "hears the greeting");
	case CALL_RINGING:
		return html_pick(html, "идёт вызов", "ringing");
	case CALL_TALKING:
		return html_pick(html, "идёт разговор", "talking");
	case CALL_LOST:
		return html_pick(html, "конец не пришёл", "its end never came");
	default:
		break;
	}
	if (call->answered)
		return html_pick(html, "отвечен", "answered");
	return html_pick(html, "без ответа", "not answered");
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
static void add_way(struct html *html, const struct call *call)
{
	bool inward = call->direction == CALL_INCOMING || call->direction == CALL_UNKNOWN;

	if (call->direction == CALL_INTERNAL) {
		html_person(html, call->caller);
		html_add(html, " → ");
		html_person(html, call->callee);
		return;
	}
	if (inward) {
		html_number(html, call->external);
		html_add(html, " → ");
		html_line(html, call->line);
		return;
	}
	html_person(html, call->caller);
	html_add(html, " → ");
	html_number(html, call->external);
}

static void add_headline(struct html *html)
{
	const struct call *call = &html->view->call;

	html_add(html, "<div class=\"headline\"><h1>");
	html_add(html, direction_words(html, call->direction));
	html_add(html, " <span class=\"state ");
	html_add(html, state_class(call));
	html_add(html, "\">");
	html_add(html, state_words(html, call));
	html_add(html, "</span></h1><p class=\"way\">");
	add_way(html, call);
	html_add(html, "</p></div>");
}

/* -- facts -------------------------------------------------------------------------------------------- */

static void open_fact(struct html *html, const char *ru, const char *en)
{
	html_add(html, "<div><dt>");
	html_say(html, ru, en);
	html_add(html, "</dt><dd>");
}

static void close_fact(struct html *html)
{
	html_add(html, "</dd></div>");
}

static void add_other_side(struct html *html)
{
	const struct call *call = &html->view->call;

	if (call->direction == CALL_INTERNAL)
		return;
	open_fact(html, "Клиент", "The other side");
	html_number(html, call->external);
	if (html->view->customer.size > 0) {
		html_add(html, "<br>");
		html_str(html, html->view->customer);
	}
	close_fact(html);
	if (call->line[0] == '\0')
		return;
	open_fact(html, "Линия", "Line");
	html_line(html, call->line);
	close_fact(html);
}

static void add_times(struct html *html)
{
	const struct call *call = &html->view->call;
	int64_t ring_s = call_ring_seconds(call), talk_s = call_talk_seconds(call);

	open_fact(html, "Начало", "Began");
	html_date(html, call->started_ms);
	html_add(html, " ");
	html_time(html, call->started_ms);
	close_fact(html);
	open_fact(html, "Ответ", "Answered");
	html_time(html, call->answered_ms);
	if (ring_s >= 0 && call->answered) {
		html_say(html, ", через ", ", after ");
		html_offset(html, ring_s * 1000, false);
	}
	close_fact(html);
	open_fact(html, "Конец", "Ended");
	html_time(html, call->ended_ms);
	if (talk_s >= 0 && call->answered) {
		html_say(html, ", разговор ", ", talked for ");
		html_offset(html, talk_s * 1000, false);
	}
	close_fact(html);
}

static void add_people(
	struct html *html, const char *ru, const char *en, const struct call_numbers *numbers)
{
	if (numbers->count == 0)
		return;
	open_fact(html, ru, en);
	for (unsigned i = 0; i < numbers->count; i++) {
		html_add(html, i > 0 ? "<br>" : "");
		html_person(html, numbers->items[i]);
	}
	close_fact(html);
}

static void add_transfers(struct html *html)
{
	const struct call *call = &html->view->call;

	if (call->transfer_count == 0)
		return;
	open_fact(html, "Переводы", "Transfers");
	for (unsigned i = 0; i < call->transfer_count; i++) {
		const struct call_transfer *transfer = &call->transfers[i];

		html_add(html, i > 0 ? "<br>" : "");
		html_number(html, transfer->from);
		html_add(html, " → ");
		html_number(html, transfer->to);
		html_add(html, " <span class=\"soft\">");
		html_add(html, call_kind_words(html, transfer->kind));
		html_add(html, ", ");
		html_add(html, call_result_words(html, transfer->result));
		html_add(html, "</span>");
	}
	close_fact(html);
}

static void add_origin(struct html *html)
{
	const struct call_view *view = html->view;

	open_fact(html, "Номер звонка", "Call id");
	html_add(html, "<code>");
	html_int(html, view->call.id);
	html_add(html, "</code> <span class=\"soft\">");
	html_str(html, view->unique_id);
	html_add(html, "</span>");
	if (!str_equal(view->source, STR("live"))) {
		html_add(html, "<br>🔄 ");
		html_say(html, "восстановлен: ", "recovered: ");
		html_str(html, view->source);
	}
	close_fact(html);
	if (view->trace.size == 0)
		return;
	open_fact(html, "След", "Trace");
	html_add(html, "<code>");
	html_str(html, view->trace);
	html_add(html, "</code>");
	close_fact(html);
}

void call_summary(struct html *html)
{
	const struct call *call = &html->view->call;

	add_headline(html);
	html_add(html, "<dl class=\"facts\">");
	add_other_side(html);
	add_times(html);
	add_people(html, "Говорили", "Talked", &call->talkers);
	add_people(html, "Вызывали", "Rang", &call->rang);
	add_transfers(html);
	add_origin(html);
	html_add(html, "</dl>");
}
