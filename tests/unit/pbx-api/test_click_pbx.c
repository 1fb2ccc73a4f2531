/* click_pbx: an enterprise's settings become a call; whatever is wrong with them is said by its name. */
#include "click_pbx.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

struct world {
	struct arena *arena;
	struct json *settings;
	struct account account;
	struct click_want want;
	struct ami_call call;
	struct error error;
	char folder[64];
};

static int set_up(void **state)
{
	struct world *world = test_calloc(1, sizeof(*world));

	world->arena = arena_new(1 << 20);
	world->account.ip = "10.8.0.5";
	world->account.host = "pbx.example";
	world->want = (struct click_want){
		.extension = STR("150"), .phone = STR("+375290000001"), .sent = STR("80290000001")};
	(void)snprintf(world->folder, sizeof(world->folder), "/tmp/click_pbx_XXXXXX");
	assert_non_null(mkdtemp(world->folder));
	*state = world;
	return 0;
}

static int tear_down(void **state)
{
	struct world *world = *state;
	char path[100];

	(void)snprintf(path, sizeof(path), "%s/0367", world->folder);
	(void)unlink(path);
	(void)rmdir(world->folder);
	json_free(&world->settings);
	arena_free(&world->arena);
	test_free(world);
	return 0;
}

static bool read_from(struct world *world, const char *settings, const char *folder)
{
	json_free(&world->settings);
	world->settings =
		json_parse(str_from(settings), (struct json_limits){4096, 8}, &world->error);
	assert_non_null(world->settings);
	world->account.settings = world->settings;
	const struct click_source source = {&world->account, &world->want, folder};
	return click_pbx_read(&source, world->arena, &world->call, &world->error);
}

static void must_fail(struct world *world, const char *settings, const char *words)
{
	assert_false(read_from(world, settings, world->folder));
	if (strstr(world->error.text, words) == NULL)
		fail_msg("\"%s\" does not say \"%s\"", world->error.text, words);
}

static void must_be(struct str text, const char *expected)
{
	if (!str_equal(text, str_from(expected)))
		fail_msg("\"%.*s\" is not \"%s\"", STR_ARG(text), expected);
}

static void what_is_left_out_has_a_default(void **state)
{
	struct world *world = *state;

	assert_true(read_from(world, "{\"ami\":{\"user\":\"u\",\"secret\":\"s\"}}", ""));
	assert_string_equal(world->call.address, "10.8.0.5");
	assert_int_equal(world->call.port, 5038);
	assert_false(world->call.plain);
	must_be(world->call.user, "u");
	must_be(world->call.secret, "s");
	must_be(world->call.channel, "SIP/150");
	must_be(world->call.context, "inoffice");
	must_be(world->call.extension, "375290000001");
}

static void all_of_it(void **state)
{
	struct world *world = *state;

	assert_true(read_from(world,
		"{\"ami\":{\"host\":\"fd00::5\",\"port\":\"15038\",\"user\":\"u\",\"secret\":\"s\","
		"\"plain\":true,\"channel\":\"Local/%s@phones/n\",\"context\":\"c\",\"number\":"
		"\"as_sent\"}}",
		""));
	assert_string_equal(world->call.address, "fd00::5");
	assert_int_equal(world->call.port, 15038);
	assert_true(world->call.plain);
	must_be(world->call.channel, "Local/150@phones/n");
	must_be(world->call.context, "c");
	must_be(world->call.extension, "80290000001");
	assert_true(read_from(
		world, "{\"ami\":{\"user\":\"u\",\"secret\":\"s\",\"number\":\"e164\"}}", ""));
	must_be(world->call.extension, "+375290000001");
}

static void the_secret_may_lie_in_a_file(void **state)
{
	static const char settings[] = "{\"ami\":{\"user\":\"u\",\"secret_file\":\"0367\"}}";
	struct world *world = *state;
	char path[100];
	FILE *file;

	must_fail(world, settings, "ami.secret_file: ");
	(void)snprintf(path, sizeof(path), "%s/0367", world->folder);
	file = fopen(path, "w");
	assert_non_null(file);
	(void)fputs("from the file\n", file);
	(void)fclose(file);
	assert_true(read_from(world, settings, world->folder));
	must_be(world->call.secret, "from the file");
	assert_false(read_from(world, settings, ""));
	assert_int_equal(truncate(path, 0), 0);
	must_fail(world, settings, "ami.secret_file: empty");
}

static void it_must_be_a_plain_file_name(void **state)
{
	static const char *const names[] = {
		"../0367", "a/b", "/etc/passwd", ".hidden", "..", "a b", "a\\\\b"};
	struct world *world = *state;
	char settings[128];

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		(void)snprintf(settings, sizeof(settings),
			"{\"ami\":{\"user\":\"u\",\"secret_file\":\"%s\"}}", names[i]);
		must_fail(world, settings, "ami.secret_file: not a file name");
	}
}

static void what_is_wrong_is_named(void **state)
{
	static const struct {
		const char *settings, *words;
	} cases[] = {
		{"{}", "no ami in the enterprise's settings"},
		{"{\"ami\":null}", "ami"},
		{"{\"ami\":[]}", "ami"},
		{"{\"ami\":{}}", "ami.user: missing"},
		{"{\"ami\":{\"user\":5}}", "ami.user: not a string"},
		{"{\"ami\":{\"user\":\"u\"}}", "ami.secret: missing"},
		{"{\"ami\":{\"user\":\"u\",\"secret\":\"s\",\"port\":-1}}", "ami.port"},
		{"{\"ami\":{\"user\":\"u\",\"secret\":\"s\",\"channel\":\"SIP\"}}", "ami.channel"},
		{"{\"ami\":{\"user\":\"u\",\"secret\":\"s\",\"channel\":\"%d\"}}", "ami.channel"},
		{"{\"ami\":{\"user\":\"u\",\"secret\":\"s\",\"channel\":\"%s%s\"}}", "ami.channel"},
		{"{\"ami\":{\"user\":\"u\",\"secret\":\"s\",\"number\":\"x\"}}", "ami.number"},
	};
	struct world *world = *state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		must_fail(world, cases[i].settings, cases[i].words);
	world->account.ip = world->account.host = "";
	must_fail(world, "{\"ami\":{\"user\":\"u\",\"secret\":\"s\"}}", "ami.host: missing");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_is_left_out_has_a_default),
		TEST(all_of_it),
		TEST(the_secret_may_lie_in_a_file),
		TEST(it_must_be_a_plain_file_name),
		TEST(what_is_wrong_is_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
