/*
 * pay_tranzila: Tranzila's payment page and its API for transactions, as far as hooks uses them.
 *
 * POST /_sandbox/tranzila/terminals {"terminal", "app_key", "secret"} makes a terminal known. GET
 * /<terminal>/iframenew.php checks what a page is asked with; POST /_sandbox/tranzila/pay {"terminal",
 * "sum", "currency", "code"} is a card that pays it, and gives the transaction's index.
 */
#include "small.h"

#include "alloc.h"
#include "crypto.h"
#include "http_server.h"

#include <stdio.h>
#include <stdlib.h>

#define MAX_TERMINALS	 16
#define MAX_TRANSACTIONS 256
#define MAX_AGE_MS	 ((int64_t)5 * 60 * 1000)
#define NONCE_CHARACTERS 40

struct terminal {
	char name[48], app_key[96], secret[96];
};

struct transaction {
	int64_t index;
	char terminal[48], sum[24], code[16];
};

struct tranzila {
	struct terminal terminals[MAX_TERMINALS];
	struct transaction transactions[MAX_TRANSACTIONS];
	unsigned terminal_count, made;
};

static bool owns(struct str path)
{
	return str_ends(path, STR("/iframenew.php")) || str_equal(path, STR("/v1/transactions")) ||
	       str_starts(path, STR("/_sandbox/tranzila/"));
}

static void *start(struct sandbox *sandbox)
{
	return alloc_zeroed(1, sizeof(struct tranzila));
}

static void reset(void *state)
{
	*(struct tranzila *)state = (struct tranzila){.made = 0};
}

static struct terminal *find(struct tranzila *tranzila, struct str name)
{
	for (unsigned i = 0; i < tranzila->terminal_count; i++) {
		if (str_equal(str_from(tranzila->terminals[i].name), name))
			return &tranzila->terminals[i];
	}
	return NULL;
}

static void declare(struct tranzila *tranzila, struct outside_call *call)
{
	struct terminal *terminal = find(tranzila, args_get(&call->args, "terminal"));

	if (terminal == NULL && tranzila->terminal_count < MAX_TERMINALS)
		terminal = &tranzila->terminals[tranzila->terminal_count++];
	if (terminal == NULL) {
		small_refuse(call, 400, "error", "too many terminals");
		return;
	}
	(void)str_copy(terminal->name, sizeof(terminal->name), args_get(&call->args, "terminal"));
	(void)str_copy(
		terminal->app_key, sizeof(terminal->app_key), args_get(&call->args, "app_key"));
	(void)str_copy(terminal->secret, sizeof(terminal->secret), args_get(&call->args, "secret"));
	small_refuse(call, 200, "terminal", terminal->name);
}

static void pay(struct tranzila *tranzila, struct outside_call *call)
{
	struct transaction *made = &tranzila->transactions[tranzila->made++ % MAX_TRANSACTIONS];
	struct str code = args_get(&call->args, "code");
	struct json_writer json;

	*made = (struct transaction){.index = 41700 + tranzila->made};
	(void)str_copy(made->terminal, sizeof(made->terminal), args_get(&call->args, "terminal"));
	(void)str_copy(made->sum, sizeof(made->sum), args_get(&call->args, "sum"));
	(void)str_copy(made->code, sizeof(made->code), code.size > 0 ? code : STR("000"));
	small_begin(call, 200, &json);
	json_put_member_int(&json, "index", made->index);
	small_end(&json);
}

/* -- the page --------------------------------------------------------------------------------------- */

static void show_page(struct tranzila *tranzila, struct outside_call *call)
{
	static const char *const asked[] = {
		"sum", "currency", "success_url_address", "fail_url_address", "notify_url_address"};
	struct str name = small_between(call->path, "/", "/iframenew.php");

	if (find(tranzila, name) == NULL) {
		small_refuse(call, 404, "error", "no such terminal");
		return;
	}
	for (size_t i = 0; i < sizeof(asked) / sizeof(asked[0]); i++) {
		if (args_get(&call->args, asked[i]).size == 0) {
			small_refuse(call, 400, "missing", asked[i]);
			return;
		}
	}
	small_refuse(call, 200, "page", "a card is asked for here");
}

/* -- transactions ----------------------------------------------------------------------------------- */

static bool is_signed(const struct outside_call *call, const struct terminal *terminal)
{
	struct str time = http_request_header(call->flow, "X-tranzila-api-request-time");
	struct str nonce = http_request_header(call->flow, "X-tranzila-api-nonce");
	unsigned char digest[CRYPTO_SHA256_BYTES];
	char token[2 * CRYPTO_SHA256_BYTES + 1];
	int64_t at_ms = 0;

	if (!str_to_int64(time, &at_ms) || llabs(call->at_ms - at_ms) > MAX_AGE_MS ||
		nonce.size != NONCE_CHARACTERS ||
		!str_equal(http_request_header(call->flow, "X-tranzila-api-app-key"),
			str_from(terminal->app_key)))
		return false;
	crypto_hmac_sha256(str_from(arena_printf(call->arena, "%s%.*s%.*s", terminal->secret,
				   STR_ARG(time), STR_ARG(nonce))),
		str_from(terminal->app_key), digest);
	crypto_hex(digest, sizeof(digest), token);
	return str_equal(
		http_request_header(call->flow, "X-tranzila-api-access-token"), str_from(token));
}

static void say_transactions(
	struct outside_call *call, const struct tranzila *tranzila, const char *terminal)
{
	int64_t index = 0;
	struct json_writer json;

	(void)args_int(&call->args, "transaction_index", &index);
	small_begin(call, 200, &json);
	json_put_member_int(&json, "error_code", 0);
	json_put_name(&json, "transactions");
	json_open_array(&json);
	for (unsigned i = 0; i < MAX_TRANSACTIONS; i++) {
		const struct transaction *one = &tranzila->transactions[i];

		if (one->index != index || index == 0 || strcmp(one->terminal, terminal) != 0)
			continue;
		json_open_object(&json);
		json_put_member_int(&json, "index", one->index);
		json_put_member_raw(&json, "amount", str_from(one->sum));
		json_put_member_str(&json, "processor_response_code", str_from(one->code));
		json_close_object(&json);
	}
	json_close_array(&json);
	small_end(&json);
}

static void report(struct tranzila *tranzila, struct outside_call *call)
{
	const struct terminal *terminal = find(tranzila, args_get(&call->args, "terminal_name"));

	if (terminal == NULL || !is_signed(call, terminal))
		small_refuse(call, 401, "message", "Unauthorized");
	else
		say_transactions(call, tranzila, terminal->name);
}

/* -- the service ------------------------------------------------------------------------------------ */

static void act(void *state, struct outside_call *call)
{
	if (str_equal(call->path, STR("/_sandbox/tranzila/terminals")))
		declare(state, call);
	else if (str_equal(call->path, STR("/_sandbox/tranzila/pay")))
		pay(state, call);
	else if (str_equal(call->path, STR("/v1/transactions")))
		report(state, call);
	else
		show_page(state, call);
}

static void refuse_fault(
	struct outside_call *call, int status, int64_t retry_after_s, struct str words)
{
	call->retry_after_s = retry_after_s;
	small_refuse(call, status, "message", words.size > 0 ? words.data : "error");
}

static void stats(void *state, struct buf *to)
{
	buf_printf(to, "{\"transactions\":%u}", ((const struct tranzila *)state)->made);
}

const struct outside_service tranzila_service = {
	.name = "tranzila",
	.owns = owns,
	.start = start,
	.stop = free,
	.reset = reset,
	.read = small_read,
	.act = act,
	.refuse = refuse_fault,
	.stats = stats,
};
