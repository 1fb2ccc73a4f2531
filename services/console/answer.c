/*
 * answer: see answer.h.
 */
#include "answer.h"

#include "frame.h"
#include "page.h"
#include "uri.h"

static void add_headers(struct flow *flow)
{
	http_reply_header(flow, "Content-Security-Policy",
		"default-src 'none'; style-src 'self'; img-src data:; base-uri 'none'; "
		"form-action 'none'; frame-ancestors 'none'");
	http_reply_header(flow, "X-Content-Type-Options", "nosniff");
	http_reply_header(flow, "Referrer-Policy", "no-referrer");
	http_reply_header(flow, "Cache-Control", "private, no-store");
	http_reply_header(flow, "X-Robots-Tag", "noindex, nofollow, noarchive");
	http_reply_header(flow, "Vary", "Accept-Language");
}

enum flow_status answer_page(struct flow *flow, int status, struct markup *html)
{
	enum flow_status next;

	add_headers(flow);
	if (html->to.failed)
		next = http_reply_detail(flow, 500, "the page is too long");
	else
		next = http_reply(flow, status, "text/html; charset=utf-8", buf_str(&html->to));
	buf_free(&html->to);
	return next;
}

/* ?lang=, else the enterprise's language, else the browser's. */
bool answer_in_russian(struct flow *flow, struct str locale)
{
	const struct http_request *request = http_request(flow);
	struct str given;
	const char *language;

	if (locale.size > 0 && !uri_query_value(request->query, "lang", flow_arena(flow), &given))
		return str_equal(locale, STR("ru"));
	language = page_language(
		request->query, http_request_header(flow, "Accept-Language"), flow_arena(flow));
	return strcmp(language, "ru") == 0;
}

struct words {
	int status;
	enum answer_about about; /* ANY: of both */
	const char *ru_title, *ru, *en_title, *en;
};

static const struct words words[] = {
	{403, ABOUT_CALL, "Ссылка не подходит",
		"Страница звонка открывается только по полной подписанной ссылке. "
		"Нажмите «Детали звонка» в чате ещё раз.",
		"This link does not fit",
		"The page of a call opens by its complete signed link only. Press “Call "
		"details” in the chat again."},
	{403, ABOUT_CUSTOMER, "Ссылка не подходит",
		"Страница клиента открывается только по полной подписанной ссылке со страницы "
		"звонка.",
		"This link does not fit",
		"The page of a customer opens by its complete signed link only, from the page of a "
		"call."},
	{404, ABOUT_CALL, "Звонка нет",
		"Ссылка верна, но такого звонка больше нет: он удалён или оказался частью "
		"другого.",
		"No such call",
		"The link is right, but the call is not there any more: it was deleted, or "
		"turned out to be part of another."},
	{404, ABOUT_CUSTOMER, "Предприятия нет", "Ссылка верна, но такого предприятия больше нет.",
		"No such enterprise",
		"The link is right, but the enterprise is not there any more."},
	{410, ABOUT_ANY, "Ссылка устарела",
		"Срок этой ссылки истёк. Нажмите «Детали звонка» в чате ещё раз.",
		"This link is over",
		"Its time has run out. Press “Call details” in the chat again."},
	{503, ABOUT_ANY, "Сейчас не получается",
		"База данных не отвечает. Попробуйте через минуту.", "Not just now",
		"The database does not answer. Try again in a minute."},
};

enum flow_status answer_notice(struct flow *flow, enum answer_about about, int status)
{
	struct markup html;
	size_t i = 0;

	while (words[i].status != status ||
		(words[i].about != about && words[i].about != ABOUT_ANY))
		i++;
	markup_init(&html, answer_in_russian(flow, STR("")));
	frame_notice(&html, markup_pick(&html, words[i].ru_title, words[i].en_title),
		markup_pick(&html, words[i].ru, words[i].en));
	if (status == 503)
		http_reply_header(flow, "Retry-After", "30");
	return answer_page(flow, status, &html);
}
