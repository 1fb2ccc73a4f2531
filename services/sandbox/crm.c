/*
 * crm: offices, routes, limits and answers of the CRMs. An office exists as soon as its key is used:
 * a test declares only what is unusual; three hundred enterprises need no preparation.
 */
#include "crm.h"

#include "alloc.h"
#include "json_put.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>

#define MAX_BODY_DEPTH 16

/* -- life ------------------------------------------------------------------------------------------- */

struct crm *crm_start(struct sandbox *sandbox, const struct crm_spec *spec)
{
	struct crm *crm = alloc_zeroed(1, sizeof(*crm));

	crm->spec = spec;
	crm->sandbox = sandbox;
	crm->by_key = table_new();
	crm->last = &crm->first;
	memcpy(crm->limits, spec->limits, sizeof(crm->limits));
	return crm;
}

void crm_reset(void *state)
{
	struct crm *crm = state;
	struct office *office;

	while ((office = crm->first) != NULL) {
		crm->first = office->next;
		(void)table_remove(crm->by_key, str_from(office->key));
		office_free(&office);
	}
	crm->last = &crm->first;
	memcpy(crm->limits, crm->spec->limits, sizeof(crm->limits));
	crm->unlimited = false;
	crm->revision++;
}

void crm_stop(void *state)
{
	struct crm *crm = state;

	crm_reset(crm);
	table_free(&crm->by_key);
	free(crm);
}

void crm_stats(void *state, struct buf *to)
{
	const struct crm *crm = state;
	int64_t counts[5] = {0};
	struct json_writer writer;

	for (const struct office *at = crm->first; at != NULL; at = at->next) {
		counts[0]++;
		counts[1] += (int64_t)at->count[CARD_CALL];
		counts[2] += at->requests;
		counts[3] += at->refused;
		counts[4] += at->violations;
	}
	json_begin(&writer, to);
	json_open_object(&writer);
	json_put_member_int(&writer, "accounts", counts[0]);
	json_put_member_int(&writer, "calls", counts[1]);
	json_put_member_int(&writer, "requests", counts[2]);
	json_put_member_int(&writer, "refused", counts[3]);
	json_put_member_int(&writer, "violations", counts[4]);
	json_close_object(&writer);
}

struct crm *crm_named(struct sandbox *sandbox, struct str name)
{
	static const struct outside_service *const crms[] = {&crm_retail_service, &crm_uon_service,
		&crm_moysklad_service, &crm_bitrix_service, &crm_hook_service};

	for (size_t i = 0; i < sizeof(crms) / sizeof(crms[0]); i++) {
		if (str_equal(name, str_from(crms[i]->name)))
			return sandbox->outside[outside_find_name(name)];
	}
	return NULL;
}

int64_t crm_revision(struct sandbox *sandbox)
{
	static const char *const names[] = {"retailcrm", "uon", "moysklad", "bitrix24", "webhook"};
	int64_t sum = 0;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		sum += crm_named(sandbox, str_from(names[i]))->revision;
	return sum;
}

/* -- offices ---------------------------------------------------------------------------------------- */

bool crm_key_is_well_formed(struct str key)
{
	if (key.size < 4 || key.size > 200)
		return false;
	for (size_t i = 0; i < key.size; i++) {
		if (!isalnum((unsigned char)key.data[i]) && strchr("-_.=", key.data[i]) == NULL)
			return false;
	}
	return true;
}

struct office *crm_known_office(const struct crm *crm, struct str key)
{
	return table_get(crm->by_key, key);
}

struct office *crm_office(struct crm *crm, struct str key)
{
	struct office *office = table_get(crm->by_key, key);

	if (office != NULL || table_count(crm->by_key) >= CRM_MAX_OFFICES)
		return office;
	office = office_new(key, (int64_t)table_count(crm->by_key) + 1);
	(void)table_put(crm->by_key, key, office);
	*crm->last = office;
	crm->last = &office->next;
	return office;
}

bool crm_has_declared(const struct crm *crm)
{
	for (const struct office *at = crm->first; at != NULL; at = at->next) {
		if (at->declared)
			return true;
	}
	return false;
}

bool crm_takes_user(const struct office *office, struct str id)
{
	const struct card *user = office_by_id(office, CARD_USER, id);

	return office->count[CARD_USER] == 0 || (user != NULL && !card_is(user, "active", "false"));
}

struct card *crm_user_of_extension(const struct office *office, struct str extension)
{
	for (struct card *at = office->first[CARD_USER]; at != NULL && extension.size > 0;
		at = at->next) {
		if (str_equal(card_get(at, "code"), extension))
			return at;
	}
	return NULL;
}

/* -- parameters ------------------------------------------------------------------------------------- */

/* The secrets go to the end of the list under names that no request can have, so that the notes show
 * "***" in their place. */
void crm_read_args(struct outside_call *call, const char *const *secrets)
{
	struct args_source source = {call->query, call->content_type, call->body};

	call->args_error.kind = ERROR_NONE;
	(void)args_read(&call->args, &source, call->arena, &call->args_error);
	call->secrets = arena_array(call->arena, 4, sizeof(*call->secrets));
	for (unsigned n = 0; n < 4 && secrets != NULL && secrets[n] != NULL; n++) {
		for (size_t i = 0; i < call->args.count; i++) {
			if (!str_equal(call->args.items[i].name, str_from(secrets[n])))
				continue;
			if (call->secrets[n].name == NULL)
				call->secrets[n].value = call->args.items[i].value;
			call->secrets[n].name = secrets[n];
			call->args.items[i].value = STR("***");
			call->args.items[i].is_json = false;
		}
	}
}

struct str crm_secret(const struct outside_call *call, const char *name)
{
	for (unsigned i = 0; i < 4; i++) {
		if (call->secrets[i].name != NULL && strcmp(call->secrets[i].name, name) == 0)
			return call->secrets[i].value;
	}
	return (struct str){0};
}

struct str crm_arg(const struct crm_request *request, const char *name)
{
	return args_get(request->args, name);
}

int64_t crm_arg_int(const struct crm_request *request, const char *name, int64_t fallback)
{
	int64_t value;

	return args_int(request->args, name, &value) ? value : fallback;
}

struct str crm_member(const struct crm_request *request, const struct json *json, const char *name)
{
	const struct json *member = json_member(json, name);
	struct buf text;
	const char *kept;

	if (json_kind(member) == JSON_TEXT)
		return json_text(member);
	if (member == NULL || json_kind(member) == JSON_NULL)
		return (struct str){0};
	buf_init(&text, CARD_MAX_TEXT);
	json_print(&text, member, false);
	kept = arena_strndup(request->call->arena, text.data != NULL ? text.data : "", text.size);
	buf_free(&text);
	return str_from(kept);
}

/* -- answers ---------------------------------------------------------------------------------------- */

void crm_open_answer(struct outside_call *call, int status, struct json_writer *writer)
{
	call->status = status;
	/* A fault may have had it act already; what it said then is replaced. */
	buf_clear(&call->reply);
	json_begin(writer, &call->reply);
	json_open_object(writer);
}

void crm_begin(struct crm_request *request, int status)
{
	crm_open_answer(request->call, status, &request->out);
}

void crm_end(struct crm_request *request)
{
	json_close_object(&request->out);
}

void crm_no_content(struct crm_request *request)
{
	request->call->status = 204;
	buf_clear(&request->call->reply);
}

void crm_refuse(struct crm_request *request, int status, const char *code, const char *format, ...)
{
	char words[300];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(words, sizeof(words), format, arguments);
	va_end(arguments);
	request->crm->spec->refuse(request->call, status, code, str_from(words));
}

void crm_refuse_problem(
	struct crm_request *request, const char *code, const struct check_problem *problem)
{
	crm_refuse(request, 400, code, "Parameter '%s' %s", problem->name,
		check_words(problem->fault));
}

void crm_put_number(struct crm_request *request, const char *name, struct str text)
{
	int64_t number;

	if (str_to_int64(text, &number))
		json_put_member_int(&request->out, name, number);
	else if (text.size > 0)
		json_put_member_str(&request->out, name, text);
}

void office_note_change(
	struct office *office, struct card *customer, const char *what, int64_t now_ms)
{
	struct card *change = office_add(office, CARD_CHANGE, now_ms);

	customer->changed_ms = now_ms;
	card_set_int(change, "id", ++office->last_change);
	card_set(change, "customer", card_get(customer, "id"));
	card_set(change, "what", str_from(what));
}

void crm_customer_changed(struct crm_request *request, struct card *customer, const char *what)
{
	office_note_change(request->office, customer, what, request->now_ms);
}

/* -- limits ----------------------------------------------------------------------------------------- */

static int64_t wait_ms(
	const struct crm_limit *limit, const struct office *office, unsigned at, int64_t now_ms)
{
	int64_t units = limit->weight > 0 ? limit->weight : 1;

	if (limit->per_second > 0)
		return rate_bucket_wait_ms(
			&office->buckets[at], limit->per_second, limit->burst, now_ms);
	if (limit->per_window > 0)
		return rate_window_wait_ms(
			&office->windows[at], limit->per_window / units, limit->window_ms, now_ms);
	return 0;
}

static void slow_down(struct crm_request *request, unsigned at, int64_t wait_ms)
{
	const struct crm_spec *spec = request->crm->spec;

	if (spec->slow_down != NULL)
		spec->slow_down(request, at, wait_ms);
	else
		spec->refuse(request->call, spec->too_fast.status, spec->too_fast.code,
			str_from(spec->too_fast.words));
}

static bool is_allowed(struct crm_request *request, unsigned at)
{
	const struct crm_limit *limit = &request->crm->limits[at];
	struct office *office = request->office;
	bool crowded = limit->at_once > 0 && office->under_way[at] > (unsigned)limit->at_once;
	int64_t wait = wait_ms(limit, office, at, request->now_ms);

	if (!request->crm->unlimited && (wait > 0 || crowded)) {
		office->violations++;
		slow_down(request, at, crowded ? -1 : wait);
		return false;
	}
	if (limit->per_second > 0)
		rate_bucket_take(&office->buckets[at], limit->per_second, request->now_ms);
	if (limit->per_window > 0)
		rate_window_take(&office->windows[at], request->now_ms);
	return true;
}

struct office *crm_enter(struct crm *crm, struct outside_call *call, struct str key, unsigned limit)
{
	struct office *office = crm_office(crm, key);

	if (office == NULL)
		return NULL;
	call->key = key;
	call->limit = limit;
	office->under_way[limit]++;
	return office;
}

struct crm_request crm_request_of(struct crm *crm, struct outside_call *call)
{
	return (struct crm_request){.crm = crm,
		.call = call,
		.office = call->key.size > 0 ? crm_office(crm, call->key) : NULL};
}

/* Since read(): those that a fault holds up count, too. */
void crm_over(void *state, struct outside_call *call)
{
	struct office *office = call->key.size > 0 ? crm_known_office(state, call->key) : NULL;

	/* After a reset it is another office of the same key, which began with none. */
	if (office != NULL && office->under_way[call->limit] > 0)
		office->under_way[call->limit]--;
}

/* -- routes ----------------------------------------------------------------------------------------- */

static bool fits_route(const struct crm_route *route, struct str path, struct str *parts)
{
	struct str pattern = str_from(route->path);
	unsigned part = 0;

	while (pattern.size > 0 || path.size > 0) {
		struct str want = str_cut(&pattern, '/'), have = str_cut(&path, '/');
		if (str_equal(want, STR("{}")) && have.size > 0 && part < 3)
			parts[part++] = have;
		else if (!str_equal(want, have))
			return false;
	}
	return true;
}

static const struct crm_route *find_route(
	struct crm_request *request, struct str path, bool *other_method)
{
	const struct crm_route *route = request->crm->spec->routes;
	struct str parts[3] = {{0}};

	*other_method = false;
	for (; route->method != NULL; route++) {
		if (!fits_route(route, path, parts))
			continue;
		if (str_equal(request->call->http_method, str_from(route->method))) {
			memcpy(request->parts, parts, sizeof(parts));
			return route;
		}
		*other_method = true;
	}
	return NULL;
}

static void act_on(struct crm_request *request, const struct crm_route *route)
{
	struct outside_call *call = request->call;

	if (call->args_error.kind != ERROR_NONE) {
		crm_refuse(request, 400, "", "%s", call->args_error.text);
		return;
	}
	request->json = json_parse(call->body, (struct json_limits){1 << 20, MAX_BODY_DEPTH}, NULL);
	route->act(request);
	json_free(&request->json);
}

void crm_serve(struct crm_request *request, struct str path)
{
	const struct crm_route *route;
	bool other_method;

	request->args = &request->call->args;
	request->now_ms = request->call->at_ms;
	request->office->requests++;
	route = find_route(request, path, &other_method);
	if (route == NULL && other_method)
		crm_refuse(request, 405, "", "Method Not Allowed");
	else if (route == NULL)
		crm_refuse(request, 404, "", "Not Found");
	else if (is_allowed(request, route->limit))
		act_on(request, route);
	if (request->call->status >= 400)
		request->office->refused++;
	request->crm->revision++;
}
