/*
 * meters: names and help texts in one place.
 */
#include "meters.h"

static void counters(struct metrics *metrics, struct metric **to, const char *const *labels,
	unsigned count, const char *const name_and_help[2])
{
	for (unsigned i = 0; i < count; i++)
		to[i] = metrics_counter(metrics, name_and_help[0], labels[i], name_and_help[1]);
}

static void meters_listening(struct meters *meters, struct metrics *metrics)
{
	static const char *const polls[] = {"result=\"updates\"", "result=\"quiet\"",
		"result=\"failed\"", "result=\"conflict\"", "result=\"refused\""};
	static const char *const kinds[] = {"kind=\"other\"", "kind=\"command\"", "kind=\"text\"",
		"kind=\"press\"", "kind=\"left\""};

	meters->owned =
		metrics_gauge(metrics, "callweave_bots_owned", NULL, "Bots of this instance");
	meters->troubled = metrics_gauge(metrics, "callweave_bots_troubled", NULL,
		"Bots of this instance that cannot listen: telegram_bots.last_error says why");
	counters(metrics, meters->polls, polls, METER_POLLS,
		(const char *const[]){
			"callweave_bot_polls_total", "getUpdates by what came of it"});
	counters(metrics, meters->updates, kinds, METER_UPDATES,
		(const char *const[]){"callweave_bot_updates_total", "Updates that were handled"});
	meters->forged = metrics_counter(metrics, "callweave_bot_presses_invalid_total", NULL,
		"Presses of buttons that were over, copied or forged");
	meters->webhook_refused = metrics_counter(metrics, "callweave_bot_webhook_refused_total",
		NULL, "Webhook requests without the right secret");
}

void meters_init(struct meters *meters, struct metrics *metrics)
{
	static const char *const answers[] = {
		"result=\"told\"", "result=\"again\"", "result=\"dropped\""};
	static const char *const commands[] = {
		"result=\"done\"", "result=\"refused\"", "result=\"failed\"", "result=\"unknown\""};

	meters_listening(meters, metrics);
	counters(metrics, meters->answers, answers, METER_ANSWERS,
		(const char *const[]){"callweave_bot_answers_total", "Answers to people"});
	counters(metrics, meters->commands, commands, METER_COMMANDS,
		(const char *const[]){"callweave_pbx_commands_total", "Commands to PBXs"});
	meters->swept = metrics_counter(metrics, "callweave_pbx_commands_swept_total", NULL,
		"Commands that their process left behind: too late, or of unknown outcome");
}
