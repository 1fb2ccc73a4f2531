/*
 * api_log: two endpoints of the old emulator's pages: they mirror their steps into its log, and
 * echo an event.
 */
#include "emulator.h"

#include "clock.h"
#include "crypto.h"

/* One shape for three kinds of records, as the old pages send it; which members matter depends
 * on `type`. */
struct log_input {
	struct str type, event_type, url, error;
	const struct json *data, *response_data;
	int64_t status;
};

static const struct json_field log_fields[] = {
	JSON_FIELD(struct log_input, type, JSON_STRING, JSON_REQUIRED),
	JSON_FIELD(struct log_input, event_type, JSON_STRING, 0),
	JSON_FIELD(struct log_input, url, JSON_STRING, 0),
	JSON_FIELD(struct log_input, error, JSON_STRING, 0),
	JSON_FIELD(struct log_input, data, JSON_RAW, 0),
	JSON_FIELD(struct log_input, response_data, JSON_RAW, 0),
	JSON_FIELD(struct log_input, status, JSON_INT64, JSON_LAX),
	{NULL},
};

static bool write_log(struct event_log *log, const struct log_input *input)
{
	const struct json *data = input->data != NULL ? input->data : input->response_data;
	bool is_known = true;
	struct buf text;

	buf_init(&text, 1 << 20);
	/* json_free() comes after the log is written: `data` points into the document. */
	if (data != NULL)
		json_print(&text, data, false);
	if (str_equal(input->type, STR("emulation_request")))
		event_log_request(log, input->url, input->event_type, buf_str(&text));
	else if (str_equal(input->type, STR("emulation_response")))
		event_log_response(log, input->event_type, (int)input->status, buf_str(&text));
	else if (str_equal(input->type, STR("emulation_error")))
		event_log_error(log, input->event_type, input->error);
	else
		is_known = false;
	buf_free(&text);
	return is_known;
}

static enum flow_status log_event(struct flow *flow)
{
	struct emulator *emulator = flow_context(flow);
	struct log_input input = {.status = 0};
	struct error error;
	struct json *json =
		json_parse(http_request(flow)->body, (struct json_limits){1 << 16, 32}, &error);
	bool good = json != NULL && json_read(json, log_fields, &input, flow_arena(flow), &error);

	if (good && !write_log(emulator->event_log, &input))
		good = error_set(&error, ERROR_INPUT,
			"type: takes emulation_request, emulation_response, emulation_error");
	json_free(&json);
	if (!good)
		return flow_fail_error(flow, &error);
	return http_reply(flow, 200, "application/json", STR("{\"status\":\"logged\"}"));
}

/* Nothing is stored: it has always been an echo for people who try their first request. */
static enum flow_status echo_event(struct flow *flow)
{
	char id[CRYPTO_UUID_TEXT], now[CLOCK_TEXT_BYTES];
	enum flow_status status;
	struct error error;
	struct json *json =
		json_parse(http_request(flow)->body, (struct json_limits){1 << 16, 32}, &error);
	struct buf answer;

	if (json == NULL)
		return flow_fail_error(flow, &error);
	json_free(&json);
	crypto_uuid4(id);
	clock_format_rfc3339(clock_wall_ms(), now);
	buf_init(&answer, 1024);
	buf_printf(&answer,
		"{\"success\":true,\"message\":\"Событие успешно обработано\",\"event_id\":\"%s\","
		"\"timestamp\":\"%s\"}",
		id, now);
	status = http_reply_json(flow, 200, &answer);
	buf_free(&answer);
	return status;
}

const struct flow_spec api_log_event_flow = ONE_STEP("log_event", log_event);
const struct flow_spec api_webhook_event_flow = ONE_STEP("webhook_event", echo_event);
