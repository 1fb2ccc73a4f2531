/*
 * html: see html.h. One pass over the source; open tags are kept on a stack.
 */
#include "html.h"

#include "html_tag.h"

#include <stdlib.h>

/* An entity is known when its tag closes; until then the tag keeps where it began. */
struct open_tag {
	struct html_tag tag;
	int offset;	 /* UTF-16 units of plain text before it */
	size_t out_size; /* bytes of plain text before it */
};

/* The arrays are as long as the source has '<', allocated once: each tag opens with one, so
 * neither can overflow. `out` never grows beyond the source, since a reference is longer than
 * the character that it stands for. */
struct html_parser {
	struct html_reader reader;
	char *out;
	size_t out_size;
	int length; /* UTF-16 units in `out` */
	struct open_tag *open;
	size_t depth;
	struct html_entity *entities;
	size_t count;
	bool had_surrogate;
};

const char *html_type_name(enum html_type type)
{
	static const char *const names[] = {
		[HTML_BOLD] = "bold",
		[HTML_ITALIC] = "italic",
		[HTML_UNDERLINE] = "underline",
		[HTML_STRIKETHROUGH] = "strikethrough",
		[HTML_SPOILER] = "spoiler",
		[HTML_LINK] = "text_link",
		[HTML_CODE] = "code",
		[HTML_PRE] = "pre",
		[HTML_BLOCKQUOTE] = "blockquote",
		[HTML_EXPANDABLE_BLOCKQUOTE] = "expandable_blockquote",
		[HTML_CUSTOM_EMOJI] = "custom_emoji",
	};

	return names[type];
}

/* Telegram counts as its clients do, in UTF-16: characters beyond U+FFFF, most emoji among them,
 * are two (core.telegram.org/api/entities). */
static int units_of(unsigned char lead)
{
	if ((lead & 0xc0) == 0x80)
		return 0; /* inside a character */
	return lead >= 0xf0 ? 2 : 1;
}

int html_utf16_length(struct str text)
{
	int units = 0;

	for (size_t i = 0; i < text.size; i++)
		units += units_of((unsigned char)text.data[i]);
	return units;
}

/* "span" is a spoiler and nothing else: html_tag.c has refused any other class by now. */
static bool is_type(struct str name, enum html_type *type)
{
	static const struct {
		const char *name;
		enum html_type type;
	} types[] = {
		{"b", HTML_BOLD},
		{"strong", HTML_BOLD},
		{"i", HTML_ITALIC},
		{"em", HTML_ITALIC},
		{"u", HTML_UNDERLINE},
		{"ins", HTML_UNDERLINE},
		{"s", HTML_STRIKETHROUGH},
		{"strike", HTML_STRIKETHROUGH},
		{"del", HTML_STRIKETHROUGH},
		{"tg-spoiler", HTML_SPOILER},
		{"span", HTML_SPOILER},
		{"a", HTML_LINK},
		{"code", HTML_CODE},
		{"pre", HTML_PRE},
		{"blockquote", HTML_BLOCKQUOTE},
		{"tg-emoji", HTML_CUSTOM_EMOJI},
	};

	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		*type = types[i].type;
		if (str_equal(name, str_from(types[i].name)))
			return true;
	}
	return false;
}

/* The server drops a link that it cannot follow: an unknown scheme, or a host without a dot. */
bool html_link_works(struct str url)
{
	static const char *const schemes[] = {"http://", "https://", "tg://", "ton://"};
	struct str host = url;

	for (size_t i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++) {
		struct str scheme = str_from(schemes[i]);
		if (url.size < scheme.size ||
			!str_equal_nocase(str_of(url.data, scheme.size), scheme))
			continue;
		if (i >= 2)
			return url.size > scheme.size;
		host = str_of(url.data + scheme.size, url.size - scheme.size);
	}
	if (host.size == url.size && memchr(url.data, ':', url.size) != NULL)
		return false;
	host = str_cut(&host, '/');
	return host.size > 2 && memchr(host.data + 1, '.', host.size - 2) != NULL;
}

/* <pre><code class="language-x"> is one entity. */
static bool melts_into_pre(struct html_parser *parser, const struct html_entity *entity)
{
	struct html_entity *last = parser->count > 0 ? &parser->entities[parser->count - 1] : NULL;

	if (last == NULL || last->offset != entity->offset || last->length != entity->length)
		return false;
	if (entity->type == HTML_PRE && last->type == HTML_CODE && last->argument.size > 0) {
		last->type = HTML_PRE;
		return true;
	}
	if (entity->type == HTML_CODE && last->type == HTML_PRE && entity->argument.size > 0) {
		last->argument = entity->argument;
		return true;
	}
	return false;
}

static bool add_entity(struct html_parser *parser, const struct open_tag *open, struct error *error)
{
	struct html_entity entity = {.offset = open->offset,
		.length = parser->length - open->offset,
		.argument = open->tag.argument};
	int64_t emoji = 0;

	/* The server drops empty entities without a word. */
	if (entity.length == 0 || !is_type(open->tag.name, &entity.type))
		return true;
	if (entity.type == HTML_CUSTOM_EMOJI &&
		(!str_to_int64(entity.argument, &emoji) || emoji == 0))
		return error_set(error, ERROR_INPUT, "Invalid custom emoji identifier specified");
	/* <a>example.com</a> links to its own text. */
	if (entity.type == HTML_LINK && entity.argument.size == 0)
		entity.argument =
			str_of(parser->out + open->out_size, parser->out_size - open->out_size);
	if (entity.type == HTML_LINK && !html_link_works(entity.argument))
		return true;
	if (entity.type == HTML_BLOCKQUOTE && entity.argument.size > 0)
		entity.type = HTML_EXPANDABLE_BLOCKQUOTE;
	if (!melts_into_pre(parser, &entity))
		parser->entities[parser->count++] = entity;
	return true;
}

static bool read_tag(struct html_parser *parser, struct error *error)
{
	struct html_reader *reader = &parser->reader;
	struct open_tag *top = &parser->open[parser->depth];

	reader->at++;
	if (html_peek(reader) != '/') {
		top->offset = parser->length;
		top->out_size = parser->out_size;
		parser->depth++;
		return html_read_start_tag(reader, &top->tag, error);
	}
	if (parser->depth == 0)
		return error_set(error, ERROR_INPUT, "Unexpected end tag at byte offset %zu",
			reader->at - 1);
	/* The stack shrinks before the end tag is read: an error ends the parse anyway, and
	 * add_entity() wants the tag that was just closed. */
	top--;
	parser->depth--;
	return html_read_end_tag(reader, top->tag.name, error) && add_entity(parser, top, error);
}

static void read_character(struct html_parser *parser)
{
	struct html_reader *reader = &parser->reader;
	uint32_t code = html_peek(reader) == '&' ? html_read_reference(reader) : 0;

	if (code == 0) {
		parser->length += units_of((unsigned char)html_peek(reader));
		parser->out[parser->out_size++] = reader->in.data[reader->at++];
		return;
	}
	parser->length += code > 0xffff ? 2 : 1;
	/* &#xD83D;&#xDCB0; is no UTF-8 by itself; the whole text is looked at in the end. */
	parser->had_surrogate |= code >= 0xd800 && code <= 0xdfff;
	parser->out_size += html_put_utf8(code, parser->out + parser->out_size);
}

/* By offset; the longer first, so that an outer entity comes before those inside it. */
static int compare_entities(const void *a, const void *b)
{
	const struct html_entity *first = a, *second = b;

	if (first->offset != second->offset)
		return first->offset < second->offset ? -1 : 1;
	if (first->length != second->length)
		return first->length > second->length ? -1 : 1;
	return (int)first->type - (int)second->type;
}

static size_t count_tags(struct str source)
{
	size_t count = 1;

	for (size_t i = 0; i < source.size; i++)
		count += source.data[i] == '<';
	return count;
}

bool html_parse(struct str source, struct arena *arena, struct html_text *text, struct error *error)
{
	size_t tags = count_tags(source);
	struct html_parser parser = {
		.reader = {.in = source, .arena = arena},
		.out = arena_alloc(arena, source.size + 1),
		.open = arena_array(arena, tags, sizeof(struct open_tag)),
		.entities = arena_array(arena, tags, sizeof(struct html_entity)),
	};

	while (parser.reader.at < source.size) {
		if (html_peek(&parser.reader) != '<')
			read_character(&parser);
		else if (!read_tag(&parser, error))
			return false;
	}
	if (parser.depth > 0)
		return error_set(error, ERROR_INPUT,
			"Can't find end tag corresponding to start tag \"%.*s\"",
			STR_ARG(parser.open[parser.depth - 1].tag.name));
	/* A class on <code> counts only inside <pre>; it was kept so far for melts_into_pre(). */
	for (size_t i = 0; i < parser.count; i++) {
		if (parser.entities[i].type == HTML_CODE)
			parser.entities[i].argument = (struct str){0};
	}
	/* They were added as they closed, the inner ones first. */
	qsort(parser.entities, parser.count, sizeof(parser.entities[0]), compare_entities);
	*text = (struct html_text){
		str_of(parser.out, parser.out_size), parser.length, parser.entities, parser.count};
	if (parser.had_surrogate && !str_is_utf8(text->plain))
		return error_set(error, ERROR_INPUT,
			"Text contains invalid Unicode characters after decoding HTML entities, "
			"check for unmatched surrogate code units");
	return true;
}

void html_plain(struct str source, struct html_text *text)
{
	*text = (struct html_text){.plain = source, .length = html_utf16_length(source)};
}

void html_trim(struct html_text *text)
{
	struct str whole = text->plain, trimmed = str_trim(whole);
	size_t kept = 0;
	int before = trimmed.size > 0 ? (int)(trimmed.data - whole.data) : 0;

	text->plain = trimmed;
	text->length = html_utf16_length(trimmed);
	/* Entities that lay in what was cut go; those that reached into it become shorter. */
	for (size_t i = 0; i < text->count; i++) {
		struct html_entity entity = text->entities[i];
		int end = entity.offset + entity.length - before;
		entity.offset = entity.offset > before ? entity.offset - before : 0;
		entity.length = (end < text->length ? end : text->length) - entity.offset;
		if (entity.length > 0)
			text->entities[kept++] = entity;
	}
	text->count = kept;
}
