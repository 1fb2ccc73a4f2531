/*
 * customer_page: calls, texts and chats with one customer in one list, newest first; below a call of the voice
 * agent what was said, with a bar for how long each part of its answer took.
 */
#include "customer_view.h"
#include "frame.h"

#include <inttypes.h>

enum { BAR_WIDTH = 240, BAR_FULL_MS = 3000, BAR_HEIGHT = 8 };

/* -- calls ----------------------------------------------------------------------------------------- */

static const char *direction_words(const struct markup *html, struct str direction)
{
	if (str_equal(direction, STR("outgoing")))
		return markup_pick(html, "Исходящий звонок", "Outgoing call");
	if (str_equal(direction, STR("internal")))
		return markup_pick(html, "Внутренний звонок", "Internal call");
	return markup_pick(html, "Входящий звонок", "Incoming call");
}

static void add_state(struct markup *html, const struct customer_call *call)
{
	bool over = str_equal(call->state, STR("ended")) || str_equal(call->state, STR("lost"));
	const char *class = !over ? "open" : call->answered ? "good" : "bad";

	markup_add(html, " <span class=\"state ");
	markup_add(html, class);
	markup_add(html, "\">");
	if (!over)
		markup_say(html, "идёт", "goes on");
	else if (call->answered)
		markup_say(html, "отвечен", "answered");
	else
		markup_say(html, "без ответа", "not answered");
	markup_add(html, "</span>");
}

static void add_talkers(struct markup *html, const struct customer_call *call)
{
	for (unsigned i = 0; i < call->talkers.count; i++) {
		markup_add(html, i == 0 ? "<p class=\"soft\">" : " → ");
		markup_person(html, call->talkers.items[i]);
	}
	if (call->talkers.count > 0 && call->seconds >= 0) {
		markup_add(html, " · ");
		markup_offset(html, call->seconds * 1000, false);
	}
	if (call->talkers.count > 0)
		markup_add(html, "</p>");
}

/* Somebody else's address: only as a link of the web. */
static void add_recording(struct markup *html, const struct customer_call *call)
{
	if (!str_starts(call->url, STR("https://")) && !str_starts(call->url, STR("http://")))
		return;
	markup_add(html, "<p><a rel=\"noreferrer\" href=\"");
	markup_str(html, call->url);
	markup_add(html, "\">");
	markup_say(html, "Запись разговора", "Recording");
	markup_add(html, "</a></p>");
}

/* -- what was said ---------------------------------------------------------------------------------- */

static int width_of(int64_t ms)
{
	int64_t width = ms * BAR_WIDTH / BAR_FULL_MS;

	return ms <= 0 ? 0 : width > BAR_WIDTH ? BAR_WIDTH : width < 1 ? 1 : (int)width;
}

/* Recognised, thought, spoken: one after the other, three seconds are the whole width. */
static void add_bar(struct markup *html, const struct customer_turn *turn)
{
	const struct {
		int64_t ms;
		const char *class;
	} parts[] = {{turn->recognise_ms, "waiting"}, {turn->think_ms, "ringing"},
		{turn->speak_ms, "talking"}};
	int at = 0;

	if (turn->total_ms < 0)
		return;
	buf_printf(&html->to,
		"<svg class=\"latency\" width=\"%d\" height=\"%d\" viewBox=\"0 0 %d %d\" "
		"aria-hidden=\"true\">",
		BAR_WIDTH, BAR_HEIGHT, BAR_WIDTH, BAR_HEIGHT);
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		int width = width_of(parts[i].ms);

		if (at + width > BAR_WIDTH)
			width = BAR_WIDTH - at;
		buf_printf(&html->to,
			"<rect class=\"part-%s\" x=\"%d\" y=\"0\" width=\"%d\" height=\"%d\"/>",
			parts[i].class, at, width, BAR_HEIGHT);
		at += width;
	}
	markup_add(html, "</svg>");
}

static void add_part(struct markup *html, const char *ru, const char *en, int64_t ms)
{
	if (ms < 0)
		return;
	markup_add(html, ", ");
	markup_say(html, ru, en);
	buf_printf(&html->to, " %" PRId64, ms);
}

static void add_times(struct markup *html, const struct customer_turn *turn)
{
	if (turn->total_ms < 0)
		return;
	markup_add(html, "<p class=\"soft figures\">");
	add_bar(html, turn);
	markup_say(html, "ответ через ", "answered after ");
	buf_printf(&html->to, "%" PRId64 " ", turn->total_ms);
	markup_say(html, "мс", "ms");
	add_part(html, "распознавание", "recognised", turn->recognise_ms);
	add_part(html, "обдумывание", "thought", turn->think_ms);
	add_part(html, "речь", "spoken", turn->speak_ms);
	markup_add(html, "</p>");
}

static void add_said(struct markup *html, const char *ru, const char *en, struct str said)
{
	if (said.size == 0)
		return;
	markup_add(html, "<p><b>");
	markup_say(html, ru, en);
	markup_add(html, "</b> ");
	markup_str(html, said);
	markup_add(html, "</p>");
}

static void add_turn(struct markup *html, const struct customer_turn *turn)
{
	markup_add(html, "<li>");
	add_said(html, "Клиент:", "Customer:", turn->heard);
	add_said(html, "Помощник:", "Agent:", turn->reply);
	if (turn->interrupted) {
		markup_add(html, "<p class=\"soft\">");
		markup_say(html, "ответ прерван клиентом", "the customer interrupted the answer");
		markup_add(html, "</p>");
	}
	add_said(html, "Ошибка:", "Error:", turn->error);
	add_times(html, turn);
	markup_add(html, "</li>");
}

static void add_turns(struct markup *html, const struct customer_call *call)
{
	if (call->turn_count == 0)
		return;
	markup_add(html, "<details open><summary>");
	markup_say(html, "Разговор с помощником", "The talk with the agent");
	markup_add(html, "</summary><ol class=\"turns\">");
	for (size_t i = 0; i < call->turn_count; i++)
		add_turn(html, &call->turns[i]);
	markup_add(html, "</ol></details>");
}

static void add_call(struct markup *html, const struct customer_call *call)
{
	char line[CALL_NUMBER_BYTES];

	markup_add(html, "<h2>☎️ <a href=\"");
	markup_text(html, call->page);
	markup_add(html, "\">");
	markup_add(html, direction_words(html, call->direction));
	markup_add(html, "</a>");
	add_state(html, call);
	markup_add(html, "</h2>");
	if (call->line.size > 0) {
		(void)str_copy(line, sizeof(line), call->line);
		markup_add(html, "<p class=\"soft\">");
		markup_say(html, "Линия ", "Line ");
		markup_line(html, line);
		markup_add(html, "</p>");
	}
	add_talkers(html, call);
	add_recording(html, call);
	add_turns(html, call);
}

/* -- texts ----------------------------------------------------------------------------------------- */

static const char *status_words(const struct markup *html, struct str status)
{
	static const char *const known[][3] = {
		{"received", "получено", "received"},
		{"queued", "ждёт отправки", "waits to be sent"},
		{"sending", "отправляется", "is being sent"},
		{"sent", "отправлено", "sent"},
		{"delivered", "доставлено", "delivered"},
		{"read", "прочитано", "read"},
		{"undelivered", "не доставлено", "not delivered"},
		{"failed", "не отправлено", "failed"},
		{"canceled", "отменено", "canceled"},
	};

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		if (str_equal(status, str_from(known[i][0])))
			return markup_pick(html, known[i][1], known[i][2]);
	}
	return "";
}

static void add_text(struct markup *html, const struct customer_text *text)
{
	bool out = str_equal(text->direction, STR("out"));

	markup_add(html, "<h2>💬 ");
	markup_add(html, str_equal(text->channel, STR("whatsapp")) ? "WhatsApp" : "SMS");
	markup_add(html, out ? " ←" : " →");
	markup_add(html, " <span class=\"soft\">");
	markup_add(html, status_words(html, text->status));
	markup_add(html, "</span></h2>");
	if (text->body.size > 0) {
		markup_add(html, "<p class=\"words\">");
		markup_str(html, text->body);
		markup_add(html, "</p>");
	}
	if (text->media > 0) {
		markup_add(html, "<p class=\"soft\">📎 ");
		markup_int(html, text->media);
		markup_add(html, "</p>");
	}
	if (text->error.size > 0) {
		markup_add(html, "<p class=\"soft\">");
		markup_str(html, text->error);
		markup_add(html, "</p>");
	}
}

/* -- the page -------------------------------------------------------------------------------------- */

static void add_headline(struct markup *html, const struct customer_view *view)
{
	markup_add(html, "<div class=\"headline\"><h1>");
	if (view->name.size > 0)
		markup_str(html, view->name);
	else
		markup_number(html, view->phone);
	if (view->black_list) {
		markup_add(html, " <span class=\"state bad\">");
		markup_say(html, "чёрный список", "black list");
		markup_add(html, "</span>");
	}
	markup_add(html, "</h1><p class=\"way\">");
	markup_number(html, view->phone);
	markup_add(html, "</p></div>");
}

static void add_items(struct markup *html, const struct customer_view *view)
{
	markup_add(html, "<ol class=\"timeline\">");
	for (size_t i = 0; i < view->item_count; i++) {
		const struct customer_item *item = &view->items[i];

		markup_add(html, "<li><section><p class=\"soft\">");
		markup_date(html, item->at_ms);
		markup_add(html, " ");
		markup_time(html, item->at_ms);
		markup_add(html, "</p>");
		if (item->call != NULL)
			add_call(html, item->call);
		else
			add_text(html, item->text);
		markup_add(html, "</section></li>");
	}
	markup_add(html, "</ol>");
}

void customer_page(struct markup *html, const struct customer_view *view, const struct link *link)
{
	const struct frame frame = {
		.title = markup_pick(html, "Клиент", "Customer"), .link = link, .more = ""};

	frame_open(html, &frame);
	add_headline(html, view);
	if (view->item_count == 0) {
		markup_add(html, "<p>");
		markup_say(html, "С этим клиентом ещё ничего не было.",
			"There was nothing with this customer yet.");
		markup_add(html, "</p>");
	}
	add_items(html, view);
	if (view->more) {
		markup_add(html, "<p class=\"soft\">");
		markup_say(html, "Показаны последние 200 звонков и сообщений.",
			"The last 200 calls and messages are shown.");
		markup_add(html, "</p>");
	}
	frame_close(html, &frame);
}
