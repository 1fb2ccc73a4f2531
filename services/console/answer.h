/*
 * answer: pages as they leave the process: headers that keep them private, the language, and pages that only
 * say why there is nothing to see.
 */
#ifndef CONSOLE_ANSWER_H
#define CONSOLE_ANSWER_H

#include "console.h"
#include "markup.h"

enum answer_about { ABOUT_ANY, ABOUT_CALL, ABOUT_CUSTOMER };

/* Frees the page. */
enum flow_status answer_page(struct flow *flow, int status, struct markup *html);

/* 403, 404, 410, 503. */
enum flow_status answer_notice(struct flow *flow, enum answer_about about, int status);

/* ?lang=, else the enterprise's language ("": not known), else the browser's. */
bool answer_in_russian(struct flow *flow, struct str locale);

#endif
