/*
 * http_client_parts: see http_client_parts.h.
 */
#include "http_client_parts.h"

#include "clock.h"

bool http_may_reach(const struct http_client_options *options, const struct curl_sockaddr *to,
	char denied[ADDRESS_TEXT_BYTES])
{
	struct address address;

	if (!options->deny_private)
		return true;
	/* curl has room for any kind behind this name */
	if (!address_from_socket(&to->addr, to->addrlen, &address))
		return false;
	if (address_is_public(&address) ||
		(options->allowed != NULL && address_list_has(options->allowed, &address)))
		return true;
	address_text(&address, denied);
	return false;
}

size_t http_head_take(char *line, size_t one, size_t size, void *owner)
{
	struct transfer *transfer = owner;
	struct buf *head = &transfer->head;
	struct str text = str_trim(str_of(line, size));

	if (str_starts(text, STR("HTTP/"))) {
		buf_clear(head);
	} else if (text.size == 0) {
		if (transfer->feed != NULL)
			http_feed_head(transfer->feed);
	} else if (transfer->call->want_headers && memchr(text.data, ':', text.size) != NULL &&
		   head->size + text.size < head->max_bytes) {
		(void)buf_add(head, text);
		(void)buf_add_char(head, '\n');
	}
	return size;
}

static void fill_headers(const struct buf *head, struct arena *arena, struct http_answer *answer)
{
	struct str rest = str_of(arena_strndup(arena, head->data, head->size), head->size);

	answer->headers = arena_array(arena, HTTP_MAX_ANSWER_HEADERS, sizeof(*answer->headers));
	while (rest.size > 0 && answer->header_count < HTTP_MAX_ANSWER_HEADERS) {
		struct str value = str_cut(&rest, '\n'), name = str_cut(&value, ':');

		answer->headers[answer->header_count++] = (struct http_answer_header){
			.name = str_trim(name), .value = str_trim(value)};
	}
}

void http_head_done(struct transfer *transfer)
{
	struct http_answer *answer = transfer->answer;
	curl_off_t retry_after = 0;
	long status = 0;

	(void)curl_easy_getinfo(transfer->easy, CURLINFO_RESPONSE_CODE, &status);
	(void)curl_easy_getinfo(transfer->easy, CURLINFO_RETRY_AFTER, &retry_after);
	answer->status = (int)status;
	if (retry_after > 0)
		answer->retry_after_ms = retry_after * 1000;
	answer->took_ms = clock_monotonic_ms() - transfer->begun_ms;
	if (transfer->head.size > 0 && answer->headers == NULL)
		fill_headers(&transfer->head, transfer->arena, answer);
}
