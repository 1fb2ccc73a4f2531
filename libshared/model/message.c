/*
 * message: one function a state, found by a table; small writers for the lines that they share.
 *
 * Our side is ☎️ (📱 for a mobile), the other side 💰. Lists are the only part whose size is not
 * bounded by the call itself, so they alone are cut.
 */
#include "message.h"

#include "message_texts.h"
#include "phone.h"

#include <stdio.h>

enum { DATUM_BYTES = 192, MANY_MANAGERS = 4 };
/* Of a list: what remains of the limits is enough for the lines around it. */
enum { LIST_CHARACTERS = 2800, LIST_BYTES = 6000 };

struct page {
	const struct call *call;
	const struct tenant *tenant;
	struct buf *to;
};

static const char *text(const struct page *page, enum message_text which)
{
	return message_text(page->tenant->locale, which);
}

static void add(const struct page *page, const char *html)
{
	buf_add(page->to, str_from(html));
}

static void add_text(const struct page *page, enum message_text which)
{
	add(page, text(page, which));
}

/* Anything that came from outside: cut, escaped, on one line. */
static void add_datum(const struct page *page, const char *datum)
{
	char clean[DATUM_BYTES];

	str_copy(clean, sizeof(clean), str_from(datum));
	for (char *at = clean; *at != '\0'; at++) {
		if ((unsigned char)*at < ' ' || *at == 0x7f)
			*at = ' ';
	}
	buf_add_html(page->to, str_from(clean));
}

/* Never an empty bag: a number that is not known is said to be so. */
static void add_external(const struct page *page)
{
	char spelled[PHONE_TEXT_BYTES];

	phone_format(str_from(page->call->external), spelled);
	add(page, "💰");
	if (spelled[0] == '\0')
		add_text(page, TEXT_HIDDEN_NUMBER);
	else
		add_datum(page, spelled);
}

/* "Фамилия Имя (152)"; without a name "152", or "(152)" in parentheses where lists are of names. */
static void add_manager(const struct page *page, const char *extension, bool parentheses)
{
	char name[DATUM_BYTES];

	tenant_manager_name(page->tenant, extension, name, sizeof(name));
	add_datum(page, name);
	if (name[0] == '\0' && !parentheses) {
		add_datum(page, extension);
		return;
	}
	add(page, name[0] != '\0' ? " (" : "(");
	add_datum(page, extension);
	add(page, ")");
}

/* One of us: an extension, or a mobile. */
static void add_ours(const struct page *page, const char *number)
{
	char spelled[PHONE_TEXT_BYTES];

	if (phone_is_internal(str_from(number))) {
		add(page, "☎️");
		add_manager(page, number, false);
		return;
	}
	phone_format(str_from(number), spelled);
	add(page, "📱");
	add_datum(page, spelled);
}

/* "📡МТС", "📡Линия 0001363", "Линия: office-sip"; while talking there is a space after the dish. */
static void add_line(const struct page *page, bool talking)
{
	const char *line = page->call->line;
	const char *name = tenant_line_name(page->tenant, line);
	bool is_id = phone_line_id(str_from(line)).size > 0;

	if (line[0] == '\0')
		return;
	add(page, "\n");
	if (name[0] == '\0' && !is_id && !talking) {
		add_text(page, TEXT_TRUNK);
		add(page, " ");
		add_datum(page, line);
		return;
	}
	add(page, talking ? "📡 " : "📡");
	if (name[0] == '\0' && is_id) {
		add_text(page, TEXT_LINE);
		add(page, " ");
	}
	add_datum(page, name[0] != '\0' ? name : line);
}

/* By the host's clock, in the tenant's zone. Without an end, or with one before the start, no length
 * is shown. */
static void add_times(const struct page *page)
{
	const struct call *call = page->call;
	struct clock_civil start;
	int64_t seconds;

	if (call->started_ms == CALL_NO_TIME)
		return;
	start = clock_to_civil(call->started_ms, page->tenant->zone);
	buf_printf(page->to, "\n%s %02d:%02d", text(page, TEXT_STARTED), start.hour, start.minute);
	if (call->state != CALL_ENDED || call->ended_ms < call->started_ms)
		return;
	seconds = (call->ended_ms - call->started_ms) / 1000;
	buf_printf(page->to, "\n%s %02lld:%02lld",
		text(page, call->answered ? TEXT_DURATION : TEXT_TRIED), (long long)(seconds / 60),
		(long long)(seconds % 60));
}

/* UTF-16 units: what Telegram counts. */
static size_t characters(struct str html)
{
	size_t count = 0;

	for (size_t i = 0; i < html.size; i++) {
		unsigned char byte = (unsigned char)html.data[i];

		count += (byte & 0xc0) != 0x80;
		count += byte >= 0xf0;
	}
	return count;
}

static bool list_is_full(const struct page *page, size_t start)
{
	struct str list = str_of(page->to->data + start, page->to->size - start);

	return list.size > LIST_BYTES || characters(list) > LIST_CHARACTERS;
}

/* The extensions that rang, one a line, with a line break before each. */
static void add_rang(const struct page *page, bool parentheses)
{
	size_t start = page->to->size;
	const struct call_numbers *rang = &page->call->rang;

	for (unsigned i = 0; i < rang->count; i++) {
		if (!phone_is_internal(str_from(rang->items[i])))
			continue;
		if (list_is_full(page, start)) {
			add(page, "\n…");
			return;
		}
		add(page, "\n☎️");
		add_manager(page, rang->items[i], parentheses);
	}
}

static unsigned count_internal(const struct call_numbers *numbers)
{
	unsigned count = 0;

	for (unsigned i = 0; i < numbers->count; i++)
		count += phone_is_internal(str_from(numbers->items[i]));
	return count;
}

/* `start`: where the list of all that rang began. */
static void add_mobiles(const struct page *page, size_t start)
{
	const struct call_numbers *rang = &page->call->rang;

	for (unsigned i = 0; i < rang->count && !list_is_full(page, start); i++) {
		if (phone_is_internal(str_from(rang->items[i])))
			continue;
		add(page, "\n");
		add_ours(page, rang->items[i]);
	}
}

/* Those who talked, in order; nobody: `instead`. */
static void add_talkers(const struct page *page, const char *instead)
{
	const struct call_numbers *talkers = &page->call->talkers;
	size_t start = page->to->size;

	if (talkers->count == 0 && instead[0] == '\0')
		return;
	add(page, "\n");
	if (talkers->count == 0)
		add_ours(page, instead);
	for (unsigned i = 0; i < talkers->count; i++) {
		add(page, i > 0 ? " ➡️ " : "");
		if (list_is_full(page, start)) {
			add(page, "…");
			return;
		}
		add_ours(page, talkers->items[i]);
	}
}

/* Each of these draws one state of one direction, to the byte as people know it. */
static bool greeting(const struct page *page)
{
	add_external(page);
	add(page, " ➡️ ");
	add_text(page, TEXT_GREETING);
	add_line(page, false);
	return true;
}

static bool ringing_in(const struct page *page)
{
	unsigned count = count_internal(&page->call->rang);

	add_text(page, TEXT_RINGING_IN);
	add(page, "\n");
	add_external(page);
	if (count > 0)
		add(page, " ➡️");
	if (count > MANY_MANAGERS) {
		add(page, "\n<blockquote expandable>");
		buf_printf(page->to, "%s (%u):\n", text(page, TEXT_MANAGERS), count);
	}
	add_rang(page, true);
	if (count > MANY_MANAGERS)
		add(page, "</blockquote>");
	add_line(page, false);
	return true;
}

static bool ringing_out(const struct page *page)
{
	add_text(page, TEXT_RINGING_OUT);
	add(page, "\n");
	if (page->call->caller[0] != '\0') {
		add_ours(page, page->call->caller);
		add(page, " ➡️ ");
	}
	add_external(page);
	add_line(page, false);
	return true;
}

static bool talking_in(const struct page *page)
{
	add_text(page, TEXT_TALKING_IN);
	add(page, "\n");
	add_external(page);
	add(page, "📞");
	if (page->call->talking[0] != '\0') {
		add(page, " ➡️ ");
		add_ours(page, page->call->talking);
	}
	add_line(page, true);
	return true;
}

static bool talking_out(const struct page *page)
{
	const struct call *call = page->call;
	const char *ours = call->talking[0] != '\0' ? call->talking : call->caller;

	add_text(page, TEXT_TALKING_OUT);
	add(page, "\n");
	if (ours[0] != '\0') {
		add_ours(page, ours);
		add(page, " 📞➡️ ");
	}
	add_external(page);
	add(page, "📞");
	add_line(page, true);
	return true;
}

static bool talking_internal(const struct page *page)
{
	const struct call *call = page->call;

	add_text(page, TEXT_TALKING_INTERNAL);
	add(page, "\n");
	add_ours(page, call->caller);
	add(page, " 📞➡️ ");
	/* Of a department it is the one who answered, not the number that was called. */
	add_ours(page, call->talking[0] != '\0' ? call->talking : call->callee);
	add(page, "📞");
	return true;
}

/* Who could have taken it: one line, or a list that opens. */
static void add_missed_by(const struct page *page)
{
	unsigned count = count_internal(&page->call->rang);
	size_t start = page->to->size;

	if (count > 1) {
		add(page, "\n<blockquote expandable>");
		buf_printf(page->to, "%s:\n", text(page, TEXT_MANAGERS));
	}
	add_rang(page, false);
	if (count > 1)
		add(page, "</blockquote>");
	add_mobiles(page, start);
}

static bool final_in(const struct page *page)
{
	add(page, "\n");
	add_external(page);
	if (page->call->answered)
		add_talkers(page, "");
	else
		add_missed_by(page);
	add_line(page, false);
	add_times(page);
	return true;
}

static bool final_out(const struct page *page)
{
	add_talkers(page, page->call->caller);
	add(page, "\n");
	add_external(page);
	add_line(page, false);
	add_times(page);
	return true;
}

/* An internal call has two of us, and one of them may not be known. */
static void add_colleague(const struct page *page, const char *number)
{
	add(page, "\n");
	if (number[0] != '\0') {
		add_ours(page, number);
		return;
	}
	add(page, "☎️");
	add_text(page, TEXT_SOMEBODY);
}

static bool final_internal(const struct page *page)
{
	add_colleague(page, page->call->caller);
	add(page, "➡️");
	add_colleague(page, page->call->callee);
	add_times(page);
	return true;
}

static bool final_unknown(const struct page *page)
{
	add(page, "\n");
	add_external(page);
	add_times(page);
	return true;
}

typedef bool part(const struct page *page); /* a function, not a struct */

static part *const ringing[] = {NULL, ringing_in, ringing_out, NULL};
static part *const talking[] = {NULL, talking_in, talking_out, talking_internal};
static part *const final[] = {final_unknown, final_in, final_out, final_internal};

static enum message_text final_header(const struct call *call)
{
	static const enum message_text answered[] = {
		[CALL_UNKNOWN] = TEXT_ANSWERED_UNKNOWN,
		[CALL_INCOMING] = TEXT_ANSWERED_IN,
		[CALL_OUTGOING] = TEXT_ANSWERED_OUT,
		[CALL_INTERNAL] = TEXT_ANSWERED_INTERNAL,
	};
	static const enum message_text missed[] = {
		[CALL_UNKNOWN] = TEXT_ENDED_UNKNOWN,
		[CALL_INCOMING] = TEXT_MISSED_IN,
		[CALL_OUTGOING] = TEXT_MISSED_OUT,
		[CALL_INTERNAL] = TEXT_MISSED_INTERNAL,
	};

	if (call->answered)
		return answered[call->direction];
	return call->state == CALL_LOST ? TEXT_LOST : missed[call->direction];
}

/* A lost call that nobody was told of is not worth a message. */
static bool lost_unseen(const struct call *call)
{
	return call->state == CALL_LOST &&
	       (call->direction == CALL_UNKNOWN ||
		       (call->direction == CALL_INTERNAL && !call->answered));
}

bool message_render(const struct message_view *view, struct buf *to)
{
	const struct call *call = view->call;
	const struct page page = {call, view->tenant, to};

	switch (call->state) {
	case CALL_GREETING:
		return call->direction == CALL_INCOMING && greeting(&page);
	case CALL_RINGING:
		return ringing[call->direction] != NULL && ringing[call->direction](&page);
	case CALL_TALKING:
		return talking[call->direction] != NULL && talking[call->direction](&page);
	default:
		if (lost_unseen(call))
			return false;
		add_text(&page, final_header(call));
		return final[call->direction](&page);
	}
}
