/*
 * message_template: a template's text taken apart, filled in, and checked before it is saved.
 *
 * Lines are what is left out, so an element of HTML ends on the line on which it began: then what
 * remains is whole, whichever lines are missing.
 */
#include "message_template.h"

#include "arena.h"
#include "html.h"
#include "message_values.h"

static const char *const names[MESSAGE_TEMPLATES] = {
	[TEMPLATE_GREETING] = "greeting",
	[TEMPLATE_RINGING_INCOMING] = "ringing_incoming",
	[TEMPLATE_RINGING_OUTGOING] = "ringing_outgoing",
	[TEMPLATE_TALKING_INCOMING] = "talking_incoming",
	[TEMPLATE_TALKING_OUTGOING] = "talking_outgoing",
	[TEMPLATE_TALKING_INTERNAL] = "talking_internal",
	[TEMPLATE_ANSWERED_INCOMING] = "answered_incoming",
	[TEMPLATE_ANSWERED_OUTGOING] = "answered_outgoing",
	[TEMPLATE_ANSWERED_INTERNAL] = "answered_internal",
	[TEMPLATE_ANSWERED_UNKNOWN] = "answered_unknown",
	[TEMPLATE_MISSED_INCOMING] = "missed_incoming",
	[TEMPLATE_MISSED_OUTGOING] = "missed_outgoing",
	[TEMPLATE_MISSED_INTERNAL] = "missed_internal",
	[TEMPLATE_MISSED_UNKNOWN] = "missed_unknown",
	[TEMPLATE_LOST_INCOMING] = "lost_incoming",
	[TEMPLATE_LOST_OUTGOING] = "lost_outgoing",
};

const char *message_template_name(enum message_template which)
{
	return names[which];
}

bool message_template_from(struct str name, enum message_template *which)
{
	for (unsigned i = 0; i < MESSAGE_TEMPLATES; i++) {
		if (str_equal(name, str_from(names[i]))) {
			*which = (enum message_template)i;
			return true;
		}
	}
	return false;
}

/* -- a line, piece by piece ----------------------------------------------------------------------- */

struct piece {
	struct str text; /* as it stands in the template */
	bool is_value;
	enum message_value value;
	bool optional; /* {name?when}: `when` is shown, not the value */
	struct str when;
};

/* What stands between braces. */
static bool read_value(struct str inside, struct piece *piece, struct error *error)
{
	struct str name = str_cut(&inside, '?');
	piece->is_value = true;
	piece->optional = inside.data != NULL;
	piece->when = inside;
	return message_value_from(name, &piece->value) ||
	       error_set(error, ERROR_INPUT, "there is no placeholder {%.*s}",
		       name.size > 40 ? 40 : (int)name.size, name.data);
}

static bool next_piece(struct str *rest, struct piece *piece, struct error *error)
{
	const char *brace = memchr(rest->data, '{', rest->size);
	size_t size = brace != NULL ? (size_t)(brace - rest->data) : rest->size;
	*piece = (struct piece){0};
	if (size == 0) {
		const char *end = memchr(rest->data, '}', rest->size);
		if (end == NULL)
			return error_set(error, ERROR_INPUT, "{ without }");
		size = (size_t)(end - rest->data) + 1;
		if (!read_value(str_of(rest->data + 1, size - 2), piece, error))
			return false;
	}
	piece->text = str_of(rest->data, size);
	*rest = str_of(rest->data + size, rest->size - size);
	return true;
}

/* -- filling in ----------------------------------------------------------------------------------- */

/* Append the piece; true when it is a placeholder that has something to show. */
static bool add_piece(const struct message_view *view, const struct piece *piece, struct buf *to)
{
	size_t before = to->size;
	if (!piece->is_value) {
		buf_add(to, piece->text);
		return false;
	}
	message_value_add(view, piece->value, to);
	if (to->size == before)
		return false;
	if (piece->optional) {
		to->size = before;
		to->data[before] = '\0';
		buf_add(to, piece->when);
	}
	return true;
}

/* False: the line is left out. */
static bool fill_line(const struct message_view *view, struct str line, struct buf *to)
{
	bool has_values = false, has_content = false;
	struct piece piece;
	buf_clear(to);
	while (line.size > 0) {
		/* What was not checked, or was checked by an older program: as it stands. */
		if (!next_piece(&line, &piece, NULL)) {
			message_add_datum(to, "{");
			line = str_of(line.data + 1, line.size - 1);
			continue;
		}
		has_values = has_values || piece.is_value;
		has_content = add_piece(view, &piece, to) || has_content;
	}
	return has_content || !has_values;
}

/* Tags and escapes are counted, too, though Telegram does not: a little less room, and no parsing. A
 * character has at least as many bytes as UTF-16 units, so most messages need not be counted. */
static bool fits(const struct buf *to, size_t start, struct str line)
{
	struct str text = {0};
	if (to->size > start)
		text = str_of(to->data + start, to->size - start);
	if (text.size + line.size < MESSAGE_MAX_CHARACTERS)
		return true;
	return text.size + line.size < MESSAGE_MAX_BYTES &&
	       html_utf16_length(text) + html_utf16_length(line) < MESSAGE_MAX_CHARACTERS;
}

bool message_template_fill(const struct message_view *view, struct str text, struct buf *to)
{
	size_t start = to->size;
	struct buf line;
	buf_init(&line, MESSAGE_MAX_BYTES);
	while (text.data != NULL) {
		struct str source = str_cut(&text, '\n');
		if (!fill_line(view, source, &line) || line.failed ||
			!fits(to, start, buf_str(&line)))
			continue;
		if (to->size > start)
			buf_add_char(to, '\n');
		buf_add(to, buf_str(&line));
	}
	buf_free(&line);
	return to->size > start;
}

/* -- checking ------------------------------------------------------------------------------------- */

enum { MAX_LINES = 40, CHECK_ARENA_BYTES = 1 << 20 };

/* A placeholder's place in the text that the parser of HTML sees: as long, and harmless. */
static bool blank_piece(const struct piece *piece, bool in_tag, struct buf *to, struct error *error)
{
	if (in_tag && (piece->value != VALUE_RECORDING_URL || piece->optional))
		return error_set(error, ERROR_INPUT,
			"%.*s inside a tag: only {recording_url} may stand there",
			STR_ARG(piece->text));
	for (size_t i = 0; i < piece->when.size; i++) {
		if (piece->when.data[i] == '<' || piece->when.data[i] == '{')
			return error_set(error, ERROR_INPUT, "a tag or a placeholder inside %.*s",
				STR_ARG(piece->text));
	}
	for (size_t i = 0; i < piece->text.size; i++)
		buf_add_char(to, 'x');
	return true;
}

/* A quoted attribute may hold a '>', but nobody needs that. */
static bool ends_in_tag(struct str text, bool in_tag)
{
	for (size_t i = 0; i < text.size; i++) {
		if (text.data[i] == '<')
			in_tag = true;
		else if (text.data[i] == '>')
			in_tag = false;
	}
	return in_tag;
}

static bool check_pieces(struct str line, struct buf *html, struct error *error)
{
	struct piece piece;
	bool in_tag = false;
	while (line.size > 0) {
		if (!next_piece(&line, &piece, error))
			return false;
		if (piece.is_value) {
			if (!blank_piece(&piece, in_tag, html, error))
				return false;
			continue;
		}
		struct str behind = piece.text;
		str_cut(&behind, '}');
		if (behind.data != NULL)
			return error_set(error, ERROR_INPUT, "} without {");
		in_tag = ends_in_tag(piece.text, in_tag);
		buf_add(html, piece.text);
	}
	return true;
}

static bool check_characters(struct str line, struct error *error)
{
	for (size_t i = 0; i < line.size; i++) {
		if ((unsigned char)line.data[i] < ' ' || line.data[i] == 0x7f)
			return error_set(
				error, ERROR_INPUT, "a control character at byte %zu", i + 1);
	}
	return true;
}

static bool check_line(struct str line, struct arena *arena, struct error *error)
{
	struct html_text parsed;
	struct buf html;
	buf_init(&html, MESSAGE_TEMPLATE_MAX_BYTES);
	bool ok = check_characters(line, error) && check_pieces(line, &html, error) &&
		  html_parse(buf_str(&html), arena, &parsed, error);
	buf_free(&html);
	return ok;
}

bool message_template_check(struct str text, struct error *error)
{
	struct arena *arena;
	unsigned number = 0;
	bool ok = true;
	if (text.size > MESSAGE_TEMPLATE_MAX_BYTES)
		return error_set(
			error, ERROR_INPUT, "longer than %d bytes", MESSAGE_TEMPLATE_MAX_BYTES);
	if (str_trim(text).size == 0)
		return error_set(error, ERROR_INPUT, "nothing but white space");
	if (!str_is_utf8(text))
		return error_set(error, ERROR_INPUT, "not valid UTF-8");
	arena = arena_new(CHECK_ARENA_BYTES);
	while (ok && text.data != NULL) {
		ok = ++number <= MAX_LINES ||
		     error_set(error, ERROR_INPUT, "more than %d lines", MAX_LINES);
		ok = ok && check_line(str_cut(&text, '\n'), arena, error);
	}
	arena_free(&arena);
	return ok || error_prefix(error, "line %u: ", number);
}
