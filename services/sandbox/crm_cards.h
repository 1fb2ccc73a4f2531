/*
 * crm_cards: what a CRM knows, as cards: calls in its journal, people, leads, reminders, webhooks.
 *
 * A card is a small map of names to texts, so that one store, one listing and one page serve all
 * CRMs. An office is one customer's account at one CRM. Bounded: the oldest cards of a kind go first.
 */
#ifndef SANDBOX_CRM_CARDS_H
#define SANDBOX_CRM_CARDS_H

#include "buf.h"
#include "json.h"
#include "rate.h"
#include "table.h"

enum card_kind {
	CARD_CALL,
	CARD_USER,
	CARD_CUSTOMER,
	CARD_CHANGE, /* of a customer, in order */
	CARD_LEAD,
	CARD_REMINDER,
	CARD_NOTIFICATION,
	CARD_MODULE,
	CARD_WEBHOOK, /* that somebody registered: where the CRM reports to */
	CARD_LINE,
	CARD_CHOICE,  /* of a fixed list: sites, statuses, sources */
	CARD_TOKEN,   /* never shown */
	CARD_SETTING, /* one: what was declared of the office itself; never shown */
	CARD_KINDS,
};
const char *card_kind_name(enum card_kind kind); /* "calls", as in /_sandbox/crm/cards */

#define CARD_FIELDS	32
#define CARD_MAX_TEXT	16384 /* longer values are cut */
#define CARD_MAX_TOLD	100   /* the rest is only counted */
#define OFFICE_MAX_KIND 20000 /* cards of a kind */

struct popup {
	char user[48], extension[24]; /* either may be empty */
	int64_t shown_ms, hidden_ms;  /* hidden 0: still open */
	unsigned times;		      /* how often it was told to show */
	struct popup *next;
};

struct told {
	char what[32];
	int64_t at_ms;
};

struct card {
	enum card_kind kind;
	int64_t id, at_ms, changed_ms;
	unsigned entries; /* how often it was put into the journal, or told again as new */
	unsigned updates; /* later changes that were taken */
	struct {
		char name[24];
		char *value; /* owned */
		bool raw;    /* value is JSON that is no string */
	} fields[CARD_FIELDS];
	unsigned field_count;
	struct popup *popups, **last_popup; /* calls: in order of their first showing */
	struct told *told;		    /* calls: what was told, in order */
	unsigned told_count;		    /* may be more than told[] holds */
	struct card *next;
};

#define OFFICE_LIMITS 2

struct office {
	char *key; /* owned */
	int64_t number;
	bool declared, revoked;
	struct card *first[CARD_KINDS], **last[CARD_KINDS];
	size_t count[CARD_KINDS];
	int64_t last_id, last_change;
	struct table *index; /* of card_set_key() */
	struct rate_bucket buckets[OFFICE_LIMITS];
	struct rate_window windows[OFFICE_LIMITS];
	unsigned under_way[OFFICE_LIMITS];
	int64_t requests, refused, violations; /* violations: over a limit */
	struct office *next;
};

struct office *office_new(struct str key, int64_t number);
void office_free(struct office **office);

struct card *office_add(struct office *office, enum card_kind kind, int64_t at_ms);
/* The newest with this value; only of names that were set by card_set_key(). */
struct card *office_find(
	const struct office *office, enum card_kind kind, const char *name, struct str value);
/* By its text field "id", looked through. NULL. */
struct card *office_by_id(const struct office *office, enum card_kind kind, struct str id);
/* The only card of CARD_SETTING. */
struct card *office_settings(struct office *office);
void office_remove(struct office *office, struct card *card);

void card_set(struct card *card, const char *name, struct str value);
void card_set_raw(struct card *card, const char *name, struct str json);
void card_set_int(struct card *card, const char *name, int64_t value);
void card_set_key(struct office *office, struct card *card, const char *name, struct str value);
/* Only when it has none yet, or an empty one. True: it was set. */
bool card_fill(struct card *card, const char *name, struct str value);
struct str card_get(const struct card *card, const char *name);	   /* also of raw ones: the JSON */
struct json *card_json(const struct card *card, const char *name); /* the caller frees it; NULL */
bool card_has(const struct card *card, const char *name);
bool card_is(const struct card *card, const char *name, const char *value);

/* What was told of a call. */
void card_told(struct card *card, struct str what, int64_t at_ms);
void popup_show(struct card *card, struct str user, struct str extension, int64_t at_ms);
/* Those that fit; both empty: all. */
void popup_hide(struct card *card, struct str user, struct str extension, int64_t at_ms);
bool popup_is_open(const struct card *card);

/* Equal as telephones: by their last nine digits, or all of them when one has less. */
bool phones_equal(struct str a, struct str b);
/* Does the customer have this phone? */
bool customer_has_phone(const struct card *customer, struct str phone);
/* The first one with it, not deleted; `after`: the next behind that one. NULL. */
struct card *office_customer(
	const struct office *office, struct str phone, const struct card *after);

/* For qsort() of pointers to cards: by their last change, then by age. */
int card_by_change(const void *one, const void *other);

/* What an office is called where its key must not be seen: its declared name, or "#1". */
struct office_name {
	char text[64];
};
struct office_name office_name(const struct office *office);

/* Append as a JSON object. */
void card_write(const char *crm, const struct office *office, const struct card *card,
	struct json_writer *writer);

#endif
