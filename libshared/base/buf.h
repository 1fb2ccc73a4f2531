/*
 * buf: bytes that grow, up to a hard maximum.
 *
 * After an append that would pass the maximum the buffer keeps what it had and `failed` stays
 * set, so that a writer may append many times and check once.
 */
#ifndef CALLWEAVE_BUF_H
#define CALLWEAVE_BUF_H

#include "str.h"

#include <stdarg.h>

struct buf {
	char *data; /* owned; always NUL-ended when not NULL */
	size_t size;
	size_t capacity;
	size_t max_bytes;
	bool failed;
};

void buf_init(struct buf *buf, size_t max_bytes);
void buf_free(struct buf *buf); /* frees the memory, leaves an empty buffer with the same maximum */
void buf_clear(struct buf *buf); /* size 0, memory kept, failed reset */

bool buf_append(struct buf *buf, const void *data, size_t size_bytes);
bool buf_add(struct buf *buf, struct str text);
bool buf_add_char(struct buf *buf, char c);
bool buf_printf(struct buf *buf, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Room for `size_bytes` more behind `size`; NULL when that passes the maximum. Follow with
 * buf_grew(). For read(2). */
char *buf_reserve(struct buf *buf, size_t size_bytes);
void buf_grew(struct buf *buf, size_t size_bytes);

/* Drop `size_bytes` from the front. */
void buf_consume(struct buf *buf, size_t size_bytes);

struct str buf_str(const struct buf *buf);

/* Append the shortest decimal text that reads back as the same double ("null" when there is none:
 * infinity and NaN). */
bool buf_add_double(struct buf *buf, double value);

/* Append with & < > " ' escaped for HTML (text and attribute values). */
bool buf_add_html(struct buf *buf, struct str text);

#endif
