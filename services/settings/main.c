/*
 * callweave-settings: an enterprise's settings for people at a terminal.
 *
 * What it saves was read as the services will read it, so a slip is told here and not in their logs.
 */
#include "settings.h"

#include "config.h"
#include "json.h"
#include "tenant_settings.h"

#include <stdio.h>

enum { DONE = 0, FAILED = 1, WRONG_USAGE = 2, ARENA_BYTES = 8 << 20 };

static const char usage[] =
	"usage: callweave-settings ENTERPRISE [--show]\n"
	"       callweave-settings ENTERPRISE --check FILE\n"
	"       callweave-settings ENTERPRISE --save FILE\n"
	"  ENTERPRISE    its number, such as 0367\n"
	"  --show        print the settings that are in force\n"
	"  --check FILE  can these be saved? Asks no database\n"
	"  --save FILE   check them and put them in the place of those in force\n"
	"FILE is JSON; - reads standard input. The database is DATABASE_URL, or the file that\n"
	"DATABASE_URL_FILE names. Exit codes: 0 done, 1 not done, 2 wrong usage.\n"
	"What the settings do: docs/operations.md, \"Settings of an enterprise\".\n";

struct job {
	enum { JOB_SHOW, JOB_CHECK, JOB_SAVE } kind;
	const char *enterprise;
	const char *file;
	struct arena *arena;
};

struct settings {
	struct secret database_url;
};

static bool job_read(int argc, char **argv, struct job *job)
{
	*job = (struct job){.kind = JOB_SHOW, .enterprise = argv[1]};
	if (argc < 2 || argv[1][0] == '-' || argv[1][0] == '\0')
		return false;
	if (argc == 2)
		return true;
	if (argc == 3)
		return str_equal(str_from(argv[2]), STR("--show"));
	job->file = argv[3];
	job->kind = str_equal(str_from(argv[2]), STR("--save")) ? JOB_SAVE : JOB_CHECK;
	return argc == 4 && (job->kind == JOB_SAVE || str_equal(str_from(argv[2]), STR("--check")));
}

static bool read_all(FILE *file, struct arena *arena, struct str *text)
{
	char *data = arena_alloc(arena, TENANT_SETTINGS_MAX_BYTES + 2);
	size_t size = fread(data, 1, TENANT_SETTINGS_MAX_BYTES + 1, file);
	*text = str_of(data, size);
	return ferror(file) == 0;
}

/* The text, once it is known that the services can live with it. */
static bool read_checked(const struct job *job, struct str *text, struct error *error)
{
	struct tenant_settings settings;
	bool is_stdin = str_equal(str_from(job->file), STR("-"));
	FILE *file = is_stdin ? stdin : fopen(job->file, "r");
	if (file == NULL)
		return error_set(error, ERROR_INPUT, "%s: cannot be opened: %m", job->file);
	bool ok = read_all(file, job->arena, text);
	if (!is_stdin)
		(void)fclose(file);
	if (!ok)
		return error_set(error, ERROR_INPUT, "%s: cannot be read: %m", job->file);
	if (text->size > TENANT_SETTINGS_MAX_BYTES)
		return error_set(error, ERROR_INPUT, "%s: longer than %zu bytes", job->file,
			TENANT_SETTINGS_MAX_BYTES);
	*text = str_trim(*text);
	if (text->size == 0)
		return error_set(
			error, ERROR_INPUT, "%s is empty; {} stands for the defaults", job->file);
	return tenant_settings_read(*text, job->arena, &settings, error);
}

static bool database_url(struct arena *arena, struct settings *settings, struct error *error)
{
	static const struct config_field fields[] = {
		CONFIG_FIELD(struct settings, database_url, "DATABASE_URL", CONFIG_SECRET, "", 0, 0,
			"the database"),
		{0},
	};
	const struct config_field *const tables[] = {fields, NULL};
	void *const targets[] = {settings};
	if (!config_load(tables, targets, NULL, arena, error))
		return false;
	return settings->database_url.value[0] != '\0' ||
	       error_set(error, ERROR_INPUT,
		       "no database: set DATABASE_URL, or use scripts/settings, which knows that "
		       "of "
		       "scripts/up");
}

static bool show(const struct job *job, const char *url, struct error *error)
{
	const struct json_limits limits = {(size_t)1 << 20, 64};
	struct str text = {0};
	struct buf page;
	if (!settings_load(url, job->enterprise, job->arena, &text, error))
		return false;
	struct json *json = json_parse(text, limits, error);
	if (json == NULL)
		return error_prefix(error, "what is saved cannot be read: ");
	buf_init(&page, (size_t)4 << 20);
	json_print(&page, json, true);
	printf("%.*s\n", STR_ARG(buf_str(&page)));
	buf_free(&page);
	json_free(&json);
	return true;
}

static bool run(const struct job *job, struct error *error)
{
	struct settings settings = {.database_url = {""}};
	struct str text = {0};
	if (job->kind != JOB_SHOW && !read_checked(job, &text, error))
		return false;
	if (job->kind == JOB_CHECK) {
		printf("%s: can be saved\n", job->file);
		return true;
	}
	if (!database_url(job->arena, &settings, error))
		return false;
	if (job->kind == JOB_SHOW)
		return show(job, settings.database_url.value, error);
	if (!settings_save(settings.database_url.value, job->enterprise, text, error))
		return false;
	printf("saved: in force for %s within a second\n", job->enterprise);
	return true;
}

int main(int argc, char **argv)
{
	struct error error = {0};
	struct job job;
	if (argc == 2 && (str_equal(str_from(argv[1]), STR("--help")) ||
				 str_equal(str_from(argv[1]), STR("-h")))) {
		(void)fputs(usage, stdout);
		return DONE;
	}
	if (!job_read(argc, argv, &job)) {
		(void)fputs(usage, stderr);
		return WRONG_USAGE;
	}
	job.arena = arena_new(ARENA_BYTES);
	bool ok = run(&job, &error);
	arena_free(&job.arena);
	if (!ok)
		(void)fprintf(stderr, "callweave-settings: %s\n", error.text);
	return ok ? DONE : FAILED;
}
