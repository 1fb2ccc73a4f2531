/*
 * twilio_xml: expat's events made into a tree. It knows no verbs: those are twilio_schema's.
 */
#include "twilio_xml.h"

#include <expat.h>

struct reader {
	struct arena *arena;
	struct xml_node *root, *at;
	XML_Parser parser;
	unsigned depth, nodes;
	const char *trouble; /* why we stopped it */
};

static void stop(struct reader *reader, const char *words)
{
	if (reader->trouble == NULL)
		reader->trouble = words;
	(void)XML_StopParser(reader->parser, XML_FALSE);
}

static struct str keep(struct reader *reader, const char *text)
{
	return str_from(arena_strdup(reader->arena, text));
}

static void add_attributes(struct reader *reader, struct xml_node *node, const char **attributes)
{
	for (; attributes[0] != NULL; attributes += 2) {
		if (node->attribute_count == XML_MAX_ATTRIBUTES) {
			stop(reader, "too many attributes");
			return;
		}
		node->attributes[node->attribute_count].name = keep(reader, attributes[0]);
		node->attributes[node->attribute_count++].value = keep(reader, attributes[1]);
	}
}

static void XMLCALL on_open(void *user, const char *name, const char **attributes)
{
	struct reader *reader = user;
	struct xml_node *node;

	if (++reader->depth > XML_MAX_DEPTH || ++reader->nodes > XML_MAX_NODES) {
		stop(reader, "too deep, or too many elements");
		return;
	}
	node = arena_alloc(reader->arena, sizeof(*node));
	node->name = keep(reader, name);
	node->line = (unsigned)XML_GetCurrentLineNumber(reader->parser);
	node->parent = reader->at;
	add_attributes(reader, node, attributes);
	if (reader->at == NULL)
		reader->root = node;
	else if (reader->at->last == NULL)
		reader->at->first = node;
	else
		reader->at->last->next = node;
	if (reader->at != NULL)
		reader->at->last = node;
	reader->at = node;
}

static void XMLCALL on_close(void *user, const char *name)
{
	struct reader *reader = user;

	(void)name;
	reader->depth--;
	reader->at = reader->at->parent;
}

/* Expat gives a text in pieces, a line a piece: its room doubles, so that many small ones cost no more
 * than one large. */
static void XMLCALL on_text(void *user, const char *text, int size)
{
	struct reader *reader = user;
	struct xml_node *node = reader->at;
	size_t needed;

	if (node == NULL)
		return;
	needed = node->text.size + (size_t)size;
	if (needed > node->room) {
		char *larger = arena_alloc(reader->arena, 2 * needed);
		if (node->text.size > 0)
			memcpy(larger, node->text.data, node->text.size);
		node->writable = larger;
		node->room = 2 * needed;
	}
	memcpy(node->writable + node->text.size, text, (size_t)size);
	node->text = str_of(node->writable, needed);
}

/* Entities of its own could grow without end; Twilio takes none. */
static void XMLCALL on_doctype(
	void *user, const char *name, const char *system, const char *public, int internal)
{
	(void)name;
	(void)system;
	(void)public;
	(void)internal;
	stop(user, "a document type is not allowed");
}

static bool parse(struct reader *reader, struct str text, struct error *error)
{
	enum XML_Status status = XML_Parse(reader->parser, text.data, (int)text.size, XML_TRUE);

	if (reader->trouble != NULL)
		return error_set(error, ERROR_INPUT, "line %lu: %s",
			XML_GetCurrentLineNumber(reader->parser), reader->trouble);
	if (status == XML_STATUS_ERROR)
		return error_set(error, ERROR_INPUT, "line %lu: %s",
			XML_GetCurrentLineNumber(reader->parser),
			XML_ErrorString(XML_GetErrorCode(reader->parser)));
	return true;
}

struct xml_node *xml_read(struct str text, struct arena *arena, struct error *error)
{
	struct reader reader = {.arena = arena};
	bool good;

	if (text.size == 0 || text.data[0] != '<') {
		(void)error_set(error, ERROR_INPUT, "%s",
			text.size == 0 ? "the document is empty"
				       : "something stands before the document");
		return NULL;
	}
	reader.parser = XML_ParserCreate("UTF-8");
	XML_SetUserData(reader.parser, &reader);
	XML_SetElementHandler(reader.parser, on_open, on_close);
	XML_SetCharacterDataHandler(reader.parser, on_text);
	XML_SetStartDoctypeDeclHandler(reader.parser, on_doctype);
	good = parse(&reader, text, error);
	XML_ParserFree(reader.parser);
	return good ? reader.root : NULL;
}

struct str xml_get(const struct xml_node *node, const char *attribute)
{
	for (unsigned i = 0; i < node->attribute_count; i++) {
		if (str_equal(node->attributes[i].name, str_from(attribute)))
			return node->attributes[i].value;
	}
	return (struct str){0};
}

int64_t xml_number(const struct xml_node *node, const char *attribute, int64_t fallback)
{
	int64_t value;

	return str_to_int64(xml_get(node, attribute), &value) ? value : fallback;
}

bool xml_is(const struct xml_node *node, const char *name)
{
	return str_equal(node->name, str_from(name));
}
