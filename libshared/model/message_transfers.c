/*
 * message_transfers: by whose hands a call went: the chain of those of us who talked to the other side.
 *
 * A transfer that was refused, or that nobody answered, is no part of it: the other side never heard
 * of it. Where a transfer went to a number that only rings others (FollowMe, a department), the chain
 * names who answered.
 */
#include "message_values.h"

#include "message_grammar.h"
#include "message_texts.h"
#include "phone.h"

enum { CHAIN_MAX = CALL_MAX_TRANSFERS + 2, NAME_BYTES = 80 };

struct chain {
	const char *numbers[CHAIN_MAX];
	unsigned count;
};

static bool same(const char *a, const char *b)
{
	return str_equal(str_from(a), str_from(b));
}

static void chain_add(struct chain *chain, const char *number)
{
	if (number[0] == '\0' || chain->count == CHAIN_MAX)
		return;
	if (chain->count == 0 || !same(chain->numbers[chain->count - 1], number))
		chain->numbers[chain->count++] = number;
}

static bool has_talked(const struct call *call, const char *number)
{
	for (unsigned i = 0; i < call->talkers.count; i++) {
		if (same(call->talkers.items[i], number))
			return true;
	}
	return false;
}

/* Who took it: behind a FollowMe number it is another phone that was picked up. */
static const char *taker(const struct call_transfer *transfer)
{
	return transfer->taker[0] != '\0' ? transfer->taker : transfer->to;
}

/* The one who took it last, else the last whom we saw talking. */
static const char *last_talker(const struct call *call)
{
	for (unsigned i = call->transfer_count; i > 0; i--) {
		const struct call_transfer *transfer = &call->transfers[i - 1];
		if (transfer->result != TRANSFER_ACCEPTED)
			continue;
		if (has_talked(call, taker(transfer)))
			return taker(transfer);
		break;
	}
	return call->talkers.count > 0 ? call->talkers.items[call->talkers.count - 1] : "";
}

const char *message_talker(const struct call *call)
{
	const char *talker = "";
	if (call->state == CALL_TALKING)
		talker = call->talking;
	else if (call->state == CALL_ENDED || call->state == CALL_LOST)
		talker = last_talker(call);
	return talker[0] == '\0' && call->direction == CALL_OUTGOING ? call->caller : talker;
}

/* With the one who talks at its end: what came behind him is undone, and a number that nobody
 * talked on stands for him. */
static void chain_end(struct chain *chain, const char *talker)
{
	unsigned at = chain->count;
	if (talker[0] == '\0' || chain->count == 0)
		return;
	while (at > 0 && !same(chain->numbers[at - 1], talker))
		at--;
	if (at > 0)
		chain->count = at;
	else
		chain->numbers[chain->count - 1] = talker;
}

static struct chain chain_of(const struct call *call)
{
	struct chain chain = {.count = 0};
	for (unsigned i = 0; i < call->transfer_count; i++) {
		if (call->transfers[i].result != TRANSFER_ACCEPTED)
			continue;
		chain_add(&chain, call->transfers[i].from);
		chain_add(&chain, taker(&call->transfers[i]));
	}
	if (chain.count == 0) {
		for (unsigned i = 0; i < call->talkers.count; i++)
			chain_add(&chain, call->talkers.items[i]);
	}
	chain_end(&chain, message_talker(call));
	return chain;
}

/* A surname alone: the chain stands on one line. */
static void add_name(const struct tenant *tenant, const char *number, bool genitive, struct buf *to)
{
	char name[NAME_BYTES], spelled[PHONE_TEXT_BYTES];
	struct buf bent;
	tenant_manager_surname(tenant, number, name, sizeof(name));
	if (name[0] == '\0' && number_is_machine(str_from(number))) {
		message_add_datum(to, tenant_machine_name(tenant, number, genitive));
		return;
	}
	if (name[0] == '\0') {
		phone_format(str_from(number), spelled);
		message_add_datum(to, spelled);
		return;
	}
	buf_init(&bent, sizeof(name) + 16);
	if (genitive)
		grammar_add_genitive_ru(str_from(name), &bent);
	else
		buf_add(&bent, str_from(name));
	message_add_datum(to, bent.data);
	buf_free(&bent);
}

static void add_from(const struct message_view *view, const char *number, struct buf *to)
{
	const struct tenant *tenant = view->tenant;
	buf_printf(to, "%s ", message_text(tenant->locale, TEXT_TRANSFERRED_FROM));
	add_name(tenant, number, !str_equal(str_from(tenant->locale), STR("en")), to);
}

static void add_whole_chain(
	const struct message_view *view, const struct chain *chain, struct buf *to)
{
	grammar_add_transfers(view->tenant->locale, chain->count - 1, to);
	for (unsigned i = 0; i < chain->count; i++) {
		buf_add(to, i == 0 ? STR(": ") : STR("→"));
		add_name(view->tenant, chain->numbers[i], false, to);
	}
}

void message_add_transfers(const struct message_view *view, struct buf *to)
{
	const struct call *call = view->call;
	const struct chain chain = chain_of(call);
	bool talking = call->state == CALL_TALKING;
	if (chain.count < 2 || call->state == CALL_GREETING || call->state == CALL_RINGING)
		return;
	buf_add_char(to, talking ? '(' : '[');
	if (talking || chain.count == 2)
		add_from(view, chain.numbers[chain.count - 2], to);
	else
		add_whole_chain(view, &chain, to);
	buf_add_char(to, talking ? ')' : ']');
}
