/*
 * message_managers: ours, by name; and the list of those whose phones rang.
 *
 * Lists are the only part whose size is not bounded by the call itself, so they alone are cut.
 */
#include "message_values.h"

#include "html.h"
#include "message_texts.h"
#include "phone.h"

#include <stdio.h>

enum { NAME_BYTES = 192, MANY_RINGING = 4, MANY_MISSED = 1 };
/* Of a list: what remains of the limits is enough for the lines around it. */
enum { LIST_CHARACTERS = 2800, LIST_BYTES = 5600 };

void message_add_manager(
	const struct tenant *tenant, const char *extension, bool parentheses, struct buf *to)
{
	char name[NAME_BYTES];
	tenant_manager_name(tenant, extension, name, sizeof(name));
	message_add_datum(to, name);
	if (name[0] != '\0' && number_is_machine(str_from(extension)))
		return; /* it has no number that anybody could dial */
	if (name[0] == '\0' && !parentheses) {
		message_add_datum(to, extension);
		return;
	}
	buf_add(to, name[0] != '\0' ? STR(" (") : STR("("));
	message_add_datum(to, extension);
	buf_add_char(to, ')');
}

static unsigned count_extensions(const struct message_view *view)
{
	const struct call_numbers *rang = &view->call->rang;
	unsigned count = 0;
	for (unsigned i = 0; i < rang->count; i++)
		count += tenant_is_extension(view->tenant, rang->items[i]);
	return count;
}

static bool list_is_full(const struct buf *to, size_t start)
{
	struct str list = str_of(to->data + start, to->size - start);
	/* It has no more characters than bytes. */
	return list.size > LIST_BYTES ||
	       (list.size > LIST_CHARACTERS && html_utf16_length(list) > LIST_CHARACTERS);
}

/* A line break before each but the first. */
static void add_extensions(const struct message_view *view, bool parentheses, struct buf *to)
{
	const struct call_numbers *rang = &view->call->rang;
	const char *before = "";
	size_t start = to->size;
	for (unsigned i = 0; i < rang->count; i++) {
		if (!tenant_is_extension(view->tenant, rang->items[i]))
			continue;
		if (to->size > start && list_is_full(to, start)) {
			buf_add(to, STR("\n…"));
			return;
		}
		buf_printf(to, "%s☎️", before);
		message_add_manager(view->tenant, rang->items[i], parentheses, to);
		before = "\n";
	}
}

static void add_mobiles(const struct message_view *view, size_t start, struct buf *to)
{
	const struct call_numbers *rang = &view->call->rang;
	char spelled[PHONE_TEXT_BYTES];
	for (unsigned i = 0; i < rang->count; i++) {
		if (tenant_is_extension(view->tenant, rang->items[i]))
			continue;
		if (to->size > start && list_is_full(to, start))
			return;
		phone_format(str_from(rang->items[i]), spelled);
		buf_add(to, to->size > start ? STR("\n📱") : STR("📱"));
		message_add_datum(to, spelled);
	}
}

/* Four that ring are a list, more are folded away; of those who missed it, more than one are. Mobiles
 * stand below, and only in the end: while it rings they are a matter of the PBX. */
void message_add_managers(const struct message_view *view, struct buf *to)
{
	bool ringing = view->call->state == CALL_RINGING;
	const char *title = message_text(view->tenant->locale, TEXT_MANAGERS);
	unsigned count = count_extensions(view);
	bool folded = count > (ringing ? MANY_RINGING : MANY_MISSED);
	size_t start = to->size;
	if (folded && ringing)
		buf_printf(to, "<blockquote expandable>%s (%u):\n\n", title, count);
	else if (folded)
		buf_printf(to, "<blockquote expandable>%s:\n\n", title);
	add_extensions(view, ringing, to);
	if (folded)
		buf_add(to, STR("</blockquote>"));
	if (!ringing)
		add_mobiles(view, start, to);
}
