/*
 * test_crm_common: what all drivers share: who is who, settings, addresses, what a status means, masks.
 */
#include "crm_make.h"

#include "../base/check.h"

enum { ARENA_BYTES = 1 << 20 };

static const struct json_limits limits = {.max_bytes = 1 << 20, .max_depth = 32};

struct world {
	struct arena *arena;
	struct json *config;
	struct crm_account account;
};

static void open_world(struct world *world, const char *config)
{
	*world = (struct world){.arena = arena_new(ARENA_BYTES)};
	world->config = json_parse(str_from(config), limits, NULL);
	assert_non_null(world->config);
	world->account = (struct crm_account){
		.number = "0367", .country = "BY", .locale = "ru", .config = world->config};
}

static void close_world(struct world *world)
{
	json_free(&world->config);
	arena_free(&world->arena);
}

/* -- who is who ---------------------------------------------------------------------------------- */

static void check_people(const char *config, const char *user, const char *extension)
{
	struct world world;

	open_world(&world, config);
	assert_str(crm_user_of(&world.account, str_from(extension), world.arena), user);
	assert_str(crm_extension_of(&world.account, str_from(user), world.arena), extension);
	assert_str(crm_user_of(&world.account, STR("199"), world.arena), "");
	assert_str(crm_user_of(&world.account, STR(""), world.arena), "");
	assert_str(crm_extension_of(&world.account, STR("99"), world.arena), "");
	assert_str(crm_extension_of(&world.account, STR(""), world.arena), "");
	close_world(&world);
}

static void maps_of_both_directions(void **state)
{
	check_people("{\"user_extensions\":{\"15\":null,\"16\":\"150\",\"17\":\"\"}}", "16", "150");
	check_people("{\"user_extensions\":{\"16\":150}}", "16", "150");
	check_people("{\"employee_mapping\":{\"150\":{\"employee_id\":\"u-1\",\"name\":\"A\"}}}",
		"u-1", "150");
	check_people("{\"user_mapping\":{\"150\":16,\"151\":[]}}", "16", "150");
	/* An empty new map does not hide an old one. */
	check_people("{\"user_extensions\":{},\"user_mapping\":{\"150\":\"16\"}}", "16", "150");
}

static void nobody_is_mapped(void **state)
{
	static const char *const configs[] = {"{}", "{\"user_extensions\":[]}",
		"{\"user_extensions\":\"16\"}", "{\"user_extensions\":null}", "[]"};

	for (size_t i = 0; i < sizeof(configs) / sizeof(configs[0]); i++) {
		struct world world;

		open_world(&world, configs[i]);
		assert_str(crm_user_of(&world.account, STR("150"), world.arena), "");
		assert_str(crm_extension_of(&world.account, STR("16"), world.arena), "");
		close_world(&world);
	}
}

/* -- settings ------------------------------------------------------------------------------------ */

static void settings(void **state)
{
	struct world world;

	open_world(&world, "{\"a\":\" x \",\"b\":7,\"c\":{\"d\":\"e\",\"on\":\"yes\",\"off\":0},"
			   "\"t\":true,\"n\":null,\"key\":\"a b\",\"good\":\"aB3-\"}");
	assert_str(crm_config_text(&world.account, "a", NULL, world.arena), "x");
	assert_str(crm_config_text(&world.account, "b", NULL, world.arena), "7");
	assert_str(crm_config_text(&world.account, "c.d", NULL, world.arena), "e");
	assert_str(crm_config_text(&world.account, "n", "f", world.arena), "f");
	assert_str(crm_config_text(&world.account, "c.d.e", "f", world.arena), "f");
	assert_true(crm_config_bool(&world.account, "t", false));
	assert_true(crm_config_bool(&world.account, "c.on", false));
	assert_false(crm_config_bool(&world.account, "c.off", true));
	assert_true(crm_config_bool(&world.account, "none", true));
	assert_null(crm_config_key(&world.account, "key", world.arena));
	assert_null(crm_config_key(&world.account, "none", world.arena));
	assert_string_equal(crm_config_key(&world.account, "good", world.arena), "aB3-");
	close_world(&world);
}

static void addresses(void **state)
{
	static const char *const rows[][2] = {
		{"{\"u\":\"crm.example\"}", "https://crm.example"},
		{"{\"u\":\"https://crm.example//\"}", "https://crm.example"},
		{"{\"u\":\"http://127.0.0.1:8030\"}", "http://127.0.0.1:8030"},
		{"{\"u\":\"https://crm.example/api\"}", "https://crm.example/api"},
		{"{\"u\":\"https://[::1]:1/\"}", "https://[::1]:1"},
		{"{}", "https://fallback.example"},
		{"{\"u\":\"https://a@b.example\"}", NULL},
		{"{\"u\":\"https://b.example?x\"}", NULL},
		{"{\"u\":\"b.example#x\"}", NULL},
		{"{\"u\":\"b.example\\r\\nX: 1\"}", NULL},
		{"{\"u\":\"https://\"}", NULL},
		{"{\"u\":\"file:///etc/passwd\"}", NULL},
		{"{\"u\":\"https:///etc\"}", NULL},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct world world;
		const char *url;

		open_world(&world, rows[i][0]);
		url = crm_config_url(&world.account, "u", "https://fallback.example", world.arena);
		if (rows[i][1] == NULL)
			assert_null(url);
		else
			assert_string_equal(url, rows[i][1]);
		close_world(&world);
	}
}

static void same_numbers(void **state)
{
	static const struct {
		const char *a, *b;
		bool same;
	} rows[] = {
		{"+375 29 111-22-33", "375291112233", true},
		{"8 (029) 111-22-33", "+375291112233", true},
		{" 375291112233", "+375291112233", true},
		{"+375291112234", "+375291112233", false},
		{"291112233", "+375291112233", true},
		{"150", "150", true},
		{"150", "+375291112150", false},
		{"", "", false},
		{"abc", "abc", false},
	};
	struct world world;

	open_world(&world, "{}");
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_int_equal(
			crm_same_number(&world.account, str_from(rows[i].a), str_from(rows[i].b)),
			rows[i].same);
	close_world(&world);
}

/* -- replies ------------------------------------------------------------------------------------- */

static void statuses(void **state)
{
	static const struct {
		int status;
		enum crm_verdict verdict;
	} rows[] = {
		{200, CRM_WELL},
		{204, CRM_WELL},
		{0, CRM_REFUSED},
		{100, CRM_REFUSED},
		{301, CRM_REFUSED},
		{304, CRM_REFUSED},
		{400, CRM_REFUSED},
		{401, CRM_LOCKED},
		{403, CRM_LOCKED},
		{404, CRM_REFUSED},
		{408, CRM_SLOWER},
		{410, CRM_GONE},
		{425, CRM_SLOWER},
		{429, CRM_SLOWER},
		{500, CRM_AGAIN},
		{599, CRM_AGAIN},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct crm_reply reply = {.status = rows[i].status};
		struct crm_job job = {.late = false};

		assert_int_equal(crm_verdict_of_status(&job, &reply), rows[i].verdict);
		assert_int_equal(job.why.text[0] == '\0', rows[i].verdict == CRM_WELL);
	}
}

static void a_page_is_no_answer(void **state)
{
	struct crm_reply reply = {.status = 200, .body = STR("<html>Login</html>")};
	struct crm_job job = {.late = false};

	assert_int_equal(crm_verdict_of_status(&job, &reply), CRM_REFUSED);
	assert_string_equal(job.why.text, "the answer is no JSON (HTTP 200)");
}

static void headers_in_any_case(void **state)
{
	struct crm_reply reply = {.header_count = 1};

	reply.headers[0].name = STR("Retry-After");
	reply.headers[0].value = STR("3");
	assert_str(crm_reply_header(&reply, "retry-after"), "3");
	assert_str(crm_reply_header(&reply, "retry"), "");
}

/* -- masks and the list -------------------------------------------------------------------------- */

static void masks(void **state)
{
	static const char *const secrets[] = {"api_key", "password", NULL};
	static const struct crm_driver driver = {.secrets = secrets};
	struct world world;
	struct buf buf;

	open_world(&world, "{\"api_key\":\"k\",\"a\":[{\"password\":{\"x\":1}},{\"b\":null}],"
			   "\"password\":\"\",\"n\":1.5,\"t\":true,\"s\":\"api_key\"}");
	buf_init(&buf, ARENA_BYTES);
	crm_config_masked(&driver, world.config, &buf);
	assert_str(buf_str(&buf),
		"{\"api_key\":\"***\",\"a\":[{\"password\":\"***\"},{\"b\":null}],"
		"\"password\":\"\",\"n\":1.5,\"t\":true,\"s\":\"api_key\"}");
	buf_free(&buf);
	close_world(&world);
}

static void masks_what_is_deep(void **state)
{
	static const char *const secrets[] = {"k", NULL};
	static const struct crm_driver driver = {.secrets = secrets};
	struct world world;
	struct buf buf;

	open_world(&world, "[[[[[[[[[[[[[[[[[[[[{\"k\":\"secret\"}]]]]]]]]]]]]]]]]]]]]");
	buf_init(&buf, ARENA_BYTES);
	crm_config_masked(&driver, world.config, &buf);
	assert_null(strstr(buf.data, "secret"));
	buf_free(&buf);
	close_world(&world);
}

/* What a driver must have to be served: checked for each that is in the list. */
static void the_list(void **state)
{
	for (size_t i = 0; crm_drivers[i] != NULL; i++) {
		const struct crm_driver *driver = crm_drivers[i];

		assert_ptr_equal(crm_driver_of_program(str_from(driver->program)), driver);
		assert_ptr_equal(crm_driver_of_code(str_from(driver->code)), driver);
		assert_ptr_equal(crm_driver_of_code(str_from(driver->program)), driver);
		assert_non_null(driver->title);
		assert_non_null(driver->secrets);
		assert_non_null(driver->hosts);
		assert_non_null(driver->operations);
		assert_in_range(driver->port, 8000, 8099);
		assert_true(driver->kinds != 0 && driver->kinds < 1U << CRM_KINDS);
		assert_true(
			driver->hooks == NULL || (driver->owner != NULL && driver->hear != NULL));
		for (size_t j = 0; j < i; j++)
			assert_int_not_equal(crm_drivers[j]->port, driver->port);
	}
	assert_null(crm_driver_of_code(STR("amo")));
	assert_null(crm_driver_of_program(STR("")));
}

/* What a second may bring, burst and all, stays a tenth below the vendor's limit (facts, 7.5). */
static void limits_have_a_margin(void **state)
{
	static const struct {
		const char *program;
		unsigned limit;
		double vendor;
	} rows[] = {{"retailcrm", 0, 10}, {"retailcrm", 1, 40}, {"uon", 0, 10}};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct crm_limit *limit =
			&crm_driver_of_program(str_from(rows[i].program))->limits[rows[i].limit];

		assert_true(limit->burst + limit->units_per_second <= 0.9 * rows[i].vendor);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(maps_of_both_directions),
		cmocka_unit_test(nobody_is_mapped),
		cmocka_unit_test(settings),
		cmocka_unit_test(addresses),
		cmocka_unit_test(same_numbers),
		cmocka_unit_test(statuses),
		cmocka_unit_test(a_page_is_no_answer),
		cmocka_unit_test(headers_in_any_case),
		cmocka_unit_test(masks),
		cmocka_unit_test(masks_what_is_deep),
		cmocka_unit_test(the_list),
		cmocka_unit_test(limits_have_a_margin),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
