/*
 * text_came: see text_came.h.
 */
#include "text_came.h"

#include "json_put.h"

#define DOCUMENT_MAX_BYTES ((size_t)900 << 10) /* a record of the journal holds 1 MiB */

/* -- what it asks for -------------------------------------------------------------------------------- */

static struct str of_menu(const struct text_rules *rules, struct str word)
{
	const struct menu_text *text = rules->menu != NULL ? menu_keyword(rules->menu, word) : NULL;
	enum menu_language language = MENU_EN;

	if (text == NULL)
		return STR("");
	(void)menu_language_from(str_from(rules->language), &language);
	return menu_text_in(text, language);
}

/* STOP and HELP on a number for SMS are answered by Twilio, unless that is switched off there; a second
 * answer to STOP would be blocked (21610). What only we understand (ARRET) only we can confirm. */
static bool twilio_answers(const struct text_came *came, const struct text_rules *rules,
	const struct keyword_found *found)
{
	if (rules->opt_out_type.size > 0)
		return true;
	return found->of_twilio && !rules->own_confirmation && strcmp(came->channel, "sms") == 0;
}

void text_came_decide(struct text_came *came, const struct text_rules *rules)
{
	char folded[KEYWORD_BYTES] = "";
	struct keyword_found found = {KEYWORD_NONE, false};

	came->keyword_by = "keyword";
	if (keyword_fold(came->body, folded))
		found = keyword_find(str_from(folded));
	if (rules->opt_out_type.size > 0) {
		found.keyword = keyword_of_type(rules->opt_out_type);
		came->keyword_by = "OptOutType";
	}
	came->keyword = found.keyword;
	if (found.keyword != KEYWORD_NONE && twilio_answers(came, rules, &found))
		return;
	if (found.keyword == KEYWORD_HELP)
		came->reply = of_menu(rules, STR("AIDE"));
	else if (found.keyword != KEYWORD_NONE)
		came->reply = keyword_confirmation(found.keyword, str_from(rules->language));
	else if (folded[0] != '\0')
		came->reply = of_menu(rules, str_from(folded));
}

/* -- what is stored ---------------------------------------------------------------------------------- */

static void put_text(struct json_writer *json, const char *name, const char *text)
{
	json_put_member_str(json, name, str_from(text));
}

static void put_media(struct json_writer *json, const struct text_came *came)
{
	json_put_name(json, "media");
	json_open_array(json);
	for (unsigned i = 0; i < came->media_count; i++) {
		json_open_object(json);
		json_put_member_str(json, "url", came->media[i].url);
		json_put_member_str(json, "type", came->media[i].type);
		json_close_object(json);
	}
	json_close_array(json);
}

static void put_reply(struct json_writer *json, const struct text_came *came)
{
	if (came->reply.size == 0)
		return;
	json_put_name(json, "reply");
	json_open_object(json);
	json_put_member_str(json, "body", came->reply);
	json_put_member_bool(json, "twiml", came->twiml);
	json_close_object(json);
}

void text_put_world(struct json_writer *json, struct arena *arena, const struct world_event *event)
{
	struct world_row row = world_row(arena, event);

	json_put_name(json, "world");
	json_open_object(json);
	put_text(json, "unique_id", row.unique_id);
	put_text(json, "type", row.type);
	put_text(json, "trace", row.trace);
	json_put_member_raw(json, "body", str_from(row.body));
	json_close_object(json);
}

static const char *copy(struct arena *arena, struct str text)
{
	return arena_strndup(arena, text.data != NULL ? text.data : "", text.size);
}

static void put_event(struct json_writer *json, const struct text_came *came, struct arena *arena)
{
	const struct world_event event = {.kind = WORLD_TEXT,
		.enterprise = came->enterprise,
		.call_sid = copy(arena, came->provider_id),
		.peer = came->peer,
		.line = came->line,
		.trace = came->trace,
		.text = copy(arena, came->body),
		.channel = came->channel};

	text_put_world(json, arena, &event);
}

struct str text_came_document(const struct text_came *came, struct arena *arena)
{
	static const char *const opts[] = {[KEYWORD_NONE] = "",
		[KEYWORD_STOP] = "stop",
		[KEYWORD_START] = "start",
		[KEYWORD_HELP] = ""};
	struct json_writer json;
	struct buf buf;
	struct str document;

	buf_init(&buf, DOCUMENT_MAX_BYTES);
	json_begin(&json, &buf);
	json_open_object(&json);
	put_text(&json, "enterprise", came->enterprise);
	put_text(&json, "channel", came->channel);
	put_text(&json, "provider", came->provider);
	json_put_member_str(&json, "provider_id", came->provider_id);
	put_text(&json, "our_number", came->our_number);
	put_text(&json, "peer", came->peer);
	if (came->lid != NULL)
		put_text(&json, "lid", came->lid);
	json_put_member_str(&json, "title", came->title);
	json_put_member_str(&json, "body", came->body);
	put_text(&json, "type", came->media_count > 0 ? "media" : "text");
	put_text(&json, "opt", opts[came->keyword]);
	put_text(&json, "opt_by", came->keyword_by);
	json_put_member_int(&json, "at", came->at_ms);
	put_media(&json, came);
	put_reply(&json, came);
	put_event(&json, came, arena);
	json_close_object(&json);
	document = str_of(arena_strndup(arena, buf.data, buf.size), buf.size);
	buf_free(&buf);
	return document;
}
