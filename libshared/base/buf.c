/*
 * buf: growth by doubling under a hard maximum, with one sticky failure flag.
 */
#include "buf.h"

#include "alloc.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { BUF_FIRST_BYTES = 64 };

void buf_init(struct buf *buf, size_t max_bytes)
{
	*buf = (struct buf){.max_bytes = max_bytes};
}

/* The maximum survives: the buffer is as good as new. */
void buf_free(struct buf *buf)
{
	free(buf->data);
	buf_init(buf, buf->max_bytes);
}

void buf_clear(struct buf *buf)
{
	buf->size = 0;
	buf->failed = false;
	if (buf->data != NULL)
		buf->data[0] = '\0';
}

/* For read(2) straight into the buffer; buf_grew() then says how much came. */
char *buf_reserve(struct buf *buf, size_t size_bytes)
{
	size_t wanted = buf->capacity != 0 ? buf->capacity : BUF_FIRST_BYTES;

	/* Cannot wrap around: size never passes max_bytes. */
	if (size_bytes > buf->max_bytes - buf->size)
		return NULL;
	/* One byte more than asked for, always: the NUL behind the data. */
	if (buf->capacity - buf->size > size_bytes)
		return buf->data + buf->size;
	/* Doubling makes a long run of small appends linear. */
	while (wanted - buf->size <= size_bytes)
		wanted *= 2;
	if (wanted > buf->max_bytes)
		wanted = buf->max_bytes + 1;
	buf->data = alloc_resize(buf->data, wanted);
	buf->capacity = wanted;
	buf->data[buf->size] = '\0';
	return buf->data + buf->size;
}

void buf_grew(struct buf *buf, size_t size_bytes)
{
	if (size_bytes == 0)
		return;
	if (size_bytes >= buf->capacity - buf->size)
		abort(); /* more than was reserved: memory is overwritten already */
	buf->size += size_bytes;
	buf->data[buf->size] = '\0';
}

/* The only door by which data comes in, beside buf_printf() and buf_grew(): the sticky flag and the
 * maximum are looked after here. */
bool buf_append(struct buf *buf, const void *data, size_t size_bytes)
{
	char *room = buf->failed ? NULL : buf_reserve(buf, size_bytes);

	if (room == NULL) {
		buf->failed = true;
		return false;
	}
	if (size_bytes > 0)
		memcpy(room, data, size_bytes);
	buf_grew(buf, size_bytes);
	return true;
}

bool buf_add(struct buf *buf, struct str text)
{
	return buf_append(buf, text.data, text.size);
}

bool buf_add_char(struct buf *buf, char c)
{
	return buf_append(buf, &c, 1);
}

/* Format into the room that is there; when it was too small, `*needed` tells how much is. */
__attribute__((format(printf, 3, 0))) static bool print_into(
	struct buf *buf, size_t *needed, const char *format, va_list arguments)
{
	size_t room_bytes = buf->capacity - buf->size;
	int written = vsnprintf(buf->data + buf->size, room_bytes, format, arguments);

	if (written < 0)
		abort(); /* an encoding error: no format of ours can cause one */
	*needed = (size_t)written;
	if (*needed < room_bytes) {
		buf_grew(buf, *needed);
		return true;
	}
	buf->data[buf->size] = '\0';
	return false;
}

bool buf_printf(struct buf *buf, const char *format, ...)
{
	size_t needed = 0;
	va_list arguments;
	bool done;

	if (buf->failed || buf_reserve(buf, 0) == NULL)
		goto failed;
	va_start(arguments, format);
	done = print_into(buf, &needed, format, arguments);
	va_end(arguments);
	if (done)
		return true;
	if (buf_reserve(buf, needed) == NULL)
		goto failed;
	va_start(arguments, format);
	done = print_into(buf, &needed, format, arguments);
	va_end(arguments);
	if (done)
		return true;
failed:
	buf->failed = true;
	return false;
}

/* Moves what remains: streams take large pieces from the front, so it is little. */
void buf_consume(struct buf *buf, size_t size_bytes)
{
	if (size_bytes > buf->size)
		abort();
	if (size_bytes == 0)
		return;
	buf->size -= size_bytes;
	memmove(buf->data, buf->data + size_bytes, buf->size + 1);
}

struct str buf_str(const struct buf *buf)
{
	return str_of(buf->data, buf->size);
}

bool buf_add_double(struct buf *buf, double value)
{
	char text[40];

	if (!isfinite(value))
		return buf_add(buf, STR("null"));
	/* Whole numbers in full, as far as a double counts them one by one. */
	if (value > -0x1p53 && value < 0x1p53 && value == (double)(int64_t)value)
		return buf_printf(buf, "%.0f", value);
	/* 15 digits always survive the way text-double-text, 17 the way double-text-double. */
	for (int digits = 15; digits <= 17; digits++) {
		snprintf(text, sizeof(text), "%.*g", digits, value);
		if (strtod(text, NULL) == value)
			break;
	}
	return buf_add(buf, str_from(text));
}

/* The five that matter in text and in attribute values of either quote. */
static struct str html_escape(char c)
{
	switch (c) {
	case '&':
		return STR("&amp;");
	case '<':
		return STR("&lt;");
	case '>':
		return STR("&gt;");
	case '"':
		return STR("&quot;");
	case '\'':
		return STR("&#39;");
	default:
		return str_of(NULL, 0);
	}
}

/* Runs without special characters are copied whole; most text is one such run. */
bool buf_add_html(struct buf *buf, struct str text)
{
	size_t copied = 0;

	for (size_t i = 0; i < text.size; i++) {
		struct str escape = html_escape(text.data[i]);

		if (escape.size == 0)
			continue;
		buf_append(buf, text.data + copied, i - copied);
		buf_add(buf, escape);
		copied = i + 1;
	}
	/* An empty text may have no data to count from. */
	return copied < text.size ? buf_append(buf, text.data + copied, text.size - copied)
				  : !buf->failed;
}
