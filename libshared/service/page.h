/*
 * page: the files of a service's pages, embedded into its program by cmake/embed.cmake.
 *
 * HTML is served in the reader's language: "@LANG@" in it becomes "ru" or "en", from ?lang= or from
 * Accept-Language. Everything goes out under a strict Content-Security-Policy.
 */
#ifndef CALLWEAVE_PAGE_H
#define CALLWEAVE_PAGE_H

#include "flow.h"
#include "str.h"

struct page_file {
	const char *path;	  /* as in the request; NULL ends the table */
	const char *content_type; /* "text/html; charset=utf-8" */
	const unsigned char *data;
	const size_t *size;
};

/* Answer the request of this flow by the file of its path; 404 when there is none. */
enum flow_status page_reply(struct flow *flow, const struct page_file *files);

/* "ru" or "en": `query` may hold lang=..., else the first of the two in `accept_language`, else
 * "en". */
const char *page_language(struct str query, struct str accept_language, struct arena *arena);

#endif
