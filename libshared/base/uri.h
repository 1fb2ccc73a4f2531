/*
 * uri: percent-encoding, query strings and form bodies (RFC 3986, WHATWG URL for + in forms).
 */
#ifndef CALLWEAVE_URI_H
#define CALLWEAVE_URI_H

#include "arena.h"
#include "buf.h"

/* Append `text` percent-encoded: only unreserved characters stay. */
void uri_encode(struct buf *to, struct str text);

/* Decode %xx (and + as space when `form`). False on a bad escape or a NUL byte. */
bool uri_decode(struct str text, bool form, struct arena *arena, struct str *decoded);

/* The decoded value of `name` in "a=1&b=2"; false when it is absent or malformed. */
bool uri_query_value(struct str query, const char *name, struct arena *arena, struct str *value);

#endif
