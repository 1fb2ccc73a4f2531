/*
 * peers: who is there in the sandbox's Telegram: bots, chats with their condition, and the rates
 * between the two. Everything exists as soon as it is spoken of; tests declare what is unusual.
 */
#ifndef SANDBOX_PEERS_H
#define SANDBOX_PEERS_H

#include "buf.h"
#include "rate.h"

struct peers;

struct bot {
	int64_t id;
	bool revoked;
	int64_t last_message_id; /* of its private chats */
	struct rate_bucket bucket;
	int64_t sends, edits, deletes;
	int64_t refused;    /* answered by an error of any kind */
	int64_t violations; /* answered 429 because it was over a limit */
};

enum chat_state {
	CHAT_OK,
	CHAT_BLOCKED,	  /* the user blocked the bot */
	CHAT_KICKED,	  /* the bot was thrown out of the group */
	CHAT_DEACTIVATED, /* the user is gone */
	CHAT_MISSING,	  /* never existed */
	CHAT_MIGRATED,	  /* became a supergroup: migrate_to */
};

struct chat {
	int64_t id;
	enum chat_state state;
	int64_t migrate_to;
	int64_t last_message_id; /* of a group */
};

struct peers *peers_new(void);
void peers_free(struct peers **peers);

/* Made on first use. NULL when there are too many of them. */
struct bot *peers_bot(struct peers *peers, int64_t bot_id);
struct chat *peers_chat(struct peers *peers, int64_t chat_id);
struct rate_chat *peers_rate(struct peers *peers, int64_t bot_id, int64_t chat_id);

/* A chat by its id if it was spoken of, else NULL. */
const struct chat *peers_known_chat(const struct peers *peers, int64_t chat_id);

bool chat_state_from(struct str name, enum chat_state *state);

/* The id that the next message of this bot in this chat gets. */
int64_t peers_next_message_id(struct bot *bot, struct chat *chat);

/* Over all bots. */
struct peers_totals {
	int64_t calls; /* sends, edits, deletes and what was refused */
	int64_t violations;
};
struct peers_totals peers_totals(const struct peers *peers);

/* Append the bots as a JSON array with their counters. */
void peers_write_bots(const struct peers *peers, struct buf *to);

#endif
