/*
 * small: what the stand-ins of a few paths share (PayPal, Tranzila, Baileys): reading a request whole,
 * and answers that are one object.
 */
#ifndef SANDBOX_SMALL_H
#define SANDBOX_SMALL_H

#include "json_put.h"
#include "outside.h"

/* As read() of a service: the method, the path and the parameters. */
void small_read(void *state, struct outside_call *call);

/* An answer of one object: members are written between the two. */
void small_begin(struct outside_call *call, int status, struct json_writer *json);
void small_end(struct json_writer *json);
/* {"<name>": "<words>"} */
void small_refuse(struct outside_call *call, int status, const char *name, const char *words);

/* The body as JSON, to be freed; NULL: it is none. */
struct json *small_body(const struct outside_call *call);
struct str small_text(const struct json *json, const char *name);
struct str small_keep(struct outside_call *call, struct str text);

/* What is behind `before` in the path and before `after` ("": its end); empty: another path. */
struct str small_between(struct str path, const char *before, const char *after);

extern const struct outside_service paypal_service, tranzila_service, baileys_service;

#endif
