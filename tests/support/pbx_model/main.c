/*
 * pbx_model: a telephone day as lines of JSON, with the truth of its calls beside it.
 *
 * For stories, benchmarks and people. The property suite uses the library.
 */
#include "pbx_stream.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

/* 2026-11-21 08:00 at the host: stories are of no particular day. */
#define DEFAULT_START_MS INT64_C(1795237200000)

struct arguments {
	struct pbx_stream_options stream;
	const char *token, *truth;
	bool classic;
};

static void usage(FILE *to)
{
	fprintf(to,
		"usage: pbx_model [--seed N] [--calls N] [--rate N] [--start MS] [--enterprise "
		"TOKEN]\n"
		"                 [--restarts HOURS] [--classic] [--truth FILE]\n"
		"Prints the events that a PBX's host posts, one a line, in the order of posting:\n"
		"  {\"t_ms\":...,\"event\":\"dial\",\"body\":{...}}\n"
		"  --seed N            the same seed gives the same lines (1)\n"
		"  --calls N           how many calls (100)\n"
		"  --rate N            calls begun a minute, on average (10)\n"
		"  --start MS          wall time of the first call, ms since 1970 (%lld)\n"
		"  --enterprise TOKEN  Token of the bodies (375290000367)\n"
		"  --restarts HOURS    the PBX restarts every so many hours; its calls just stop "
		"(0: never)\n"
		"  --classic           only start, dial, bridge and hangup, as most hosts send\n"
		"  --truth FILE        what the calls really were, one a line as they end, fields "
		"as in\n"
		"                      tests/corpus/expected.jsonl, and: unique_id (of the first "
		"channel),\n"
		"                      line_first (was busy), taker (of a transfer, where that is "
		"not to),\n"
		"                      end (hangup, leg, leaves, never: what tells the end; with "
		"--classic\n"
		"                      nothing tells 'leaves'), exact (false: cut off by a "
		"restart),\n"
		"                      started_ms, answered_ms, ended_ms (by the PBX's clock)\n",
		(long long)DEFAULT_START_MS);
}

static long long number_of(const char *text)
{
	int64_t number;

	if (!str_to_int64(str_from(text), &number) || number < 0) {
		fprintf(stderr, "pbx_model: %s: not a number\n", text);
		exit(2);
	}
	return number;
}

static void read_arguments(struct arguments *arguments, int count, char **values)
{
	static const struct option options[] = {{"seed", required_argument, NULL, 's'},
		{"calls", required_argument, NULL, 'n'}, {"rate", required_argument, NULL, 'r'},
		{"start", required_argument, NULL, 'a'},
		{"enterprise", required_argument, NULL, 'e'},
		{"restarts", required_argument, NULL, 'x'}, {"classic", no_argument, NULL, 'c'},
		{"truth", required_argument, NULL, 't'}, {"help", no_argument, NULL, 'h'}, {0}};
	int option;

	while ((option = getopt_long(count, values, "h", options, NULL)) != -1) {
		long long number = strchr("snrax", option) != NULL ? number_of(optarg) : 0;

		if (option == 's')
			arguments->stream.seed = (uint64_t)number;
		else if (option == 'n')
			arguments->stream.calls = (unsigned)number;
		else if (option == 'r')
			arguments->stream.gap_ms = 60000 / (number > 0 ? number : 1);
		else if (option == 'a')
			arguments->stream.start_ms = number;
		else if (option == 'x')
			arguments->stream.restart_gap_ms = number * 60 * 60 * 1000;
		else if (option == 'e')
			arguments->token = optarg;
		else if (option == 'c')
			arguments->classic = true;
		else if (option == 't')
			arguments->truth = optarg;
		else {
			usage(option == 'h' ? stdout : stderr);
			exit(option == 'h' ? 0 : 2);
		}
	}
}

static void print_event(const struct pbx_event *event, const char *token, struct buf *line)
{
	buf_clear(line);
	buf_printf(line, "{\"t_ms\":%lld,\"event\":\"%s\",\"body\":", (long long)event->posted_ms,
		call_event_type_name(event->type));
	pbx_event_write(event, token, line);
	buf_printf(line, "}\n");
	fwrite(line->data, 1, line->size, stdout);
}

static void print_truths(struct pbx_stream *stream, FILE *to, struct buf *line)
{
	const struct pbx_call *call;

	while (to != NULL && (call = pbx_stream_finished(stream)) != NULL) {
		buf_clear(line);
		pbx_truth_write(&call->truth, line);
		buf_add_char(line, '\n');
		fwrite(line->data, 1, line->size, to);
	}
}

int main(int count, char **values)
{
	struct arguments arguments = {
		.stream = {.seed = 1, .calls = 100, .start_ms = DEFAULT_START_MS, .gap_ms = 6000},
		.token = "375290000367"};
	struct pbx_stream *stream;
	const struct pbx_event *event;
	FILE *truth = NULL;
	struct buf line;

	read_arguments(&arguments, count, values);
	if (arguments.truth != NULL && (truth = fopen(arguments.truth, "w")) == NULL) {
		perror(arguments.truth);
		return 1;
	}
	buf_init(&line, 1 << 16);
	stream = pbx_stream_new(&arguments.stream);
	while ((event = pbx_stream_next(stream)) != NULL) {
		if (!arguments.classic || pbx_event_is_classic(event->type))
			print_event(event, arguments.token, &line);
		print_truths(stream, truth, &line);
	}
	pbx_stream_free(&stream);
	buf_free(&line);
	if (truth != NULL && fclose(truth) != 0)
		return 1;
	return fflush(stdout) == 0 ? 0 : 1;
}
