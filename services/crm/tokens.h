/*
 * tokens: OAuth tokens of each enterprise: read from crm_oauth, kept in memory, renewed by one job at a
 * time, here and among all instances.
 *
 * A refresh token is good for one use: whoever renews holds a claim in the row, and what came of it is
 * stored before anybody uses it. Others wait for that, and read what another instance has stored.
 */
#ifndef CRM_TOKENS_H
#define CRM_TOKENS_H

#include "adapter.h"

struct tokens;

/* Of one enterprise. Stays as long as `tokens` does. */
struct token {
	char number[64];
	char *text; /* the JSON object of crm_oauth; NULL: none */
	int64_t version;
	bool known;	   /* has been read */
	struct flow *work; /* the reading or renewal under way */
	struct flow_queue done;
	enum outcome outcome; /* of the last: OUTCOME_DONE, or why not, in words */
	char why[256];
};

struct tokens *tokens_new(void);
void tokens_free(struct tokens **tokens);
struct token *tokens_get(struct tokens *tokens, struct str enterprise);

/* False: it is to be read: token_want(), then wait in `done`. That there are none is never believed for
 * longer: another instance may have heard of an installation. */
bool token_is_there(const struct token *token);
/* Read it, and renew it unless there is a version above `used` (0: only read). */
void token_want(struct adapter *adapter, struct token *token, int64_t used);

/* Tokens of a new installation: for a flow's batch. */
void token_put_install(struct pg_batch *batch, struct adapter *adapter, const char *enterprise,
	struct str tokens, struct arena *arena);
void token_put_removed(struct pg_batch *batch, struct adapter *adapter, const char *enterprise);
/* It has changed by such a batch: to be read anew. */
void token_forget(struct token *token);

#endif
