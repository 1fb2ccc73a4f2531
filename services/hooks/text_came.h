/*
 * text_came: a text or chat that came, whoever brought it, and what is stored of it. Pure.
 */
#ifndef HOOKS_TEXT_CAME_H
#define HOOKS_TEXT_CAME_H

#include "hook_menu.h"
#include "hooks.h"
#include "keywords.h"

#define TEXT_MAX_MEDIA 10

struct text_came {
	const char *enterprise, *channel, *provider; /* "sms" "whatsapp"; "twilio" "baileys" */
	const char *our_number, *line, *trace;
	const char *peer; /* text_peer.h */
	const char *lid;  /* his other name at WhatsApp, where both are known; else NULL */
	struct str provider_id, title, body;
	struct {
		struct str url, type;
	} media[TEXT_MAX_MEDIA];
	unsigned media_count;
	int64_t at_ms;
	/* what it asks for */
	enum keyword keyword;
	const char *keyword_by; /* "keyword", "OptOutType" */
	struct str reply;	/* empty: nobody answers */
	bool twiml;		/* the reply goes with the webhook's answer; else by the outbox */
};

/* Whom it is for, by the number's own words and settings. `opt_out_type` is Twilio's, else empty. */
struct text_rules {
	const struct menu *menu; /* NULL: no words but STOP and START */
	const char *language;
	bool own_confirmation;
	struct str opt_out_type;
};
/* Sets keyword, keyword_by and reply. Where Twilio confirms by itself we say nothing. */
void text_came_decide(struct text_came *came, const struct text_rules *rules);

/* The document of text_in(): migration 0015. In the arena. */
struct str text_came_document(const struct text_came *came, struct arena *arena);

/* Its member "world", of those that are sent, too. */
struct json_writer;
void text_put_world(struct json_writer *json, struct arena *arena, const struct world_event *event);

#endif
