/* config: the order of sources, limits, secrets, misspelt names, and the words of each refusal. */
#include "config.h"

#include "config_file.h"

#include "check.h"

#include <stdio.h>
#include <stdlib.h>

struct common {
	const char *log_level;
	struct secret database;
};

struct demo {
	int64_t port;
	const char *host;
	struct secret token;
	bool debug;
};

static const struct config_field common_fields[] = {
	CONFIG_FIELD(struct common, log_level, "CALLWEAVE_LOG_LEVEL", CONFIG_TEXT, "info", 1, 10,
		"debug, info, warn or error"),
	CONFIG_FIELD(struct common, database, "CALLWEAVE_DATABASE_URL", CONFIG_SECRET, "", 0, 0,
		"PostgreSQL connection"),
	{0},
};

static const struct config_field demo_fields[] = {
	CONFIG_FIELD(
		struct demo, port, "CALLWEAVE_DEMO_PORT", CONFIG_INT, "8000", 1, 65535, "TCP port"),
	CONFIG_FIELD(struct demo, host, "CALLWEAVE_DEMO_HOST", CONFIG_TEXT, "127.0.0.1", 1, 20,
		"address to listen on"),
	CONFIG_FIELD(struct demo, token, "CALLWEAVE_DEMO_TOKEN", CONFIG_SECRET, NULL, 4, 0,
		"token of the demo"),
	CONFIG_FIELD(struct demo, debug, "CALLWEAVE_DEMO_DEBUG", CONFIG_BOOL, "no", 0, 0,
		"more lines in the log"),
	{0},
};

static const struct config_field *const tables[] = {common_fields, demo_fields, NULL};

/* Everything of one test: the structs, the arena, and files that are removed at its end. */
struct set {
	struct common common;
	struct demo demo;
	struct arena *arena;
	struct error error;
	char folder[64];
	char file[96];
	char secret[96];
};

static void clear_environment(void)
{
	static const char *const names[] = {"CALLWEAVE_LOG_LEVEL", "CALLWEAVE_LOG_LEVEL_FILE",
		"CALLWEAVE_DATABASE_URL", "CALLWEAVE_DATABASE_URL_FILE", "CALLWEAVE_DEMO_PORT",
		"CALLWEAVE_DEMO_HOST", "CALLWEAVE_DEMO_HOST_FILE", "CALLWEAVE_DEMO_TOKEN",
		"CALLWEAVE_DEMO_TOKEN_FILE", "CALLWEAVE_DEMO_DEBUG", "CALLWEAVE_DEMO_PROT",
		"CALLWEAVE_DEMO_PORT_FILE", "CALLWEAVE_OTHER_PORT", "CALLWEAVE_LOG_LEVLE"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		unsetenv(names[i]);
}

static int set_up(void **state)
{
	struct set *set = calloc(1, sizeof(*set));

	clear_environment();
	set->arena = arena_new(1 << 20);
	snprintf(set->folder, sizeof(set->folder), "/tmp/callweave-config-XXXXXX");
	if (mkdtemp(set->folder) == NULL)
		return -1;
	snprintf(set->file, sizeof(set->file), "%s/demo.conf", set->folder);
	snprintf(set->secret, sizeof(set->secret), "%s/token", set->folder);
	*state = set;
	return 0;
}

static int tear_down(void **state)
{
	struct set *set = *state;

	clear_environment();
	unlink(set->file);
	unlink(set->secret);
	rmdir(set->folder);
	arena_free(&set->arena);
	free(set);
	return 0;
}

static void write_file(const char *path, const char *text)
{
	FILE *file = fopen(path, "wb");

	assert_non_null(file);
	assert_int_equal(fwrite(text, 1, strlen(text), file), strlen(text));
	fclose(file);
}

static bool load(struct set *set, const char *file_text)
{
	void *const targets[] = {&set->common, &set->demo};

	if (file_text != NULL)
		write_file(set->file, file_text);
	return config_load(
		tables, targets, file_text != NULL ? set->file : NULL, set->arena, &set->error);
}

static void must_load(struct set *set, const char *file_text)
{
	if (!load(set, file_text))
		fail_msg("%s", set->error.text);
}

static void must_refuse(struct set *set, const char *file_text, const char *words)
{
	assert_false(load(set, file_text));
	if (strstr(set->error.text, words) == NULL)
		fail_msg("\"%s\" does not say \"%s\"", set->error.text, words);
	assert_int_equal(set->error.kind, ERROR_INPUT);
}

static void defaults_are_used(void **state)
{
	struct set *set = *state;

	setenv("CALLWEAVE_DEMO_TOKEN", "secret", 1);
	must_load(set, NULL);
	assert_int_equal(set->demo.port, 8000);
	assert_string_equal(set->demo.host, "127.0.0.1");
	assert_string_equal(set->demo.token.value, "secret");
	assert_false(set->demo.debug);
	assert_string_equal(set->common.log_level, "info");
	assert_string_equal(set->common.database.value, "");
}

static void environment_beats_file_beats_default(void **state)
{
	struct set *set = *state;

	setenv("CALLWEAVE_DEMO_PORT", "9000", 1);
	must_load(set, "# a comment\n"
		       "\n"
		       "CALLWEAVE_DEMO_PORT=1\n"
		       "  CALLWEAVE_DEMO_HOST = \"0.0.0.0\" \r\n"
		       "CALLWEAVE_DEMO_TOKEN='to=ken # with signs'\n"
		       "CALLWEAVE_DEMO_DEBUG=on");
	assert_int_equal(set->demo.port, 9000);
	assert_string_equal(set->demo.host, "0.0.0.0");
	assert_string_equal(set->demo.token.value, "to=ken # with signs");
	assert_true(set->demo.debug);
}

static void values_outlive_the_environment(void **state)
{
	struct set *set = *state;

	setenv("CALLWEAVE_DEMO_TOKEN", "secret", 1);
	must_load(set, NULL);
	setenv("CALLWEAVE_DEMO_TOKEN", "XXXXXX", 1);
	assert_string_equal(set->demo.token.value, "secret");
}

static void a_value_may_lie_in_a_file_of_its_own(void **state)
{
	struct set *set = *state;
	char line[200];

	write_file(set->secret, "  from a file\n\n");
	setenv("CALLWEAVE_DEMO_TOKEN_FILE", set->secret, 1);
	must_load(set, "CALLWEAVE_DEMO_TOKEN=beaten by the environment\n");
	assert_string_equal(set->demo.token.value, "from a file");
	unsetenv("CALLWEAVE_DEMO_TOKEN_FILE");
	snprintf(line, sizeof(line), "CALLWEAVE_DEMO_TOKEN_FILE=%s\n", set->secret);
	must_load(set, line);
	assert_string_equal(set->demo.token.value, "from a file");
}

static void value_files_that_fail_are_told(void **state)
{
	struct set *set = *state;

	setenv("CALLWEAVE_DEMO_TOKEN_FILE", "/nowhere/token", 1);
	must_refuse(set, NULL,
		"CALLWEAVE_DEMO_TOKEN_FILE: cannot read /nowhere/token: No such file or directory");
	setenv("CALLWEAVE_DEMO_TOKEN", "secret", 1);
	must_refuse(
		set, NULL, "CALLWEAVE_DEMO_TOKEN and CALLWEAVE_DEMO_TOKEN_FILE: set one of them");
}

static void limits_are_checked(void **state)
{
	static const struct {
		const char *name, *value, *words;
	} cases[] = {
		{"CALLWEAVE_DEMO_PORT", "0",
			"CALLWEAVE_DEMO_PORT: takes a whole number from 1 to 65535, not \"0\""},
		{"CALLWEAVE_DEMO_PORT", "65536", "takes a whole number from 1 to 65535"},
		{"CALLWEAVE_DEMO_PORT", "80x", "takes a whole number from 1 to 65535"},
		{"CALLWEAVE_DEMO_PORT", "", "takes a whole number from 1 to 65535"},
		{"CALLWEAVE_DEMO_DEBUG", "maybe", "CALLWEAVE_DEMO_DEBUG: takes true or false"},
		{"CALLWEAVE_DEMO_HOST", "", "CALLWEAVE_DEMO_HOST: takes 1 to 20 characters, not 0"},
		{"CALLWEAVE_DEMO_HOST", "123456789012345678901",
			"takes 1 to 20 characters, not 21"},
		{"CALLWEAVE_DEMO_TOKEN", "abc", "CALLWEAVE_DEMO_TOKEN: takes 4 to 1000 characters"},
	};
	struct set *set = *state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		clear_environment();
		setenv("CALLWEAVE_DEMO_TOKEN", "secret", 1);
		setenv(cases[i].name, cases[i].value, 1);
		must_refuse(set, NULL, cases[i].words);
	}
}

/* What is wrong with a secret is said without the secret. */
static void refusals_do_not_show_secrets(void **state)
{
	struct set *set = *state;

	setenv("CALLWEAVE_DEMO_TOKEN", "xyz", 1);
	assert_false(load(set, NULL));
	assert_null(strstr(set->error.text, "xyz"));
	unsetenv("CALLWEAVE_DEMO_TOKEN");
	must_refuse(set, "CALLWEAVE_DEMO_TOKEN hunter2\n", "demo.conf: line 1: not NAME=value");
	assert_null(strstr(set->error.text, "hunter2"));
}

static void all_words_for_a_bool(void **state)
{
	static const char *const yes[] = {"true", "1", "yes", "on", "TRUE", "On"};
	static const char *const no[] = {"false", "0", "no", "off", "False"};
	struct set *set = *state;

	setenv("CALLWEAVE_DEMO_TOKEN", "secret", 1);
	for (size_t i = 0; i < sizeof(yes) / sizeof(yes[0]); i++) {
		setenv("CALLWEAVE_DEMO_DEBUG", yes[i], 1);
		must_load(set, NULL);
		assert_true(set->demo.debug);
	}
	for (size_t i = 0; i < sizeof(no) / sizeof(no[0]); i++) {
		setenv("CALLWEAVE_DEMO_DEBUG", no[i], 1);
		must_load(set, NULL);
		assert_false(set->demo.debug);
	}
}

static void a_required_setting_is_asked_for(void **state)
{
	must_refuse(*state, NULL, "CALLWEAVE_DEMO_TOKEN: is required (token of the demo)");
}

static void misspelt_names_are_found(void **state)
{
	struct set *set = *state;

	setenv("CALLWEAVE_DEMO_TOKEN", "secret", 1);
	setenv("CALLWEAVE_DEMO_PROT", "1", 1);
	must_refuse(set, NULL, "CALLWEAVE_DEMO_PROT: no such setting");
	unsetenv("CALLWEAVE_DEMO_PROT");
	setenv("CALLWEAVE_DEMO_PORT_FILE", "/x", 1); /* a number has no file */
	must_refuse(set, NULL, "CALLWEAVE_DEMO_PORT_FILE: no such setting");
	unsetenv("CALLWEAVE_DEMO_PORT_FILE");
	must_refuse(
		set, "CALLWEAVE_DEMO_PROT=1\n", "demo.conf: CALLWEAVE_DEMO_PROT: no such setting");
	must_refuse(set, "PORT=1\n", "demo.conf: PORT: no such setting");
	must_refuse(set, "CALWEAVE_DEMO_PORT=1\n", "CALWEAVE_DEMO_PORT: no such setting");
}

/* One environment file serves the whole suite. */
static void names_of_other_services_are_left_alone(void **state)
{
	struct set *set = *state;

	setenv("CALLWEAVE_DEMO_TOKEN", "secret", 1);
	setenv("CALLWEAVE_OTHER_PORT", "1", 1);
	must_load(set, "CALLWEAVE_OTHER_PORT=1\nCALLWEAVE_DEMO_PORT=2\n");
	assert_int_equal(set->demo.port, 2);
}

static void broken_files_are_told(void **state)
{
	static const struct {
		const char *text, *words;
	} cases[] = {
		{"\n# x\nCALLWEAVE_DEMO_PORT\n", "line 3: not NAME=value"},
		{"=1\n", "line 1: not NAME=value"},
		{"callweave_demo_port=1\n", "line 1: not NAME=value"},
		{"export CALLWEAVE_DEMO_PORT=1\n", "line 1: not NAME=value"},
		{"1A=1\n", "line 1: not NAME=value"},
		{"CALLWEAVE_DEMO_PORT=1\nCALLWEAVE_DEMO_PORT=2\n",
			"line 2: CALLWEAVE_DEMO_PORT is set a second time"},
	};
	struct set *set = *state;
	char *long_text = malloc(70000);

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		must_refuse(set, cases[i].text, cases[i].words);
	memset(long_text, '#', 69999);
	long_text[69999] = '\0';
	must_refuse(set, long_text, "longer than 65536 bytes");
	free(long_text);
}

static void a_missing_file_is_told(void **state)
{
	struct set *set = *state;
	void *const targets[] = {&set->common, &set->demo};

	assert_false(config_load(tables, targets, "/nowhere/x.conf", set->arena, &set->error));
	assert_string_equal(
		set->error.text, "cannot read /nowhere/x.conf: No such file or directory");
	assert_false(config_load(tables, targets, "/", set->arena, &set->error));
	assert_string_equal(set->error.text, "cannot read /: Is a directory");
}

static void what_is_printed_hides_secrets_and_loads_again(void **state)
{
	struct set *set = *state;
	void *const targets[] = {&set->common, &set->demo};
	struct buf buf;

	setenv("CALLWEAVE_DEMO_TOKEN", "secret", 1);
	must_load(set, NULL);
	buf_init(&buf, 10000);
	config_print(&buf, tables, targets);
	assert_string_equal(buf.data, "# debug, info, warn or error\n"
				      "CALLWEAVE_LOG_LEVEL=info\n"
				      "# PostgreSQL connection\n"
				      "CALLWEAVE_DATABASE_URL=\n"
				      "# TCP port\n"
				      "CALLWEAVE_DEMO_PORT=8000\n"
				      "# address to listen on\n"
				      "CALLWEAVE_DEMO_HOST=127.0.0.1\n"
				      "# token of the demo\n"
				      "CALLWEAVE_DEMO_TOKEN=***\n"
				      "# more lines in the log\n"
				      "CALLWEAVE_DEMO_DEBUG=false\n");
	must_load(set, buf.data);
	buf_free(&buf);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(defaults_are_used),
		TEST(environment_beats_file_beats_default),
		TEST(values_outlive_the_environment),
		TEST(a_value_may_lie_in_a_file_of_its_own),
		TEST(value_files_that_fail_are_told),
		TEST(limits_are_checked),
		TEST(refusals_do_not_show_secrets),
		TEST(all_words_for_a_bool),
		TEST(a_required_setting_is_asked_for),
		TEST(misspelt_names_are_found),
		TEST(names_of_other_services_are_left_alone),
		TEST(broken_files_are_told),
		TEST(a_missing_file_is_told),
		TEST(what_is_printed_hides_secrets_and_loads_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
