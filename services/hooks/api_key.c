/*
 * api_key: whose key a request of /api shows. PostgreSQL has digests only, so a look at it gives no key
 * away; that it was used is noted once a minute.
 */
#include "api_key.h"

#include "crypto.h"
#include "hooks.h"

enum { KEY_MAX_BYTES = 200, KEY_DEADLINE_MS = 5000 };

static const char sql_key[] =
	"WITH found AS (SELECT k.id, k.enterprise_number, k.used_at FROM api_keys k"
	" JOIN enterprises e ON e.number = k.enterprise_number AND e.active"
	" WHERE k.digest = decode($1, 'hex')),"
	" used AS (UPDATE api_keys SET used_at = now() WHERE id IN (SELECT id FROM found"
	" WHERE used_at IS NULL OR used_at < now() - interval '1 minute'))"
	" SELECT enterprise_number FROM found";

struct key_state {
	struct api_key *key;
	struct flow *owner; /* the key's texts are in its arena */
	char digest[2 * CRYPTO_SHA256_BYTES + 1];
	struct pg_batch *batch;
	bool read;
};

static struct str shown_key(struct flow *flow)
{
	struct str header = http_request_header(flow, "Authorization");
	struct str scheme = str_cut(&header, ' ');

	if (str_equal_nocase(scheme, STR("Bearer")))
		return str_trim(header);
	return str_trim(http_request_header(flow, "X-Api-Key"));
}

static enum flow_status key_ask(struct flow *flow)
{
	const struct hooks *hooks = flow_context(flow);
	struct key_state *state = flow_state(flow);
	struct pg_params params = {0};

	if (schema_why_not(hooks->schema) != NULL)
		return flow_fail(flow, ERROR_BUSY, "%s", schema_why_not(hooks->schema));
	pg_put_text(&params, state->digest);
	return await_pg_query(flow, hooks->pg, &state->batch, sql_key, &params);
}

static enum flow_status key_read(struct flow *flow)
{
	struct key_state *state = flow_state(flow);
	struct error error;
	struct str found;

	if (!pg_batch_ok(state->batch, &error))
		return flow_fail(flow, ERROR_BUSY, "keys cannot be looked up now");
	state->read = true;
	found = pg_text(state->batch, 0, 0, 0);
	if (pg_rows(state->batch, 0) == 0)
		error_set(&state->key->error, ERROR_AUTH, "API key: not known");
	else
		state->key->enterprise =
			arena_strndup(flow_arena(state->owner), found.data, found.size);
	return FLOW_END;
}

static void key_finally(struct flow *flow)
{
	struct key_state *state = flow_state(flow);

	if (!state->read)
		error_set(&state->key->error, ERROR_BUSY, "keys cannot be looked up now");
}

static const struct flow_step key_steps[] = {
	{"ask", key_ask},
	{"read", key_read},
	{NULL, NULL},
};

static const struct flow_spec key_flow = {
	.name = "api_key",
	.steps = key_steps,
	.finally = key_finally,
	.state_bytes = sizeof(struct key_state),
	.deadline_ms = KEY_DEADLINE_MS,
};

enum flow_status await_api_key(struct flow *flow, struct api_key *key)
{
	struct str shown = shown_key(flow);
	unsigned char digest[CRYPTO_SHA256_BYTES];
	struct key_state *state;

	*key = (struct api_key){.enterprise = NULL};
	if (shown.size == 0 || shown.size > KEY_MAX_BYTES) {
		error_set(&key->error, ERROR_AUTH, "API key: missing");
		return FLOW_NEXT;
	}
	state = flow_state(flow_spawn(flow, &key_flow));
	state->key = key;
	state->owner = flow;
	crypto_sha256(shown, digest);
	crypto_hex(digest, sizeof(digest), state->digest);
	return await_children(flow);
}
