/*
 * pbx: stands in for the control API of enterprises' PBXs: checks the signature, remembers commands,
 * does each once.
 */
#include "pbx.h"

#include "alloc.h"
#include "crypto.h"
#include "json_put.h"
#include "sandbox.h"
#include "table.h"

#include <stdlib.h>

#define COMMANDS_MAX 5000
#define CLOCK_SKEW_S 300

struct pbx {
	char *secret, *reason;
};

struct command {
	char *id, *number, *json; /* owned; json: as it came */
	char *reply;		  /* owned; to the first time, and to each repetition */
	int64_t at_ms, times;
	struct command *next;
};

struct pbxs {
	struct table *by_number;
	struct command *first, **last; /* oldest first */
	size_t count;
};

static void *start(struct sandbox *sandbox)
{
	struct pbxs *pbxs = alloc_zeroed(1, sizeof(*pbxs));

	(void)sandbox;
	pbxs->by_number = table_new();
	pbxs->last = &pbxs->first;
	return pbxs;
}

static void drop_oldest(struct pbxs *pbxs)
{
	struct command *command = pbxs->first;

	pbxs->first = command->next;
	if (pbxs->first == NULL)
		pbxs->last = &pbxs->first;
	pbxs->count--;
	free(command->id);
	free(command->number);
	free(command->json);
	free(command->reply);
	free(command);
}

static void pbx_free(struct pbx *pbx)
{
	free(pbx->secret);
	free(pbx->reason);
	free(pbx);
}

static void reset(void *state)
{
	struct pbxs *pbxs = state;
	struct str key;
	size_t at = 0;
	void *value;

	while (pbxs->first != NULL)
		drop_oldest(pbxs);
	while (table_next(pbxs->by_number, &at, &key, &value)) {
		table_remove(pbxs->by_number, key);
		pbx_free(value);
	}
}

static void stop(void *state)
{
	struct pbxs *pbxs = state;

	reset(state);
	table_free(&pbxs->by_number);
	free(pbxs);
}

void pbx_declare(void *state, struct str number, struct str secret, struct str reason)
{
	struct pbxs *pbxs = state;
	struct pbx *pbx = alloc_zeroed(1, sizeof(*pbx));
	struct pbx *old;

	pbx->secret = alloc_text(secret);
	pbx->reason = alloc_text(reason);
	old = table_put(pbxs->by_number, number, pbx);
	if (old != NULL)
		pbx_free(old);
}

/* http://127.0.0.1:8099/pbx/<number>/control */
static bool owns(struct str path)
{
	return str_starts(path, STR("/pbx/")) && str_ends(path, STR("/control"));
}

static struct str number_of(const struct outside_call *call)
{
	struct str rest = str_of(call->path.data + 5, call->path.size - 5);

	return str_cut(&rest, '/');
}

static void read_call(void *state, struct outside_call *call)
{
	struct args_source source = {call->query, call->content_type, call->body};

	(void)state;
	call->method = STR("control");
	call->shown_path = call->path;
	call->args_error.kind = ERROR_NONE;
	args_read(&call->args, &source, call->arena, &call->args_error);
}

static void reply(struct outside_call *call, int status, const char *result, struct str reason)
{
	struct json_writer writer;

	call->status = status;
	buf_clear(&call->reply);
	json_begin(&writer, &call->reply);
	json_open_object(&writer);
	json_put_member_str(&writer, "result", str_from(result));
	if (reason.size > 0)
		json_put_member_str(&writer, "reason", reason);
	json_close_object(&writer);
}

static void refuse(struct outside_call *call, int status, int64_t retry_after_s, struct str words)
{
	call->retry_after_s = retry_after_s;
	reply(call, status, "error", words.size > 0 ? words : STR("out of order"));
}

/* HMAC-SHA256 over "<timestamp>.<body>", as hex; a timestamp of long ago is a replay. */
static bool is_genuine(const struct outside_call *call, const struct pbx *pbx)
{
	struct str timestamp = http_request_header(call->flow, "X-Callweave-Timestamp");
	struct str signature = http_request_header(call->flow, "X-Callweave-Signature");
	unsigned char digest[CRYPTO_SHA256_BYTES];
	char hex[2 * CRYPTO_SHA256_BYTES + 1];
	struct buf text;
	int64_t then_s;

	if (!str_to_int64(timestamp, &then_s) || llabs(call->at_ms / 1000 - then_s) > CLOCK_SKEW_S)
		return false;
	buf_init(&text, call->body.size + 64);
	buf_printf(&text, "%.*s.", STR_ARG(timestamp));
	buf_add(&text, call->body);
	crypto_hmac_sha256(str_from(pbx->secret), buf_str(&text), digest);
	buf_free(&text);
	crypto_hex(digest, sizeof(digest), hex);
	return str_equal_secret(signature, str_from(hex));
}

static bool is_complete(const struct outside_call *call)
{
	static const char *const names[] = {
		"id", "action", "enterprise", "call", "phone", "target", "external"};
	struct str key = http_request_header(call->flow, "Idempotency-Key");

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (!args_has(&call->args, names[i]))
			return false;
	}
	return call->args_error.kind == ERROR_NONE && str_equal(key, args_get(&call->args, "id"));
}

static struct command *find(const struct pbxs *pbxs, struct str id)
{
	for (struct command *at = pbxs->first; at != NULL; at = at->next) {
		if (str_equal(str_from(at->id), id))
			return at;
	}
	return NULL;
}

static void keep(struct pbxs *pbxs, const struct outside_call *call)
{
	struct command *command = alloc_zeroed(1, sizeof(*command));

	command->id = alloc_text(args_get(&call->args, "id"));
	command->number = alloc_text(number_of(call));
	command->json = alloc_text(call->body);
	command->reply = alloc_text(buf_str(&call->reply));
	command->at_ms = call->at_ms;
	command->times = 1;
	*pbxs->last = command;
	pbxs->last = &command->next;
	if (++pbxs->count > COMMANDS_MAX)
		drop_oldest(pbxs);
}

static void act(void *state, struct outside_call *call)
{
	struct pbxs *pbxs = state;
	const struct pbx *pbx = table_get(pbxs->by_number, number_of(call));
	struct command *known;

	if (pbx == NULL) {
		reply(call, 404, "error", STR("no such PBX"));
	} else if (!is_genuine(call, pbx)) {
		reply(call, 401, "error", STR("the signature is wrong"));
	} else if (!is_complete(call)) {
		reply(call, 422, "error", STR("a member or the Idempotency-Key is missing"));
	} else if ((known = find(pbxs, args_get(&call->args, "id"))) != NULL) {
		known->times++;
		call->status = 200;
		buf_clear(&call->reply);
		buf_add(&call->reply, str_from(known->reply));
	} else {
		reply(call, 200, pbx->reason[0] != '\0' ? "refused" : "done",
			str_from(pbx->reason));
		keep(pbxs, call);
	}
}

void pbx_write_commands(const void *state, struct str number, struct buf *to)
{
	const struct pbxs *pbxs = state;
	bool any = false;

	buf_add_char(to, '[');
	for (const struct command *at = pbxs->first; at != NULL; at = at->next) {
		if (number.size > 0 && !str_equal(number, str_from(at->number)))
			continue;
		buf_printf(to, "%s{\"at_ms\":%lld,\"times\":%lld,\"command\":%s,\"reply\":%s}",
			any ? "," : "", (long long)at->at_ms, (long long)at->times, at->json,
			at->reply);
		any = true;
	}
	buf_add_char(to, ']');
}

static void write_stats(void *state, struct buf *to)
{
	const struct pbxs *pbxs = state;

	buf_printf(to, "{\"commands\":%zu}", pbxs->count);
}

const struct outside_service pbx_service = {
	.name = "pbx",
	.owns = owns,
	.start = start,
	.stop = stop,
	.reset = reset,
	.read = read_call,
	.act = act,
	.refuse = refuse,
	.stats = write_stats,
};
