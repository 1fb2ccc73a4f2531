/*
 * golden_job: plays a job against the replies of its file and writes down what came of it.
 */
#include "golden.h"

#include "json_put.h"

static const char *const found_members[] = {"exchange", "end", "why", "memory_after", "customers",
	"employees", "more", "oauth_after", NULL};

struct play {
	struct golden *golden;
	struct golden_seen *seen;
	const struct crm_driver *driver;
	struct crm_account account;
	struct crm_job job;
	struct json_writer *writer;
};

void golden_put_given(struct json_writer *writer, struct golden *golden, const char *const *found)
{
	for (const struct json *at = json_first(golden->json); at != NULL; at = json_next(at)) {
		bool is_found = false;

		for (const char *const *name = found; *name != NULL; name++)
			is_found |= strcmp(*name, json_name(at)) == 0;
		if (is_found)
			continue;
		json_put_name(writer, json_name(at));
		if (json_kind(at) == JSON_TEXT)
			json_put_str(writer, json_text(at));
		else
			json_put_raw(writer, golden_text(at, golden->arena));
	}
}

static void put_value(struct json_writer *writer, const char *name, struct str text)
{
	if (text.size > 0)
		json_put_member_str(writer, name, text);
}

void golden_put_customers(
	struct json_writer *writer, const struct crm_customer *customers, unsigned count)
{
	json_put_name(writer, "customers");
	json_open_array(writer);
	for (unsigned i = 0; i < count; i++) {
		const struct crm_customer *customer = &customers[i];

		json_open_object(writer);
		json_put_member_str(writer, "id", customer->id);
		if (customer->company)
			json_put_member_bool(writer, "company", true);
		put_value(writer, "last_name", customer->last_name);
		put_value(writer, "first_name", customer->first_name);
		put_value(writer, "middle_name", customer->middle_name);
		put_value(writer, "enterprise_name", customer->enterprise_name);
		json_put_name(writer, "phones");
		json_open_array(writer);
		for (size_t j = 0; j < customer->phones.count; j++)
			json_put_str(writer, customer->phones.items[j]);
		json_close_array(writer);
		put_value(writer, "manager_id", customer->manager_id);
		if (customer->deleted)
			json_put_member_bool(writer, "deleted", true);
		json_close_object(writer);
	}
	json_close_array(writer);
}

static void put_employees(struct json_writer *writer, const struct crm_job *job)
{
	json_put_name(writer, "employees");
	json_open_array(writer);
	for (unsigned i = 0; i < job->employee_count; i++) {
		const struct crm_employee *employee = &job->employees[i];

		json_open_object(writer);
		json_put_member_str(writer, "id", employee->id);
		put_value(writer, "name", employee->name);
		put_value(writer, "email", employee->email);
		put_value(writer, "phone", employee->phone);
		put_value(writer, "extension", employee->extension);
		json_close_object(writer);
	}
	json_close_array(writer);
}

/* -- requests ------------------------------------------------------------------------------------ */

/* A form's values that are JSON are shown as JSON, so that their members can be compared. */
static void put_form(struct json_writer *writer, struct golden *golden, struct str body)
{
	struct args_source source = {
		.content_type = STR("application/x-www-form-urlencoded"), .body = body};
	struct error error = {0};
	struct args *args = arena_alloc(golden->arena, sizeof(*args));

	if (!args_read(args, &source, golden->arena, &error))
		fail_msg("the form: %s", error.text);
	json_put_name(writer, "form");
	json_open_object(writer);
	for (size_t i = 0; i < args->count; i++) {
		struct str value = args->items[i].value;
		bool is_json = value.size > 0 && strchr("{[", value.data[0]) != NULL &&
			       golden_parse(golden, value) != NULL;

		json_put_name(writer, arena_strndup(golden->arena, args->items[i].name.data,
					      args->items[i].name.size));
		if (is_json)
			json_put_raw(writer, value);
		else
			json_put_str(writer, value);
	}
	json_close_object(writer);
}

static void put_body(
	struct json_writer *writer, struct golden *golden, const struct crm_request *request)
{
	struct str type = str_from(request->content_type);

	if (request->body.size == 0)
		return;
	if (str_starts(type, STR("application/x-www-form-urlencoded"))) {
		put_form(writer, golden, request->body);
	} else if (str_starts(type, STR("application/json"))) {
		if (golden_parse(golden, request->body) == NULL)
			fail_msg("%s: the body is no JSON", request->name);
		json_put_member_raw(writer, "json", request->body);
	} else {
		put_value(writer, "content_type", type);
		json_put_member_str(writer, "body", request->body);
	}
}

/* A line end in an address or header would be a second header. */
static void check_line(const char *text)
{
	for (const char *at = text; *at != '\0'; at++) {
		if ((unsigned char)*at < ' ')
			fail_msg("a control character in %s", text);
	}
}

static void put_request(struct play *play, const struct crm_request *request)
{
	const char *leak = golden_leak(play->golden, str_from(request->url));
	struct json_writer *writer = play->writer;

	if (leak != NULL && !json_is_true(json_member(play->golden->json, "url_holds_secret")))
		fail_msg("the URL holds \"%s\", and \"url_holds_secret\" does not say so", leak);
	check_line(request->url);
	json_put_name(writer, "request");
	json_open_object(writer);
	json_put_member_str(writer, "name", str_from(request->name));
	json_put_member_str(writer, "method", str_from(request->method));
	json_put_member_str(writer, "url", str_from(request->url));
	json_put_name(writer, "headers");
	json_open_object(writer);
	for (size_t i = 0; i < CRM_MAX_HEADERS && request->headers[i][0] != NULL; i++) {
		check_line(request->headers[i][1]);
		json_put_member_str(
			writer, request->headers[i][0], str_from(request->headers[i][1]));
	}
	json_close_object(writer);
	put_body(writer, play->golden, request);
	json_close_object(writer);
}

/* The driver's own list of names must agree with what it sends. */
static void check_operation(
	const struct crm_driver *driver, int operation, const struct crm_request *request)
{
	int count = 0;

	while (driver->operations != NULL && driver->operations[count] != NULL)
		count++;
	if (operation >= count || operation >= GOLDEN_MAX_OPERATIONS)
		fail_msg("operation %d is not in the driver's list", operation);
	assert_string_equal(request->name, driver->operations[operation]);
	assert_true(request->limit < CRM_MAX_LIMITS);
	assert_true(driver->limits[request->limit].units_per_second > 0);
}

/* One request and its reply; NULL to go on, else how the job ended. */
static const char *exchange(struct play *play, int operation, const struct json *given)
{
	const struct json *reply_json = json_member(given, "reply");
	struct crm_request request = {0};
	enum crm_verdict verdict;
	struct crm_reply reply;
	int64_t wait_ms = -1;

	if (!play->driver->build(&play->job, operation, &request))
		return "refused";
	check_operation(play->driver, operation, &request);
	json_open_object(play->writer);
	put_request(play, &request);
	if (reply_json == NULL) {
		json_close_object(play->writer);
		return "there is no reply for this";
	}
	json_put_member_raw(play->writer, "reply", golden_text(reply_json, play->golden->arena));
	reply = golden_reply(play->golden, reply_json);
	verdict = play->driver->read(&play->job, operation, &reply, &wait_ms);
	golden_reply_free(play->golden);
	json_put_member_str(play->writer, "verdict", str_from(crm_verdict_name(verdict)));
	if (verdict == CRM_SLOWER)
		json_put_member_int(play->writer, "wait_ms", wait_ms);
	json_close_object(play->writer);
	if (verdict != CRM_WELL) {
		play->seen->failed[operation]++;
		return crm_verdict_name(verdict);
	}
	play->seen->well[operation]++;
	play->job.done++;
	return NULL;
}

static const char *end_name(int operation)
{
	switch (operation) {
	case CRM_DONE:
		return "done";
	case CRM_SKIP:
		return "skip";
	case CRM_STOP:
		return "stop";
	default:
		return "?";
	}
}

static const char *play_all(struct play *play)
{
	const struct json *given = json_first(json_member(play->golden->json, "exchange"));

	for (unsigned i = 0; i < GOLDEN_MAX_REQUESTS; i++) {
		int operation = play->driver->next(&play->job);
		const char *end;

		if (operation < 0)
			return end_name(operation);
		end = exchange(play, operation, given);
		if (end != NULL)
			return end;
		given = given != NULL ? json_next(given) : NULL;
	}
	return "it never ends";
}

static void put_found(struct play *play, const char *end)
{
	const struct crm_job *job = &play->job;
	const struct json *memory = json_member(play->golden->json, "memory");
	struct str before = json_first(memory) != NULL ? golden_text(memory, play->golden->arena)
						       : str_of(NULL, 0);

	assert_true(job->memory.size <= CRM_MEMORY_MAX);
	if (golden_leak(play->golden, str_from(job->why.text)) != NULL)
		fail_msg("a secret in: %s", job->why.text);
	json_put_member_str(play->writer, "end", str_from(end));
	put_value(play->writer, "why", str_from(job->why.text));
	if (!str_equal(before, job->memory))
		json_put_member_raw(play->writer, "memory_after", job->memory);
	if (job->customer_count > 0)
		golden_put_customers(play->writer, job->customers, job->customer_count);
	if (job->employee_count > 0)
		put_employees(play->writer, job);
	if (job->more)
		json_put_member_bool(play->writer, "more", true);
	if (job->oauth_after.size > 0)
		json_put_member_raw(play->writer, "oauth_after", job->oauth_after);
}

void golden_run_job(struct golden *golden, struct golden_seen *seen, struct buf *to)
{
	struct json_writer writer;
	struct play play = {
		.golden = golden, .seen = seen, .driver = golden->driver, .writer = &writer};
	const char *end;

	json_begin(&writer, to);
	play.account = golden_account(golden);
	play.job = golden_job(golden, &play.account);
	json_open_object(&writer);
	golden_put_given(&writer, golden, found_members);
	json_put_name(&writer, "exchange");
	json_open_array(&writer);
	end = play_all(&play);
	json_close_array(&writer);
	put_found(&play, end);
	json_close_object(&writer);
}

/* -- replies that nobody expects ------------------------------------------------------------------ */

static const char *const hostile_replies[] = {
	"{\"status\":200,\"body\":\"\"}",
	"{\"status\":200,\"body\":\"<html><body>Welcome</body></html>\"}",
	"{\"status\":200,\"body\":\"null\"}",
	"{\"status\":200,\"body\":\"[]\"}",
	"{\"status\":200,\"body\":\"{}\"}",
	"{\"status\":200,\"body\":\"\\\"text\\\"\"}",
	"{\"status\":200,\"body\":\"{\\\"result\\\":[1,null,{}],\\\"success\\\":true,\\\"rows\\\":"
	"7}\"}",
	"{\"status\":301,\"headers\":{\"Location\":\"https://elsewhere.example/\"},\"body\":\"\"}",
	"{\"status\":400,\"body\":\"{\\\"success\\\":false,\\\"errorMsg\\\":7,\\\"errors\\\":[{}]}"
	"\"}",
	"{\"status\":401,\"body\":\"\"}",
	"{\"status\":429,\"headers\":{\"Retry-After\":\"-5\"},\"body\":\"\"}",
	"{\"status\":500,\"body\":\"<html>\"}",
	"{\"status\":503,\"body\":\"{\"}",
};

static void check_verdict(
	const struct crm_job *job, enum crm_verdict verdict, int status, int64_t wait_ms)
{
	assert_true((unsigned)verdict < CRM_VERDICTS && wait_ms >= -1);
	assert_true(verdict == CRM_WELL || job->why.text[0] != '\0');
	assert_false(verdict == CRM_WELL && (status >= 500 || status == 401 || status == 429));
}

static enum crm_verdict hostile_step(
	struct golden *golden, struct crm_job *job, int operation, const struct json *json)
{
	struct crm_reply reply = golden_reply(golden, json);
	int64_t wait_ms = -1;
	enum crm_verdict verdict = golden->driver->read(job, operation, &reply, &wait_ms);

	check_verdict(job, verdict, reply.status, wait_ms);
	golden_reply_free(golden);
	job->done += verdict == CRM_WELL ? 1 : 0;
	return verdict;
}

/* Answer the `at`-th request and all that follow with this, those before it as the file has it. */
static void play_hostile(struct golden *golden, unsigned at, const char *text)
{
	const struct json *given = json_first(json_member(golden->json, "exchange"));
	const struct json *hostile = golden_parse(golden, str_from(text));
	struct crm_account account = golden_account(golden);
	struct crm_job job = golden_job(golden, &account);
	enum crm_verdict verdict = CRM_WELL;

	for (unsigned i = 0; i < GOLDEN_MAX_REQUESTS && verdict == CRM_WELL; i++) {
		int operation = golden->driver->next(&job);
		struct crm_request request = {0};

		assert_true(operation >= CRM_STOP);
		if (operation < 0 || !golden->driver->build(&job, operation, &request))
			break;
		verdict = hostile_step(golden, &job, operation,
			i >= at || given == NULL ? hostile : json_member(given, "reply"));
		given = given != NULL ? json_next(given) : NULL;
	}
	assert_true(job.customer_count <= CRM_MAX_FOUND && job.employee_count <= CRM_MAX_FOUND);
	assert_true(job.memory.size <= CRM_MEMORY_MAX);
}

void golden_run_hostile(struct golden *golden)
{
	size_t count = json_count(json_member(golden->json, "exchange"));

	for (unsigned at = 0; at < count; at++) {
		for (size_t i = 0; i < sizeof(hostile_replies) / sizeof(hostile_replies[0]); i++) {
			struct golden once = {.driver = golden->driver,
				.json = golden->json,
				.arena = arena_new(16 << 20)};

			play_hostile(&once, at, hostile_replies[i]);
			golden_free(&once);
		}
	}
}
