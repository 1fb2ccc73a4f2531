/*
 * sandbox: stands in for the outside world in development and tests, and shows what it received.
 *
 * It speaks Telegram's Bot API on its own port (docs: GET /, README). Never run in production: it
 * forgets everything when it ends.
 */
#include "sandbox.h"

#include "alloc.h"
#include "crm.h"
#include "engine.h"
#include "telegram.h"
#include "twilio.h"

#include <stdlib.h>

/* The order decides: exchange takes whatever is left, so that each outside service keeps its
 * real paths and a client needs nothing but another host name. All of ours lie under /_sandbox/,
 * where no real service has any. */
static const struct http_route routes[] = {
	{"GET", "/", &pages_flow, 0},
	{"GET", "/_sandbox/", &pages_flow, 0},
	{"GET", "/static/*", &pages_flow, 0},
	{"GET", "/_sandbox/events", &events_flow, 0},
	{"GET", "/_sandbox/telegram/messages", &telegram_messages_flow, ROUTE_CORS},
	{"POST", "/_sandbox/telegram/chats", &telegram_chats_flow, 0},
	{"POST", "/_sandbox/telegram/bots", &telegram_bots_flow, 0},
	{"POST", "/_sandbox/telegram/write", &telegram_write_flow, 0},
	{"POST", "/_sandbox/telegram/press", &telegram_press_flow, 0},
	{"GET", "/_sandbox/telegram/presses", &telegram_presses_flow, 0},
	{"POST", "/_sandbox/telegram/members", &telegram_members_flow, 0},
	{"POST", "/_sandbox/telegram/leave", &telegram_leave_flow, 0},
	{"POST", "/_sandbox/pbx", &pbx_declare_flow, 0},
	{"POST", "/_sandbox/baileys/messages", &baileys_bring_flow, 0},
	{"GET", "/_sandbox/pbx/commands", &pbx_commands_flow, 0},
	{"GET", "/_sandbox/crm/", &pages_flow, 0},
	{"GET", "/_sandbox/crm/accounts", &crm_list_offices_flow, 0},
	{"POST", "/_sandbox/crm/accounts", &crm_declare_flow, 0},
	{"GET", "/_sandbox/crm/calls", &crm_list_calls_flow, ROUTE_CORS},
	{"GET", "/_sandbox/crm/cards", &crm_list_cards_flow, ROUTE_CORS},
	{"POST", "/_sandbox/crm/click", &crm_click_flow, 0},
	{"GET", "/_sandbox/twilio/", &pages_flow, 0},
	{"POST", "/_sandbox/twilio/numbers", &twilio_number_flow, 0},
	{"GET", "/_sandbox/twilio/numbers", &twilio_numbers_flow, 0},
	{"POST", "/_sandbox/twilio/people", &twilio_people_flow, 0},
	{"POST", "/_sandbox/twilio/files/*", &twilio_file_flow, 0},
	{"POST", "/_sandbox/twilio/switches", &twilio_switches_flow, 0},
	{"GET", "/_sandbox/twilio/alerts", &twilio_alerts_flow, 0},
	{"POST", "/_sandbox/twilio/messages", &twilio_text_flow, 0},
	{"GET", "/_sandbox/twilio/messages", &twilio_texts_flow, 0},
	{"POST", "/_sandbox/twilio/calls", &twilio_call_flow, 0},
	{"GET", "/_sandbox/twilio/calls", &twilio_calls_flow, 0},
	{"POST", "/_sandbox/twilio/calls/*", &twilio_call_more_flow, 0},
	{"GET", "/_sandbox/twilio/calls/*", &twilio_one_call_flow, 0},
	{"GET", "/_sandbox/twilio/phone", &twilio_phone_flow, ROUTE_UPGRADE},
	{"GET", "/_sandbox/engine/", &pages_flow, 0},
	{"POST", "/_sandbox/engine/script", &engine_script_flow, 0},
	{"POST", "/v1/audio/transcriptions", &engine_transcribe_flow, 0},
	{"POST", "/v1/audio/speech", &engine_speech_flow, 0},
	{"POST", "/v1/chat/completions", &engine_chat_flow, 0},
	{"GET", "/v1/realtime", &engine_realtime_flow, ROUTE_UPGRADE},
	{"POST", "/_sandbox/limits", &telegram_limits_flow, 0},
	{"GET", "/_sandbox/requests", &admin_requests_flow, 0},
	{"GET", "/_sandbox/faults", &admin_faults_flow, 0},
	{"POST", "/_sandbox/faults", &admin_add_fault_flow, 0},
	{"DELETE", "/_sandbox/faults", &admin_clear_faults_flow, 0},
	{"POST", "/_sandbox/reset", &admin_reset_flow, 0},
	{"GET", "/_sandbox/stats", &admin_stats_flow, 0},
	{"GET", "/*", &exchange_flow, 0},
	{"POST", "/*", &exchange_flow, 0},
	{"PUT", "/*", &exchange_flow, 0},
	{"DELETE", "/*", &exchange_flow, 0},
	{NULL},
};

/* Nothing to set: what tests want different they say while it runs, and a reset takes it back. */
static const struct config_field config[] = {{NULL}};

struct telegram *sandbox_telegram(struct sandbox *sandbox)
{
	return sandbox->outside[outside_find_name(STR("telegram"))];
}

static void *start(struct service *service, struct error *error)
{
	static const struct http_client_options http = {.user_agent = "callweave-sandbox"};
	struct sandbox *sandbox = alloc_zeroed(1, sizeof(*sandbox));

	sandbox->service = service;
	sandbox->requests = requests_new();
	sandbox->faults = faults_new();
	flow_queue_init(&sandbox->changed);
	flow_queue_init(&sandbox->delayed);
	flow_queue_init(&sandbox->held);
	sandbox->http = http_client_new(service_loop(service), &http);
	/* Last, since a service may look at all of the above. */
	for (int i = 0; outside_services[i] != NULL; i++)
		sandbox->outside[i] = outside_services[i]->start(sandbox);
	return sandbox;
}

/* Pages and held-up requests would keep the process for as long as their clients stay. */
static void drain(void *context)
{
	struct sandbox *sandbox = context;

	sandbox->draining = true;
	flow_queue_wake_all(&sandbox->changed);
	flow_queue_wake_all(&sandbox->delayed);
	flow_queue_wake_all(&sandbox->held);
}

/* Every flow has ended by now (service.h), so nobody holds a message, a bot or a fault any more. */
static void stop(void *context)
{
	struct sandbox *sandbox = context;

	for (int i = 0; outside_services[i] != NULL; i++)
		outside_services[i]->stop(sandbox->outside[i]);
	http_client_free(&sandbox->http);
	faults_free(&sandbox->faults);
	requests_free(&sandbox->requests);
	free(sandbox);
}

int main(int argc, char **argv)
{
	static const struct service_spec spec = {
		.name = "sandbox",
		.summary = "stands in for the outside world: Telegram's Bot API, Twilio, CRMs and "
			   "PBXs, with "
			   "pages of what they show",
		.config = config,
		.config_bytes = 0,
		.default_host = "127.0.0.1",
		.default_port = 8099,
		.routes = routes,
		.max_body_bytes = 1u << 20,
		.start = start,
		.drain = drain,
		.stop = stop,
	};

	return service_main(argc, argv, &spec);
}
