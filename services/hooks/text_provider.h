/*
 * text_provider: how texts are sent, one file a provider. Pure: a request is built, an answer is read.
 */
#ifndef HOOKS_TEXT_PROVIDER_H
#define HOOKS_TEXT_PROVIDER_H

#include "arena.h"
#include "http_client.h"
#include "json.h"

/* One message of the outbox, as it was claimed. */
struct text_message {
	int64_t id;
	const char *enterprise, *provider, *channel, *peer, *ours, *kind;
	const char *other; /* the provider that takes it when this one is away; "" none */
	struct str body;
	const struct json *media;    /* [{"url", "type"}] */
	const struct json *template; /* {"content_sid", "variables"} or JSON null */
	int64_t attempts, looks, created_ms;
	bool doubtful, opted_out, in_window;
};

/* What is needed to ask. */
struct text_access {
	const char *base_url;
	const char *account_sid, *token; /* Twilio's */
	const char *secret;		 /* the bridge's */
	const char *status_url;		 /* for callbacks, with our id; "" none */
};

enum text_outcome {
	TEXT_SENT,	/* the provider has it: `id`, `status` */
	TEXT_AGAIN,	/* it did not: later; `pause_ms`, -1 by the number of attempts */
	TEXT_ELSEWHERE, /* as AGAIN; but another provider would do it now */
	TEXT_REFUSED,	/* it never will */
	TEXT_STOPPED,	/* refused, as he wrote STOP (21610) */
	TEXT_DOUBTFUL,	/* nobody knows: it is to be asked for before it is sent again */
	TEXT_ABSENT,	/* asked for: the provider has no such message */
	TEXT_FOUND,	/* asked for: it is one of the candidates */
};

#define TEXT_MAX_CANDIDATES 50

struct text_result {
	enum text_outcome outcome;
	const char *status; /* ours */
	struct str id;
	struct str candidates[TEXT_MAX_CANDIDATES];
	unsigned candidate_count;
	char code[16];
	char words[256];
	int64_t pause_ms;
};

struct text_provider {
	const char *name;
	bool repeatable; /* the same send twice is one message: nothing is in doubt */
	/* In the arena. */
	void (*send)(const struct text_message *message, const struct text_access *access,
		struct arena *arena, struct http_call *call);
	void (*sent)(
		const struct http_answer *answer, struct arena *arena, struct text_result *result);
	/* Is it there already? NULL: the provider cannot be asked. */
	void (*look)(const struct text_message *message, const struct text_access *access,
		struct arena *arena, struct http_call *call);
	void (*seen)(const struct text_message *message, const struct http_answer *answer,
		struct arena *arena, struct text_result *result);
};

extern const struct text_provider text_twilio, text_baileys;
const struct text_provider *text_provider_find(const char *name);

/* Our word for a status of Twilio; NULL: it says nothing of what became of it. */
const char *text_status_name(struct str said);
/* What an error code of Twilio means for who reads it; `said` where we know no better. */
struct str text_error_words(struct str code, struct str said);

#endif
