/*
 * message_place: see message_place.h.
 */
#include "message_place.h"

static bool inside_character(struct str text, size_t at)
{
	return at < text.size && ((unsigned char)text.data[at] & 0xc0) == 0x80;
}

/* Many icons begin with the same bytes. */
static size_t common_head(struct str a, struct str b)
{
	size_t shorter = a.size < b.size ? a.size : b.size, head = 0;
	while (head < shorter && a.data[head] == b.data[head])
		head++;
	while (head > 0 && (inside_character(a, head) || inside_character(b, head)))
		head--;
	return head;
}

static size_t common_tail(struct str a, struct str b, size_t head)
{
	size_t shorter = a.size < b.size ? a.size : b.size, tail = 0;
	while (tail < shorter - head && a.data[a.size - 1 - tail] == b.data[b.size - 1 - tail])
		tail++;
	while (tail > 0 &&
		(inside_character(a, a.size - tail) || inside_character(b, b.size - tail)))
		tail--;
	return tail;
}

static const char *find_url(struct str text)
{
	return text.size > 0
		       ? memmem(text.data, text.size, MESSAGE_PLACE_URL, strlen(MESSAGE_PLACE_URL))
		       : NULL;
}

struct message_place message_place_find(struct str without, struct str with)
{
	size_t head = common_head(without, with), tail = common_tail(without, with, head);
	struct str piece = str_of(with.data + head, with.size - head - tail);
	if (find_url(piece) == NULL)
		return (struct message_place){0};
	return (struct message_place){.at = (unsigned)head,
		.size = (unsigned)(without.size - head - tail),
		.with = piece};
}

bool message_place_fill(
	struct str html, struct message_place *place, struct str url, struct buf *to)
{
	size_t behind = (size_t)place->at + place->size, before = to->size + place->at;
	struct str rest = place->with;
	if (rest.size == 0 || behind > html.size)
		return false;
	buf_add(to, str_of(html.data, place->at));
	for (const char *at = find_url(rest); at != NULL; at = find_url(rest)) {
		size_t head = (size_t)(at - rest.data), skip = head + strlen(MESSAGE_PLACE_URL);
		buf_add(to, str_of(rest.data, head));
		buf_add_html(to, url);
		rest = str_of(rest.data + skip, rest.size - skip);
	}
	buf_add(to, rest);
	place->size = (unsigned)(to->size - before);
	buf_add(to, str_of(html.data + behind, html.size - behind));
	return !to->failed;
}
