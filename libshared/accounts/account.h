/*
 * account: one enterprise as accounts keep it, with all that it owns. Private to accounts.
 */
#ifndef CALLWEAVE_ACCOUNT_H
#define CALLWEAVE_ACCOUNT_H

#include "accounts.h"
#include "crypto.h"

#define ACCOUNT_MAX_DOCUMENTS 20 /* the column, and members that were stored as texts */

/* An account and what it points to. */
struct held {
	struct account account; /* first */
	struct arena *arena;
	struct json *settings;
	struct json *documents[ACCOUNT_MAX_DOCUMENTS];
	unsigned document_count;
	struct number_rules *numbers;
	unsigned char digest[CRYPTO_SHA256_BYTES]; /* of all that was read: does it differ? */
};

/* Empty, with `number`. */
struct held *held_new(struct str number);
void held_free(struct held *held);

/* A copy that lives as long as the account. */
const char *held_text(struct held *held, struct str text);

/* integrations_config as it is stored: an object or a text that holds one; its members likewise. Sets
 * integrations, smart and primary. False with words when it is neither: there are none then. */
bool held_read_config(struct held *held, struct str text, struct error *error);
bool held_read_settings(struct held *held, struct str text, struct error *error);

void held_add_manager(struct held *held, const struct account_manager *manager);
/* False with words when the line's transform is none: the line is there all the same. */
bool held_add_line(struct held *held, const struct account_line *line, struct error *error);
/* After the last line and manager: extensions that only the settings name. */
void held_add_named_extensions(struct held *held);

#endif
