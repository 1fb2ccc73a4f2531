/*
 * call_records: what callweave made of the events: why the call is as it is, and whom it told.
 */
#include "call_page.h"

static void open_section(struct html *html, const char *id, const char *title, size_t count)
{
	html_add(html, "<section aria-labelledby=\"h-");
	html_add(html, id);
	html_add(html, "\"><h2 id=\"h-");
	html_add(html, id);
	html_add(html, "\">");
	html_add(html, title);
	html_add(html, " <span class=\"count\">");
	html_int(html, (int64_t)count);
	html_add(html, "</span></h2>");
}

static void add_none(struct html *html)
{
	html_say(html, "<p class=\"soft\">Записей нет.</p>", "<p class=\"soft\">No records.</p>");
}

static void add_status(struct html *html, int64_t http_status)
{
	if (http_status <= 0)
		return;
	html_add(html, " <span class=\"soft\">HTTP ");
	html_int(html, http_status);
	html_add(html, "</span>");
}

/* -- reasons -------------------------------------------------------------------------------------------- */

/* Reasons are the fold's own words, in English; they lead to the event that gave them. */
static void add_reason(struct html *html, const struct view_reason *reason)
{
	html_add(html, "<li><span class=\"when\">");
	html_time(html, reason->at_ms);
	html_add(html, "</span> ");
	if (reason->event_id > 0) {
		html_add(html, "<a href=\"#event-");
		html_int(html, reason->event_id);
		html_add(html, "\" lang=\"en\">");
	}
	html_str(html, reason->why);
	html_add(html, reason->event_id > 0 ? "</a></li>" : "</li>");
}

void call_reasons(struct html *html)
{
	const struct call_view *view = html->view;

	open_section(html, "why",
		html_pick(html, "Почему звонок понят так", "Why it was understood so"),
		view->reason_count);
	if (view->reason_count == 0)
		add_none(html);
	html_add(html, "<ol class=\"reasons\">");
	for (size_t i = 0; i < view->reason_count; i++)
		add_reason(html, &view->reasons[i]);
	html_add(html, "</ol></section>");
}

/* -- Telegram and other destinations ---------------------------------------------------------------------- */

static bool is_telegram(struct str destination)
{
	return str_starts(destination, STR("telegram:"));
}

static const char *state_words(const struct html *html, struct str state)
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
			return html_pick(html, words[i].ru, words[i].en);
	}
	return "?";
}

static void add_chat(struct html *html, const struct view_chat *chat)
{
	html_add(html, "<tr><td class=\"when\">");
	html_time(html, chat->updated_ms);
	html_add(html, "</td><td><code>");
	html_str(html, chat->destination);
	html_add(html, "</code></td><td class=\"words\"><span class=\"type s-");
	html_str(html, chat->state);
	html_add(html, "\">");
	html_add(html, state_words(html, chat->state));
	html_add(html, "</span> ");
	html_say(html, "версия ", "version ");
	html_int(html, chat->version);
	if (chat->message_id != 0) {
		html_say(html, ", сообщение ", ", message ");
		html_int(html, chat->message_id);
		html_say(html, " с версией ", " with version ");
		html_int(html, chat->sent_version);
	}
	if (chat->attempts > 0) {
		html_say(html, ", попыток: ", ", attempts: ");
		html_int(html, chat->attempts);
	}
	add_status(html, chat->http_status);
	html_add(html, "<div class=\"soft\">");
	html_str(html, chat->last_error);
	html_add(html, "</div></td></tr>");
}

static void add_delivery(struct html *html, const struct view_delivery *delivery)
{
	html_add(html, "<tr><td class=\"when\">");
	html_time(html, delivery->at_ms);
	html_add(html, "</td><td><code>");
	html_str(html, delivery->destination);
	html_add(html, "</code></td><td class=\"words\">");
	html_str(html, delivery->what);
	html_say(html, ", версия ", ", version ");
	html_int(html, delivery->version);
	html_add(html, " → <b>");
	html_str(html, delivery->outcome);
	html_add(html, "</b>");
	add_status(html, delivery->http_status);
	if (delivery->took_ms >= 0) {
		html_say(html, " <span class=\"soft\">за ", " <span class=\"soft\">in ");
		html_int(html, delivery->took_ms);
		html_say(html, " мс</span>", " ms</span>");
	}
	html_add(html, "<div class=\"soft\">");
	html_str(html, delivery->words);
	html_add(html, "</div></td></tr>");
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

static void add_destinations(struct html *html, bool telegram)
{
	const struct call_view *view = html->view;
	size_t count = count_rows(view, telegram);

	open_section(html, telegram ? "telegram" : "http",
		telegram ? "Telegram" : html_pick(html, "HTTP", "HTTP"), count);
	if (count == 0)
		add_none(html);
	html_add(html, "<table class=\"rows\"><tbody>");
	for (size_t i = 0; i < view->chat_count; i++) {
		if (is_telegram(view->chats[i].destination) == telegram)
			add_chat(html, &view->chats[i]);
	}
	for (size_t i = 0; i < view->delivery_count; i++) {
		if (is_telegram(view->deliveries[i].destination) == telegram)
			add_delivery(html, &view->deliveries[i]);
	}
	html_add(html, "</tbody></table></section>");
}

/* -- CRMs -------------------------------------------------------------------------------------------------- */

static void add_folded(struct html *html, const char *title, struct str text)
{
	if (text.size == 0)
		return;
	html_add(html, "<details><summary>");
	html_add(html, title);
	html_add(html, "</summary><pre>");
	html_str(html, text);
	html_add(html, "</pre></details>");
}

static void add_crm(struct html *html, const struct view_crm *crm)
{
	html_add(html, "<tr><td class=\"when\">");
	html_time(html, crm->at_ms);
	html_add(html, "</td><td><code>");
	html_str(html, crm->crm);
	html_add(html, "</code></td><td class=\"words\">");
	html_str(html, crm->event);
	html_add(html, " → <b>");
	html_str(html, crm->status);
	html_add(html, "</b><div class=\"soft\">");
	html_str(html, crm->words);
	html_add(html, "</div></td><td class=\"raw\">");
	add_folded(html, html_pick(html, "Запрос", "Request"), crm->request);
	add_folded(html, html_pick(html, "Ответ", "Response"), crm->response);
	html_add(html, "</td></tr>");
}

static void add_crms(struct html *html)
{
	const struct call_view *view = html->view;

	open_section(html, "crm", "CRM", view->crm_count);
	if (view->crm_count == 0)
		add_none(html);
	html_add(html, "<table class=\"rows\"><tbody>");
	for (size_t i = 0; i < view->crm_count; i++)
		add_crm(html, &view->crm[i]);
	html_add(html, "</tbody></table></section>");
}

void call_deliveries(struct html *html)
{
	add_destinations(html, true);
	add_crms(html);
	add_destinations(html, false);
}
