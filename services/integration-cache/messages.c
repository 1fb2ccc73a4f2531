/*
 * messages: ids of Telegram messages by caller and chat: in Redis for all instances, and in memory for
 * the time that Redis is away. One hash a caller and chat: fields start, bridge, dial:<id>, so that two
 * instances that add at the same time both do.
 */
#include "answer.h"
#include "args.h"
#include "message_store.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#define REDIS_TIMEOUT_MS 100
#define KEY_BYTES	 128
#define REDIS_PREFIX	 "callweave:messages:"
#define DIAL_PREFIX	 "dial:"
#define MAX_FIELDS	 (REDIS_MAX_WORDS - 2)

struct message_request {
	struct str phone, event_type;
	int64_t chat_id, message_id;
};

struct messages {
	struct message_request request;
	enum message_event event;
	char key[KEY_BYTES];	  /* "<phone>:<chat>" */
	struct redis_reply reply; /* of HGETALL */
	struct message_set set;
	bool found;
};

enum { MESSAGES_BEGIN, MESSAGES_END };

/* -- Redis ---------------------------------------------------------------------------------------- */

static struct str redis_key(struct flow *flow)
{
	const struct messages *messages = flow_state(flow);

	return str_from(arena_printf(flow_arena(flow), REDIS_PREFIX "%s", messages->key));
}

static enum flow_status read_redis(struct flow *flow)
{
	const struct integration_cache *cache = flow_context(flow);
	struct messages *messages = flow_state(flow);
	const struct str words[] = {STR("HGETALL"), redis_key(flow)};
	const struct redis_command command = {words, 2, REDIS_TIMEOUT_MS};

	if (cache->redis == NULL)
		return FLOW_NEXT;
	return await_redis(flow, cache->redis, &command, &messages->reply);
}

struct dial {
	int64_t id, at_ms;
};

static int by_time(const void *a, const void *b)
{
	const struct dial *one = a, *other = b;

	return (one->at_ms > other->at_ms) - (one->at_ms < other->at_ms);
}

/* Fields and values in turn. */
static void take_reply(struct flow *flow, const struct redis_reply *reply, struct message_set *set)
{
	struct dial *dials = arena_array(flow_arena(flow), reply->count / 2 + 1, sizeof(*dials));
	struct str prefix = STR(DIAL_PREFIX);
	unsigned count = 0;

	for (unsigned i = 0; i + 1 < reply->count; i += 2) {
		struct str field = reply->items[i];
		int64_t value = 0, id = 0;

		if (!str_to_int64(reply->items[i + 1], &value))
			continue;
		if (str_starts(field, prefix) &&
			str_to_int64(
				str_of(field.data + prefix.size, field.size - prefix.size), &id))
			dials[count++] = (struct dial){id, value};
		else if (str_equal(field, STR("start")))
			set->start = value;
		else if (str_equal(field, STR("bridge")))
			set->bridge = value;
	}
	qsort(dials, count, sizeof(*dials), by_time);
	for (unsigned i = 0; i < count; i++)
		message_set_put(set, MESSAGE_DIAL, dials[i].id);
}

/* Redis knows what all instances did; memory, what this one did while Redis was away. */
static void gather(struct flow *flow)
{
	const struct integration_cache *cache = flow_context(flow);
	struct messages *messages = flow_state(flow);
	const struct message_set *own = message_store_get(
		cache->messages, str_from(messages->key), loop_now_ms(cache->loop));

	if (messages->reply.ok && messages->reply.count > 1)
		take_reply(flow, &messages->reply, &messages->set);
	else if (own != NULL)
		messages->set = *own;
	messages->found = !message_set_empty(&messages->set);
}

static const char *field_name(struct flow *flow, enum message_event event, int64_t id)
{
	if (event != MESSAGE_DIAL)
		return message_event_name(event);
	return arena_printf(flow_arena(flow), DIAL_PREFIX "%" PRId64, id);
}

/* -- POST /telegram/message ----------------------------------------------------------------------- */

static const struct json_field request_fields[] = {
	JSON_FIELD(struct message_request, phone, JSON_STRING, JSON_REQUIRED),
	JSON_FIELD(struct message_request, chat_id, JSON_INT64, JSON_REQUIRED),
	JSON_FIELD(struct message_request, event_type, JSON_STRING, JSON_REQUIRED),
	JSON_FIELD(struct message_request, message_id, JSON_INT64, JSON_REQUIRED),
	{0},
};

static bool set_key(struct messages *messages)
{
	int size = snprintf(messages->key, sizeof(messages->key), "%.*s:%" PRId64,
		STR_ARG(messages->request.phone), messages->request.chat_id);

	return messages->request.phone.size > 0 && size > 0 && (size_t)size < KEY_BYTES;
}

static bool read_request(struct flow *flow, struct messages *messages, struct error *error)
{
	const struct json_limits limits = {16 << 10, 4};
	struct json *json = json_parse(http_request(flow)->body, limits, error);
	bool good;

	if (json == NULL)
		return false;
	good = json_kind(json) == JSON_OBJECT ? json_read(json, request_fields, &messages->request,
							flow_arena(flow), error)
					      : error_set(error, ERROR_INPUT, "not an object");
	json_free(&json);
	if (!good)
		return false;
	if (!message_event_read(messages->request.event_type, &messages->event))
		return error_set(error, ERROR_INPUT, "event_type: not start, dial or bridge");
	if (messages->request.message_id <= 0)
		return error_set(error, ERROR_INPUT, "message_id: not above zero");
	return set_key(messages) || error_set(error, ERROR_INPUT, "phone: empty or too long");
}

static void tell_put(struct flow *flow)
{
	const struct integration_cache *cache = flow_context(flow);
	const struct messages *messages = flow_state(flow);
	int64_t id = messages->request.message_id;
	int64_t value = messages->event == MESSAGE_DIAL ? clock_wall_ms() : id;
	struct str key = redis_key(flow);
	/* One that is there keeps its place. */
	const struct str put[] = {messages->event == MESSAGE_DIAL ? STR("HSETNX") : STR("HSET"),
		key, str_from(field_name(flow, messages->event, id)),
		str_from(arena_printf(flow_arena(flow), "%" PRId64, value))};
	const struct str expire[] = {STR("PEXPIRE"), key,
		str_from(arena_printf(flow_arena(flow), "%d", MESSAGES_TTL_MS))};

	if (cache->redis == NULL)
		return;
	(void)redis_tell(cache->redis, put, 4);
	(void)redis_tell(cache->redis, expire, 3);
}

static enum flow_status put_begin(struct flow *flow)
{
	const struct integration_cache *cache = flow_context(flow);
	struct messages *messages = flow_state(flow);
	struct error error;

	if (!read_request(flow, messages, &error))
		return answer_invalid(flow, "body", NULL, error.text);
	message_set_put(message_store_make(
				cache->messages, str_from(messages->key), loop_now_ms(cache->loop)),
		messages->event, messages->request.message_id);
	tell_put(flow);
	return read_redis(flow);
}

/* Dials that are more than a set holds go from Redis, too. */
static void trim(struct flow *flow, const struct message_set *set, const struct redis_reply *reply)
{
	const struct integration_cache *cache = flow_context(flow);
	struct str words[REDIS_MAX_WORDS] = {STR("HDEL"), redis_key(flow)};
	struct str prefix = STR(DIAL_PREFIX);
	unsigned count = 2;

	for (unsigned i = 0; i + 1 < reply->count && count < REDIS_MAX_WORDS; i += 2) {
		struct str field = reply->items[i];
		bool kept = !str_starts(field, prefix);

		for (unsigned k = 0; !kept && k < set->dial_count; k++)
			kept = str_equal(
				field, str_from(field_name(flow, MESSAGE_DIAL, set->dials[k])));
		if (!kept)
			words[count++] = field;
	}
	if (count > 2)
		(void)redis_tell(cache->redis, words, count);
}

static enum flow_status put_answer(struct flow *flow)
{
	struct messages *messages = flow_state(flow);
	struct answer answer;

	gather(flow);
	if (messages->reply.ok && messages->set.dial_count == MESSAGES_MAX_DIALS)
		trim(flow, &messages->set, &messages->reply);
	answer_begin_object(&answer);
	json_put_member_str(&answer.json, "status", STR("ok"));
	json_put_member_str(&answer.json, "cache_key", str_from(messages->key));
	json_put_member_str(&answer.json, "event_type", messages->request.event_type);
	json_put_member_int(&answer.json, "message_id", messages->request.message_id);
	return answer_send_object(flow, 200, &answer);
}

/* -- GET, DELETE /telegram/messages/{phone}/{chat} ------------------------------------------------ */

static enum flow_status look_begin(struct flow *flow)
{
	struct messages *messages = flow_state(flow);
	struct path_parts path = answer_path(flow);

	if (path.count != 2)
		return answer_no_such_path(flow);
	messages->request.phone = path.items[0];
	if (!str_to_int64(path.items[1], &messages->request.chat_id))
		return answer_invalid(flow, "path", "chat_id", "value is not a valid integer");
	if (!set_key(messages))
		return answer_invalid(flow, "path", "phone", "empty or too long");
	return read_redis(flow);
}

static enum flow_status answer_none(struct flow *flow)
{
	const struct messages *messages = flow_state(flow);
	struct answer answer;

	answer_begin_object(&answer);
	json_put_member_str(&answer.json, "error", STR("No messages found"));
	json_put_member_str(&answer.json, "cache_key", str_from(messages->key));
	return answer_send_object(flow, 404, &answer);
}

static void put_id(struct json_writer *json, const char *name, int64_t id)
{
	json_put_name(json, name);
	if (id != 0)
		json_put_int(json, id);
	else
		json_put_null(json);
}

static void put_dials(struct json_writer *json, const struct message_set *set)
{
	json_put_name(json, message_event_name(MESSAGE_DIAL));
	json_open_array(json);
	for (unsigned i = 0; i < set->dial_count; i++)
		json_put_int(json, set->dials[i]);
	json_close_array(json);
}

static enum flow_status get_answer(struct flow *flow)
{
	const struct messages *messages = flow_state(flow);
	struct answer answer;

	gather(flow);
	if (!messages->found)
		return answer_none(flow);
	answer_begin_object(&answer);
	json_put_member_str(&answer.json, "cache_key", str_from(messages->key));
	json_put_name(&answer.json, "messages");
	json_open_object(&answer.json);
	put_id(&answer.json, "start", messages->set.start);
	put_dials(&answer.json, &messages->set);
	put_id(&answer.json, "bridge", messages->set.bridge);
	json_close_object(&answer.json);
	return answer_send_object(flow, 200, &answer);
}

/* Bits of enum message_event: those named by event_types=..., repeated; none named: all. */
static bool read_wanted(struct flow *flow, unsigned *wanted)
{
	struct str query = http_request(flow)->query;
	struct args args = {.count = 0};
	const struct args_source source = {.query = query};
	struct error ignored;

	*wanted = 0;
	if (query.size > 0 && !args_read(&args, &source, flow_arena(flow), &ignored))
		return false;
	for (size_t i = 0; i < args.count; i++) {
		enum message_event event;

		if (!str_equal(args.items[i].name, STR("event_types")))
			continue;
		if (!message_event_read(args.items[i].value, &event))
			return false;
		*wanted |= 1u << event;
	}
	return true;
}

static void tell_delete(struct flow *flow, unsigned wanted)
{
	const struct integration_cache *cache = flow_context(flow);
	const struct messages *messages = flow_state(flow);
	struct str words[REDIS_MAX_WORDS] = {STR("HDEL"), redis_key(flow)};
	unsigned count = 2;

	for (unsigned i = 0; i < MESSAGE_EVENTS; i++) {
		if (i != MESSAGE_DIAL && (wanted & (1u << i)) != 0)
			words[count++] = str_from(message_event_name((enum message_event)i));
	}
	for (unsigned i = 0; (wanted & (1u << MESSAGE_DIAL)) != 0 && i < messages->set.dial_count;
		i++)
		words[count++] = str_from(field_name(flow, MESSAGE_DIAL, messages->set.dials[i]));
	if (cache->redis != NULL)
		(void)redis_tell(cache->redis, words, count);
}

static void forget_own(struct flow *flow, unsigned wanted)
{
	const struct integration_cache *cache = flow_context(flow);
	const struct messages *messages = flow_state(flow);
	struct str key = str_from(messages->key);
	struct message_set *own = message_store_get(cache->messages, key, loop_now_ms(cache->loop));

	for (unsigned i = 0; own != NULL && i < MESSAGE_EVENTS; i++) {
		if ((wanted & (1u << i)) != 0)
			message_set_drop(own, (enum message_event)i);
	}
	if (own != NULL && message_set_empty(own))
		message_store_remove(cache->messages, key);
}

static void put_deleted(struct json_writer *json, const struct message_set *set, unsigned wanted)
{
	json_put_name(json, "deleted_types");
	json_open_array(json);
	for (unsigned i = 0; i < MESSAGE_EVENTS; i++) {
		bool has = i == MESSAGE_START
				   ? set->start != 0
				   : (i == MESSAGE_DIAL ? set->dial_count > 0 : set->bridge != 0);

		if (has && (wanted & (1u << i)) != 0)
			json_put_str(json, str_from(message_event_name((enum message_event)i)));
	}
	json_close_array(json);
}

static void put_deleted_id(struct json_writer *json, const char *name, int64_t id)
{
	if (id == 0)
		return;
	json_put_name(json, name);
	json_open_array(json);
	json_put_int(json, id);
	json_close_array(json);
}

static enum flow_status delete_answer(struct flow *flow)
{
	struct messages *messages = flow_state(flow);
	const struct message_set *set = &messages->set;
	struct answer answer;
	unsigned named, wanted;

	gather(flow);
	if (!read_wanted(flow, &named))
		return answer_invalid(flow, "query", "event_types", "not start, dial or bridge");
	wanted = named != 0 ? named : (1u << MESSAGE_EVENTS) - 1;
	if (!messages->found)
		return answer_none(flow);
	tell_delete(flow, wanted);
	forget_own(flow, wanted);
	answer_begin_object(&answer);
	json_put_member_str(
		&answer.json, "status", named != 0 ? STR("deleted") : STR("deleted_all"));
	json_put_member_str(&answer.json, "cache_key", str_from(messages->key));
	put_deleted(&answer.json, set, wanted);
	json_put_name(&answer.json, "deleted_messages");
	json_open_object(&answer.json);
	if ((wanted & (1u << MESSAGE_START)) != 0)
		put_deleted_id(&answer.json, "start", set->start);
	if ((wanted & (1u << MESSAGE_DIAL)) != 0 && set->dial_count > 0)
		put_dials(&answer.json, set);
	if ((wanted & (1u << MESSAGE_BRIDGE)) != 0)
		put_deleted_id(&answer.json, "bridge", set->bridge);
	json_close_object(&answer.json);
	return answer_send_object(flow, 200, &answer);
}

/* -- the routes ----------------------------------------------------------------------------------- */

#define MESSAGES_FLOW(words, table)                                                                \
	{                                                                                          \
		.name = (words), .steps = (table), .state_bytes = sizeof(struct messages),         \
		.deadline_ms = 10000                                                               \
	}

static const struct flow_step put_steps[] = {
	{"begin", put_begin}, {"answer", put_answer}, {NULL, NULL}};
const struct flow_spec message_put_flow = MESSAGES_FLOW("message-put", put_steps);

static const struct flow_step get_steps[] = {
	{"begin", look_begin}, {"answer", get_answer}, {NULL, NULL}};
const struct flow_spec message_get_flow = MESSAGES_FLOW("message-get", get_steps);

static const struct flow_step delete_steps[] = {
	{"begin", look_begin}, {"answer", delete_answer}, {NULL, NULL}};
const struct flow_spec message_delete_flow = MESSAGES_FLOW("message-delete", delete_steps);
