/*
 * page: see page.h.
 */
#include "page.h"

#include "buf.h"
#include "http_server.h"
#include "uri.h"

#define PAGE_MAX_BYTES (2u << 20)

static const char content_security_policy[] =
	"default-src 'self'; img-src 'self' data:; frame-ancestors 'none'; base-uri 'none'; "
	"form-action 'self'";

static const char *known_language(struct str tag)
{
	struct str primary = str_cut(&tag, '-');

	if (str_equal_nocase(primary, STR("ru")) || str_equal_nocase(primary, STR("be")))
		return "ru";
	return str_equal_nocase(primary, STR("en")) ? "en" : NULL;
}

const char *page_language(struct str query, struct str accept_language, struct arena *arena)
{
	struct str chosen;

	if (uri_query_value(query, "lang", arena, &chosen) && known_language(chosen) != NULL)
		return known_language(chosen);
	while (accept_language.size > 0) {
		struct str range = str_cut(&accept_language, ',');
		const char *known = known_language(str_trim(str_cut(&range, ';')));
		if (known != NULL)
			return known;
	}
	return "en";
}

static void add_in_language(struct buf *to, struct str html, const char *language)
{
	struct str mark = STR("@LANG@");

	while (html.size > 0) {
		const char *found = memmem(html.data, html.size, mark.data, mark.size);
		size_t before = found != NULL ? (size_t)(found - html.data) : html.size;
		buf_append(to, html.data, before);
		if (found == NULL)
			return;
		buf_add(to, str_from(language));
		html = str_of(found + mark.size, html.size - before - mark.size);
	}
}

static enum flow_status reply_html(
	struct flow *flow, const struct page_file *file, struct str content)
{
	const struct http_request *request = http_request(flow);
	enum flow_status status;
	struct buf html;

	buf_init(&html, PAGE_MAX_BYTES);
	add_in_language(&html, content,
		page_language(request->query, http_request_header(flow, "Accept-Language"),
			flow_arena(flow)));
	http_reply_header(flow, "Vary", "Accept-Language");
	status = http_reply(flow, 200, file->content_type, buf_str(&html));
	buf_free(&html);
	return status;
}

enum flow_status page_reply(struct flow *flow, const struct page_file *files)
{
	const struct http_request *request = http_request(flow);

	for (const struct page_file *file = files; file->path != NULL; file++) {
		struct str content = str_of((const char *)file->data, *file->size);
		if (!str_equal(request->path, str_from(file->path)))
			continue;
		http_reply_header(flow, "Content-Security-Policy", content_security_policy);
		http_reply_header(flow, "X-Content-Type-Options", "nosniff");
		http_reply_header(flow, "Referrer-Policy", "no-referrer");
		http_reply_header(flow, "Cache-Control", "no-cache");
		if (str_starts(str_from(file->content_type), STR("text/html")))
			return reply_html(flow, file, content);
		return http_reply(flow, 200, file->content_type, content);
	}
	return http_reply_detail(flow, 404, "Not Found");
}
