/*
 * callweave-rebuild: folds the event log again and corrects the calls that come out otherwise.
 *
 * For after a repair of the fold, or a doubt. Nothing is sent to anybody.
 */
#include "rebuild.h"

#include "config.h"

#include <stdio.h>

enum { DONE = 0, FAILED = 1, WRONG_USAGE = 2, ARENA_BYTES = 1 << 20 };

static const char usage[] =
	"usage: callweave-rebuild [--enterprise NUMBER] [--from TIME] [--to TIME] [--dry-run]\n"
	"                         [--show N] [--linger SECONDS] [--quiet]\n"
	"Folds the event log again and corrects the calls that come out otherwise, in one "
	"transaction.\n"
	"Nothing is sent to anybody. Calls that the dispatcher still works on are left alone.\n"
	"  --enterprise NUMBER  only this one's calls, such as 0367\n"
	"  --from TIME, --to TIME  only calls that something happened to between these;\n"
	"                       2026-11-21, 2026-11-21T10:00:00, UTC unless it says +03:00\n"
	"  --dry-run            show what would change, and change nothing\n"
	"  --show N             show at most N changes (100; 0: all)\n"
	"  --linger SECONDS     how long an ended call is remembered, as the dispatcher's\n"
	"                       CALLWEAVE_DISPATCHER_LINGER_SECONDS (60)\n"
	"  --quiet              no progress\n"
	"The database is DATABASE_URL, or what the file named by DATABASE_URL_FILE says.\n"
	"Exit codes: 0 done, 1 not done, 2 wrong usage. More: docs/operations.md, \"Rebuild\".\n";

struct settings {
	struct secret database_url;
};

/* A day alone stands for its beginning. */
static bool read_time(const char *text, int64_t *wall_ms)
{
	char whole[64];
	bool day = strlen(text) == 10;

	(void)snprintf(whole, sizeof(whole), "%s%s", text, day ? "T00:00:00" : "");
	return clock_parse(str_from(whole), NULL, wall_ms);
}

static bool read_value(const char *name, const char *value, struct rebuild_options *options)
{
	struct str option = str_from(name);
	int64_t seconds;

	if (str_equal(option, STR("--enterprise"))) {
		options->enterprise = value;
		return value[0] != '\0';
	}
	if (str_equal(option, STR("--from")))
		return read_time(value, &options->from_ms);
	if (str_equal(option, STR("--to")))
		return read_time(value, &options->to_ms);
	if (str_equal(option, STR("--show")))
		return str_to_int64(str_from(value), &options->show) && options->show >= 0;
	if (!str_equal(option, STR("--linger")) || !str_to_int64(str_from(value), &seconds))
		return false;
	options->linger_ms = seconds * 1000;
	return seconds >= 1 && seconds <= 3600;
}

static bool read_options(int argc, char **argv, struct rebuild_options *options)
{
	*options = (struct rebuild_options){.from_ms = REFOLD_NO_TIME,
		.to_ms = REFOLD_NO_TIME,
		.linger_ms = 60000,
		.show = 100};
	for (int i = 1; i < argc; i++) {
		struct str word = str_from(argv[i]);

		if (str_equal(word, STR("--dry-run")))
			options->dry_run = true;
		else if (str_equal(word, STR("--quiet")))
			options->quiet = true;
		else if (i + 1 >= argc || !read_value(argv[i], argv[i + 1], options))
			return false;
		else
			i++;
	}
	return options->from_ms == REFOLD_NO_TIME || options->to_ms == REFOLD_NO_TIME ||
	       options->from_ms <= options->to_ms;
}

static bool database_url(struct arena *arena, struct rebuild_options *options, struct error *error)
{
	static const struct config_field fields[] = {
		CONFIG_FIELD(struct settings, database_url, "DATABASE_URL", CONFIG_SECRET, "", 0, 0,
			"the database"),
		{0},
	};
	struct settings settings = {.database_url = {""}};
	const struct config_field *const tables[] = {fields, NULL};
	void *const targets[] = {&settings};

	if (!config_load(tables, targets, NULL, arena, error))
		return false;
	options->database_url = settings.database_url.value;
	return options->database_url[0] != '\0' ||
	       error_set(error, ERROR_INPUT,
		       "no database: set DATABASE_URL, or use scripts/rebuild, which knows that of "
		       "scripts/up");
}

int main(int argc, char **argv)
{
	struct rebuild_options options;
	struct error error = {0};
	bool help = argc == 2 && (str_equal(str_from(argv[1]), STR("--help")) ||
					 str_equal(str_from(argv[1]), STR("-h")));

	if (help || !read_options(argc, argv, &options)) {
		(void)fputs(usage, help ? stdout : stderr);
		return help ? DONE : WRONG_USAGE;
	}
	struct arena *arena = arena_new(ARENA_BYTES);
	bool ok = database_url(arena, &options, &error) && rebuild_run(&options, &error);
	if (!ok)
		(void)fprintf(stderr, "callweave-rebuild: %s\n", error.text);
	arena_free(&arena);
	return ok ? DONE : FAILED;
}
