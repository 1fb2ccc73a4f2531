/*
 * test_refold_calls: events in, rows of finished calls out, each once and as late as it has to be.
 */
#include "refold_calls.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define LINGER_MS 60000
#define BEGAN_MS  INT64_C(1795237200000)
#define ALL	  ((struct refold_window){CALL_NO_TIME, CALL_NO_TIME})

static const struct refold_tenant tenant = {.country = "BY", .fallback_extension = ""};

struct scene {
	struct refold_calls *calls;
	struct buf rows;
	int64_t id;
};

static struct scene scene_begin(struct refold_window scope)
{
	struct scene scene = {.calls = refold_calls_new(LINGER_MS, scope)};

	buf_init(&scene.rows, (size_t)1 << 20);
	refold_calls_begin(scene.calls, STR("0367"), &tenant);
	return scene;
}

static void scene_end(struct scene *scene)
{
	refold_calls_free(&scene->calls);
	buf_free(&scene->rows);
}

static bool play(struct scene *scene, const char *type, int64_t after_ms, const char *source,
	const char *body)
{
	struct error error;
	const struct refold_event event = {.id = ++scene->id,
		.shard = 3,
		.at_ms = BEGAN_MS + after_ms,
		.enterprise = STR("0367"),
		.type = str_from(type),
		.data_source = str_from(source),
		.trace_id = STR("t"),
		.body = str_from(body)};

	return refold_calls_event(scene->calls, &event, &scene->rows, &error);
}

static void call_begins(struct scene *scene, int64_t after_ms, const char *source)
{
	assert_true(play(scene, "dial", after_ms, source,
		"{\"UniqueId\":\"1795237200.1\",\"Phone\":\"375291112233\",\"Trunk\":\"0001363\","
		"\"CallType\":0,\"Extensions\":[\"150\"]}"));
}

static void call_ends(struct scene *scene, int64_t after_ms, const char *source)
{
	assert_true(play(scene, "hangup", after_ms, source,
		"{\"UniqueId\":\"1795237200.1\",\"Phone\":\"375291112233\",\"Trunk\":\"0001363\","
		"\"CallType\":0,\"CallStatus\":0,\"Extensions\":[\"150\"]}"));
}

/* Any event of another call: time passes. */
static void time_passes(struct scene *scene, int64_t after_ms)
{
	assert_true(play(scene, "dial", after_ms, "live",
		"{\"UniqueId\":\"1795239999.9\",\"Phone\":\"375297777777\",\"Trunk\":\"0001366\","
		"\"CallType\":0,\"Extensions\":[\"151\"]}"));
}

static void test_a_row_leaves_when_nothing_can_change_it(void **state)
{
	struct scene scene = scene_begin(ALL);

	call_begins(&scene, 0, "live");
	call_ends(&scene, 5000, "live");
	time_passes(&scene, 6000);
	assert_int_equal(scene.rows.size, 0);
	time_passes(&scene, 5000 + LINGER_MS + 1);
	assert_non_null(strstr(scene.rows.data, "\"unique_id\":\"1795237200.1\""));
	assert_non_null(strstr(scene.rows.data, "\"state\":\"ended\""));
	assert_non_null(strstr(scene.rows.data, "\"in_scope\":true,\"recovered\":false}"));
	assert_non_null(strstr(scene.rows.data, "\"extension\":\"150\""));
	scene_end(&scene);
}

static void test_what_is_open_at_the_end_is_out_of_scope(void **state)
{
	struct scene scene = scene_begin(ALL);

	call_begins(&scene, 0, "live");
	refold_calls_end(scene.calls, BEGAN_MS + 1000, &scene.rows);
	assert_non_null(strstr(scene.rows.data, "\"state\":\"ringing\""));
	assert_non_null(strstr(scene.rows.data, "\"in_scope\":false"));
	scene_end(&scene);
}

static void test_a_call_that_nobody_ended_is_lost_in_the_end(void **state)
{
	struct scene scene = scene_begin(ALL);

	call_begins(&scene, 0, "live");
	refold_calls_end(scene.calls, BEGAN_MS + INT64_C(5) * 3600 * 1000, &scene.rows);
	assert_non_null(strstr(scene.rows.data, "\"state\":\"lost\""));
	assert_non_null(strstr(scene.rows.data, "\"in_scope\":true"));
	scene_end(&scene);
}

static void test_calls_outside_the_stretch_are_out_of_scope(void **state)
{
	struct scene scene =
		scene_begin((struct refold_window){BEGAN_MS + 10000, BEGAN_MS + 20000});

	call_begins(&scene, 0, "live");
	call_ends(&scene, 5000, "live");
	time_passes(&scene, 15000);
	refold_calls_end(scene.calls, BEGAN_MS + INT64_C(5) * 3600 * 1000, &scene.rows);
	const char *before = strstr(scene.rows.data, "1795237200.1");
	const char *inside = strstr(scene.rows.data, "1795239999.9");
	assert_true(before != NULL && inside != NULL);
	/* In each row it is the last but one. */
	assert_true(strncmp(strstr(before, "\"in_scope\":"), "\"in_scope\":false", 16) == 0);
	assert_true(strncmp(strstr(inside, "\"in_scope\":"), "\"in_scope\":true", 15) == 0);
	scene_end(&scene);
}

static void test_where_a_call_comes_from_is_where_its_first_event_does(void **state)
{
	struct scene scene = scene_begin(ALL);

	call_begins(&scene, 0, "recovery");
	call_ends(&scene, 5000, "live");
	refold_calls_end(scene.calls, BEGAN_MS + LINGER_MS, &scene.rows);
	assert_non_null(strstr(scene.rows.data, "\"data_source\":\"recovery\""));
	scene_end(&scene);
	scene = scene_begin(ALL);
	call_begins(&scene, 0, "live");
	call_ends(&scene, 5000, "recovery");
	refold_calls_end(scene.calls, BEGAN_MS + LINGER_MS, &scene.rows);
	assert_non_null(strstr(scene.rows.data, "\"data_source\":\"live\""));
	assert_non_null(strstr(scene.rows.data, "\"recovered\":true"));
	scene_end(&scene);
}

static void test_what_cannot_be_read_is_passed_over(void **state)
{
	struct scene scene = scene_begin(ALL);

	call_begins(&scene, 0, "live");
	assert_false(play(&scene, "hangup", 1000, "live", "{\"UniqueId\":[]}"));
	assert_false(play(&scene, "nonsense", 2000, "live", "{}"));
	call_ends(&scene, 5000, "live");
	refold_calls_end(scene.calls, BEGAN_MS + LINGER_MS, &scene.rows);
	assert_non_null(strstr(scene.rows.data, "\"state\":\"ended\""));
	scene_end(&scene);
}

static void test_one_enterprise_after_another(void **state)
{
	struct scene scene = scene_begin(ALL);

	call_begins(&scene, 0, "live");
	refold_calls_end(scene.calls, BEGAN_MS + INT64_C(5) * 3600 * 1000, &scene.rows);
	refold_calls_begin(scene.calls, STR("0368"), &tenant);
	call_begins(&scene, 0, "live");
	refold_calls_end(scene.calls, BEGAN_MS + INT64_C(5) * 3600 * 1000, &scene.rows);
	assert_non_null(strstr(scene.rows.data, "\"enterprise_id\":\"0367\""));
	assert_non_null(strstr(scene.rows.data, "\"enterprise_id\":\"0368\""));
	scene_end(&scene);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_row_leaves_when_nothing_can_change_it),
		cmocka_unit_test(test_what_is_open_at_the_end_is_out_of_scope),
		cmocka_unit_test(test_a_call_that_nobody_ended_is_lost_in_the_end),
		cmocka_unit_test(test_calls_outside_the_stretch_are_out_of_scope),
		cmocka_unit_test(test_where_a_call_comes_from_is_where_its_first_event_does),
		cmocka_unit_test(test_what_cannot_be_read_is_passed_over),
		cmocka_unit_test(test_one_enterprise_after_another),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
