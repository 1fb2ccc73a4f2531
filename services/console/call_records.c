/*
 * call_records: what callweave made of the events: why the call is as it is, and whom it told.
 */
#include "call_page.h"

static void open_section(struct markup *html, const char *id, const char *title, size_t count)
{
	markup_add(html, "<section aria-labelledby=\"h-");
	markup_add(html, id);
	markup_add(html, "\"><h2 id=\"h-");
	markup_add(html, id);
	markup_add(html, "\">");
	markup_add(html, title);
	markup_add(html, " <span class=\"count\">");
	markup_int(html, (int64_t)count);
	markup_add(html, "</span></h2>");
}

static void add_none(struct markup *html)
{
	markup_say(html, "<p class=\"soft\">Записей нет.</p>", "<p class=\"soft\">No records.</p>");
}

static void add_status(struct markup *html, int64_t http_status)
{
	if (http_status <= 0)
		return;
	markup_add(html, " <span class=\"soft\">HTTP ");
	markup_int(html, http_status);
	markup_add(html, "</span>");
}

/* When, to whom; what is said of it follows. */
static void open_row(struct markup *html, int64_t at_ms, struct str to)
{
	markup_add(html, "<tr><td class=\"when\">");
	markup_time(html, at_ms);
	markup_add(html, "</td><td><code>");
	markup_str(html, to);
	markup_add(html, "</code></td><td class=\"words\">");
}

/* -- reasons -------------------------------------------------------------------------------------------- */

/* Reasons are the fold's own words, in English; they lead to the event that gave them. */
static void add_reason(struct markup *html, const struct view_reason *reason)
{
	markup_add(html, "<li><span class=\"when\">");
	markup_time(html, reason->at_ms);
	markup_add(html, "</span> ");
	if (reason->event_id > 0) {
		markup_add(html, "<a href=\"#event-");
		markup_int(html, reason->event_id);
		markup_add(html, "\" lang=\"en\">");
	}
	markup_str(html, reason->why);
	markup_add(html, reason->event_id > 0 ? "</a></li>" : "</li>");
}

void call_reasons(struct markup *html)
{
	const struct call_view *view = html->view;

	open_section(html, "why",
		markup_pick(html, "Почему звонок понят так", "Why it was understood so"),
		view->reason_count);
	if (view->reason_count == 0)
		add_none(html);
	markup_add(html, "<ol class=\"reasons\">");
	for (size_t i = 0; i < view->reason_count; i++)
		add_reason(html, &view->reasons[i]);
	markup_add(html, "</ol></section>");
}

/* -- Telegram and other destinations ---------------------------------------------------------------------- */

static bool is_telegram(struct str destination)
{
	return str_starts(destination, STR("telegram:"));
}

static const char *state_words(const struct markup *html, struct str state)
{
	static const struct {
		const char *name, *ru, *en;
	} words[] = {
		{"queued", "в очереди", "queued"},
		{"sending", "отправляется", "being sent"},
		{"sent", "доставлено", "delivered"},
		{"failed", "будет повторено", "will be tried again"},
		{"dead", "не доставлено", "not delivered"},
		{"unknown", "исход неизвестен", "outcome unknown"},
	};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (str_equal(state, str_from(words[i].name)))
			return markup_pick(html, words[i].ru, words[i].en);
	}
	return "?";
}

static void add_chat(struct markup *html, const struct view_chat *chat)
{
	open_row(html, chat->updated_ms, chat->destination);
	markup_add(html, "<span class=\"type s-");
	markup_str(html, chat->state);
	markup_add(html, "\">");
	markup_add(html, state_words(html, chat->state));
	markup_add(html, "</span> ");
	markup_say(html, "версия ", "version ");
	markup_int(html, chat->version);
	if (chat->message_id != 0) {
		markup_say(html, ", сообщение ", ", message ");
		markup_int(html, chat->message_id);
		markup_say(html, " с версией ", " with version ");
		markup_int(html, chat->sent_version);
	}
	if (chat->attempts > 0) {
		markup_say(html, ", попыток: ", ", attempts: ");
		markup_int(html, chat->attempts);
	}
	add_status(html, chat->http_status);
	markup_add(html, "<div class=\"soft\">");
	markup_str(html, chat->last_error);
	markup_add(html, "</div></td></tr>");
}

static void add_delivery(struct markup *html, const struct view_delivery *delivery)
{
	open_row(html, delivery->at_ms, delivery->destination);
	markup_str(html, delivery->what);
	markup_say(html, ", версия ", ", version ");
	markup_int(html, delivery->version);
	markup_add(html, " → <b>");
	markup_str(html, delivery->outcome);
	markup_add(html, "</b>");
	add_status(html, delivery->http_status);
	if (delivery->took_ms >= 0) {
		markup_say(html, " <span class=\"soft\">за ", " <span class=\"soft\">in ");
		markup_int(html, delivery->took_ms);
		markup_say(html, " мс</span>", " ms</span>");
	}
	markup_add(html, "<div class=\"soft\">");
	markup_str(html, delivery->words);
	markup_add(html, "</div></td></tr>");
}

/* First how things stand, then each attempt. */
static size_t count_rows(const struct call_view *view, bool telegram)
{
	size_t count = 0;

	for (size_t i = 0; i < view->chat_count; i++)
		count += is_telegram(view->chats[i].destination) == telegram;
	for (size_t i = 0; i < view->delivery_count; i++)
		count += is_telegram(view->deliveries[i].destination) == telegram;
	return count;
}

static void add_destinations(struct markup *html, bool telegram)
{
	const struct call_view *view = html->view;
	size_t count = count_rows(view, telegram);

	open_section(html, telegram ? "telegram" : "http",
		telegram ? "Telegram" : markup_pick(html, "HTTP", "HTTP"), count);
	if (count == 0)
		add_none(html);
	markup_add(html, "<table class=\"rows\"><tbody>");
	for (size_t i = 0; i < view->chat_count; i++) {
		if (is_telegram(view->chats[i].destination) == telegram)
			add_chat(html, &view->chats[i]);
	}
	for (size_t i = 0; i < view->delivery_count; i++) {
		if (is_telegram(view->deliveries[i].destination) == telegram)
			add_delivery(html, &view->deliveries[i]);
	}
	markup_add(html, "</tbody></table></section>");
}

/* -- CRMs -------------------------------------------------------------------------------------------------- */

static void add_folded(struct markup *html, const char *title, struct str text)
{
	if (text.size == 0)
		return;
	markup_add(html, "<details><summary>");
	markup_add(html, title);
	markup_add(html, "</summary><pre>");
	markup_str(html, text);
	markup_add(html, "</pre></details>");
}

static void add_crm(struct markup *html, const struct view_crm *crm)
{
	open_row(html, crm->at_ms, crm->crm);
	markup_str(html, crm->event);
	markup_add(html, " → <b>");
	markup_str(html, crm->status);
	markup_add(html, "</b><div class=\"soft\">");
	markup_str(html, crm->words);
	markup_add(html, "</div></td><td class=\"raw\">");
	add_folded(html, markup_pick(html, "Запрос", "Request"), crm->request);
	add_folded(html, markup_pick(html, "Ответ", "Response"), crm->response);
	markup_add(html, "</td></tr>");
}

static void add_crms(struct markup *html)
{
	const struct call_view *view = html->view;

	open_section(html, "crm", "CRM", view->crm_count);
	if (view->crm_count == 0)
		add_none(html);
	markup_add(html, "<table class=\"rows\"><tbody>");
	for (size_t i = 0; i < view->crm_count; i++)
		add_crm(html, &view->crm[i]);
	markup_add(html, "</tbody></table></section>");
}

void call_deliveries(struct markup *html)
{
	add_destinations(html, true);
	add_crms(html);
	add_destinations(html, false);
}
