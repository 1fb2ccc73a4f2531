/*
 * bot: the bot's side of Telegram: people subscribe with a code, unsubscribe, press buttons.
 */
#include "bots.h"

static const struct http_route routes[] = {
	{"POST", "/telegram/*", &webhook_flow, ROUTE_DETACHED},
	{NULL},
};

static const struct service_check checks[] = {
	{"postgresql", bots_why_no_database},
	{"bots", bots_why_no_roster},
	{NULL, NULL},
};

int main(int argc, char **argv)
{
	const struct service_spec spec = {
		.name = "bot",
		.summary = "hears what people write to bots and which buttons they press",
		.config = bot_config_fields,
		.config_bytes = sizeof(struct bot_config),
		.default_host = "127.0.0.1",
		.default_port = 8016,
		.routes = routes,
		.checks = checks,
		.max_body_bytes = (size_t)1 << 20,
		.start = bots_start,
		.drain = bots_drain,
		.drained = bots_drained,
		.stop = bots_stop,
	};
	return service_main(argc, argv, &spec);
}
