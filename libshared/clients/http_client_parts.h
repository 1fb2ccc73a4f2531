/*
 * http_client_parts: what http_client does with addresses and with the heads of answers. Private to
 * clients.
 */
#ifndef CALLWEAVE_HTTP_CLIENT_PARTS_H
#define CALLWEAVE_HTTP_CLIENT_PARTS_H

#include "buf.h"
#include "http_client.h"

#include <curl/curl.h>

/* False: `denied` says which address it is that may not be reached. */
bool http_may_reach(const struct http_client_options *options, const struct curl_sockaddr *to,
	char denied[ADDRESS_TEXT_BYTES]);

/* For CURLOPT_HEADERFUNCTION: one line of a head into a struct buf, as "name: value". Of several heads
 * (100 Continue) the last one counts; what the buffer does not hold is passed over. */
size_t http_head_take(char *line, size_t one, size_t size, void *head);

void http_head_fill(const struct buf *head, struct arena *arena, struct http_answer *answer);

#endif
