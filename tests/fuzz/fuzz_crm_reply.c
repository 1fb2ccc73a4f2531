/*
 * fuzz_crm_reply: any bytes as the answers of a CRM, to any job of any driver; and as what a CRM sends
 * to our paths.
 *
 * The first bytes choose driver, task, kind, status and what is remembered; the rest is the body of
 * each answer. Whatever comes: no crash, an end, a verdict with words, counts within their room.
 */
#include "crm_driver.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { MEMORY_MAX = 64 << 20, CHOICES = 6, MAX_REQUESTS = 200 };

static const struct json_limits limits = {.max_bytes = 1 << 20, .max_depth = 32};

static const char config_text[] =
	"{\"enabled\":true,\"client_secret\":\"secret\",\"domain\":\"a.example\","
	"\"api_key\":\"key\",\"client_id\":\"client\","
	"\"api_token\":\"token\",\"integration_code\":\"code\",\"webhook_uuid\":\"uuid\","
	"\"webhook_secret\":\"hook\",\"secret\":\"whsec_"
	"MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=\","
	"\"url\":\"https://b.example/\",\"portal_domain\":\"c.example\",\"create_customers\":true,"
	"\"user_extensions\":{\"16\":\"150\",\"17\":\"151\"},"
	"\"employee_mapping\":{\"150\":{\"employee_id\":\"16\"}},"
	"\"incoming_call_actions\":{\"create_client_on_call\":true,\"create_client\":true,"
	"\"create_request\":\"if_no_open\",\"create_task\":\"on_missed\",\"missed_call_status\":7}"
	"}";
static const char oauth_text[] =
	"{\"access_token\":\"access\",\"refresh_token\":\"refresh\",\"domain\":\"c.example\","
	"\"member_id\":\"member\",\"application_token\":\"application\","
	"\"client_endpoint\":\"https://c.example/rest/\",\"expires_at\":4000000000000}";
static const char call_text[] =
	"{\"key\":\"1.2\",\"phone\":\"+375291112233\",\"rang\":[\"150\",\"151\"],"
	"\"ringing\":[\"150\"],\"extension\":\"151\",\"talkers\":[\"151\"],\"result\":\"no_"
	"answer\","
	"\"started_at\":1795262400000,\"ended_at\":1795262460000,\"wait_seconds\":9,"
	"\"talk_seconds\":51,\"record_url\":\"https://r.example/1.mp3\"}";

struct world {
	const struct crm_driver *driver;
	struct json *config, *oauth, *call_json;
	struct crm_account account;
	struct crm_call call;
	struct arena *arena;
};

static void require(bool holds)
{
	if (!holds)
		abort();
}

static const struct crm_driver *choose_driver(unsigned choice)
{
	unsigned count = 0;

	while (crm_drivers[count] != NULL)
		count++;
	return crm_drivers[choice % count];
}

static void open_world(struct world *world, unsigned driver)
{
	*world = (struct world){.driver = choose_driver(driver), .arena = arena_new(MEMORY_MAX)};
	world->config = json_parse(str_from(config_text), limits, NULL);
	world->oauth = json_parse(str_from(oauth_text), limits, NULL);
	world->call_json = json_parse(str_from(call_text), limits, NULL);
	require(world->config != NULL && world->oauth != NULL && world->call_json != NULL);
	require(crm_call_read(world->call_json, world->arena, &world->call, NULL));
	world->account = (struct crm_account){.number = "0367",
		.name = "june",
		.country = "BY",
		.locale = "ru",
		.config = world->config,
		.oauth = world->oauth,
		.hook_url = "https://h.example"};
}

static void close_world(struct world *world)
{
	json_free(&world->config);
	json_free(&world->oauth);
	json_free(&world->call_json);
	arena_free(&world->arena);
}

static enum crm_verdict answer(
	struct world *world, struct crm_job *job, int operation, int status, struct str body)
{
	struct json *json = json_parse(body, limits, NULL);
	struct crm_reply reply = {
		.status = status, .body = body, .json = json, .retry_after_ms = -1};
	int64_t wait_ms = -1;
	enum crm_verdict verdict = world->driver->read(job, operation, &reply, &wait_ms);

	json_free(&json);
	require((unsigned)verdict < CRM_VERDICTS && wait_ms >= -1);
	require(verdict == CRM_WELL || job->why.text[0] != '\0');
	return verdict;
}

static void check_end(const struct crm_job *job)
{
	require(job->customer_count <= CRM_MAX_FOUND && job->employee_count <= CRM_MAX_FOUND);
	require(job->memory.size <= CRM_MEMORY_MAX);
	for (unsigned i = 0; i < job->customer_count; i++)
		require(str_is_utf8(job->customers[i].last_name));
}

static void play(struct world *world, struct crm_job *job, int status, struct str body)
{
	enum crm_verdict verdict = CRM_WELL;

	for (unsigned i = 0; verdict == CRM_WELL; i++) {
		struct crm_request request = {.limit = 0};
		int operation = world->driver->next(job);

		require(operation >= CRM_STOP && i < MAX_REQUESTS);
		require(operation != CRM_STOP || job->why.text[0] != '\0');
		if (operation < 0 || !world->driver->build(job, operation, &request))
			break;
		require(request.url != NULL && request.method != NULL && request.name != NULL);
		verdict = answer(world, job, operation, status, body);
		job->done++;
	}
	check_end(job);
}

static void run_job(struct world *world, const uint8_t *choices, struct str body)
{
	static const int statuses[] = {
		200, 201, 204, 301, 400, 401, 403, 404, 409, 410, 412, 429, 500, 502, 503};
	struct crm_job job = {.task = (enum crm_task)(choices[1] % CRM_TASKS),
		.account = &world->account,
		.arena = world->arena,
		.now_ms = INT64_C(1795262475000),
		.kind = (enum crm_kind)(choices[2] % CRM_KINDS),
		.turn = choices[2] / CRM_KINDS % 3,
		.late = (choices[3] & 1) != 0,
		.call = &world->call,
		.phone = STR("+375291112233"),
		.code = (choices[3] & 2) != 0 ? STR("code") : STR("")};

	world->call.outgoing = (choices[3] & 4) != 0;
	world->call.hidden = (choices[3] & 8) != 0;
	if ((choices[3] & 16) != 0 && body.size <= CRM_MEMORY_MAX)
		job.memory = body;
	job.own = arena_alloc(world->arena, world->driver->own_bytes + 1);
	job.customers = arena_array(world->arena, CRM_MAX_FOUND, sizeof(struct crm_customer));
	job.employees = arena_array(world->arena, CRM_MAX_FOUND, sizeof(struct crm_employee));
	play(world, &job, statuses[choices[4] % (sizeof(statuses) / sizeof(statuses[0]))], body);
}

/* The same bytes as a request of the CRM: to each path, as a form and as JSON. */
static void run_hook(struct world *world, bool known, struct str body)
{
	static const char *const types[] = {
		"application/x-www-form-urlencoded", "application/json"};
	const struct crm_hook_route *route = world->driver->hooks;

	for (; route != NULL && route->method != NULL; route++) {
		for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
			struct crm_hook hook = {.method = str_from(route->method),
				.path = str_from(route->path),
				.tail = str_ends(str_from(route->path), STR("*")) ? STR("uuid")
										  : STR(""),
				.body = body,
				.signature = STR("SIGNATURE")};
			struct args_source source = {
				.content_type = str_from(types[i]), .body = body};
			struct crm_heard heard = {.arena = world->arena};
			struct json *json = json_parse(body, limits, NULL);
			struct crm_hook_owner owner = {NULL, STR("")};

			hook.json = json;
			args_read(&hook.args, &source, world->arena, NULL);
			heard.customers = arena_array(
				world->arena, CRM_MAX_FOUND, sizeof(struct crm_customer));
			(void)world->driver->owner(&hook, &owner);
			world->driver->hear(known ? &world->account : NULL, &hook, &heard);
			require(heard.status >= 200 && heard.status < 600);
			require(known || heard.kind == CRM_HEARD_NOTHING);
			require(heard.customer_count <= CRM_MAX_FOUND);
			json_free(&json);
		}
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct world world;
	struct str body;

	if (size < CHOICES)
		return 0;
	body = str_of((const char *)data + CHOICES, size - CHOICES);
	open_world(&world, data[0]);
	run_job(&world, data, body);
	run_hook(&world, (data[5] & 1) != 0, body);
	close_world(&world);
	return 0;
}
