/*
 * twilio_xml: an answer in TwiML as a tree, read as strictly as Twilio reads it (ADR 0028). The only
 * user of expat.
 */
#ifndef SANDBOX_TWILIO_XML_H
#define SANDBOX_TWILIO_XML_H

#include "arena.h"
#include "error.h"
#include "str.h"

#define XML_MAX_DEPTH	   16
#define XML_MAX_NODES	   4000
#define XML_MAX_ATTRIBUTES 32

struct xml_node {
	struct str name, text; /* text: of this element alone, untrimmed */
	struct {
		struct str name, value;
	} attributes[XML_MAX_ATTRIBUTES];
	unsigned attribute_count;
	struct xml_node *first, *last, *next, *parent;
	unsigned line;
	char *writable; /* the reader's: where text grows */
	size_t room;
};

/* NULL with words: not well-formed, anything before the prolog, a document type, too deep. Everything
 * lives in the arena. */
struct xml_node *xml_read(struct str text, struct arena *arena, struct error *error);
struct str xml_get(const struct xml_node *node, const char *attribute); /* empty: absent */
int64_t xml_number(const struct xml_node *node, const char *attribute, int64_t fallback);
bool xml_is(const struct xml_node *node, const char *name);

#endif
