/*
 * crm: what the CRMs of the sandbox have in common: offices by their keys, routes, limits, answers.
 *
 * A CRM is a `const struct crm_spec` with a table of routes, and a `const struct outside_service`
 * made of the functions here. Its functions answer one request each, at once.
 */
#ifndef SANDBOX_CRM_H
#define SANDBOX_CRM_H

#include "crm_cards.h"
#include "crm_check.h"
#include "outside.h"
#include "sandbox.h"

extern const struct outside_service crm_retail_service, crm_moysklad_service;
extern const struct outside_service crm_bitrix_service, crm_hook_service, crm_uon_service;

struct crm;

/* One request whose sender is known. */
struct crm_request {
	struct crm *crm;
	struct office *office;
	struct outside_call *call;
	const struct args *args;
	struct json *json;   /* of a JSON body; NULL: there is none */
	struct str parts[3]; /* what the {} of the route's path matched */
	int64_t now_ms;
	bool by_webhook; /* Bitrix24: an incoming webhook, not an application */
	struct json_writer out;
};

struct crm_route {
	const char *method, *path; /* "/customers/{}/edit"; NULL method ends */
	void (*act)(struct crm_request *request);
	unsigned limit; /* which of the limits it counts against */
};

/* One of an office's limits: a bucket (per_second, burst), or a window, or neither. */
struct crm_limit {
	const char *name; /* for POST limits */
	double per_second, burst;
	int64_t per_window, window_ms;
	int64_t at_once; /* 0: any number */
	int64_t weight;	 /* units a request; 0: 1 */
};

struct crm_spec {
	const char *name; /* "retailcrm", of faults and lists */
	const struct crm_route *routes;
	struct crm_limit limits[OFFICE_LIMITS];
	/* Answer with an error in the CRM's own shape. */
	void (*refuse)(struct outside_call *call, int status, const char *code, struct str words);
	/* What is refused with when a limit is passed. */
	struct {
		int status;
		const char *code, *words;
	} too_fast;
	/* Instead of that; `wait_ms` until it would do, -1: too many at once. NULL: too_fast does. */
	void (*slow_down)(struct crm_request *request, unsigned limit, int64_t wait_ms);
};

#define CRM_MAX_OFFICES 2000

struct crm {
	const struct crm_spec *spec;
	struct sandbox *sandbox;
	struct table *by_key;
	struct office *first, **last;
	struct crm_limit limits[OFFICE_LIMITS];
	bool unlimited;
	int64_t revision; /* grows with each request that acts: for pages */
};

/* crm.c: for the tables of outside_service, of which this much is the same. */
#define CRM_SERVICE_COMMON                                                                         \
	.any_method = true, .stop = crm_stop, .reset = crm_reset, .over = crm_over,                \
	.stats = crm_stats
struct crm *crm_start(struct sandbox *sandbox, const struct crm_spec *spec);
void crm_stop(void *state);
void crm_reset(void *state);
void crm_stats(void *state, struct buf *to);
void crm_over(void *state, struct outside_call *call);

/* Read the parameters and mask those of `secrets` (ended by NULL) in the notes. Their values are
 * still found by crm_secret(). */
void crm_read_args(struct outside_call *call, const char *const *secrets);
struct str crm_secret(const struct outside_call *call, const char *name);

/* In read(): the request is this office's and counts against that limit while it is under way. */
struct office *crm_enter(
	struct crm *crm, struct outside_call *call, struct str key, unsigned limit);

/* In act(): with the office that read() entered; NULL: none. */
struct crm_request crm_request_of(struct crm *crm, struct outside_call *call);

/* A key that could be one: 4 to 200 letters, digits and -_.= */
bool crm_key_is_well_formed(struct str key);
/* Made on first use; NULL: there are too many. */
struct office *crm_office(struct crm *crm, struct str key);
struct office *crm_known_office(const struct crm *crm, struct str key);
bool crm_has_declared(const struct crm *crm);

/* Find the route of `path` and act, within the limits; or refuse. Counts. */
void crm_serve(struct crm_request *request, struct str path);

/* An answer: a JSON object that is open until crm_end(). */
void crm_begin(struct crm_request *request, int status);
/* The same to whoever is not known; the caller closes it. */
void crm_open_answer(struct outside_call *call, int status, struct json_writer *writer);
void crm_end(struct crm_request *request);
void crm_no_content(struct crm_request *request); /* 204 */
void crm_refuse(struct crm_request *request, int status, const char *code, const char *format, ...)
	__attribute__((format(printf, 4, 5)));
/* Refuse by the first problem: "'phone' is missing". */
void crm_refuse_problem(
	struct crm_request *request, const char *code, const struct check_problem *problem);

/* An argument, in the arena; empty when absent. */
struct str crm_arg(const struct crm_request *request, const char *name);
int64_t crm_arg_int(const struct crm_request *request, const char *name, int64_t fallback);
/* Does the office take this user? One without declared users takes any. */
bool crm_takes_user(const struct office *office, struct str id);
struct card *crm_user_of_extension(const struct office *office, struct str extension);
/* Text of a member: of a number its digits. */
struct str crm_member(const struct crm_request *request, const struct json *json, const char *name);

/* A member of the answer: a number when the text is one; nothing when it is empty. */
void crm_put_number(struct crm_request *request, const char *name, struct str text);

/* Note a change of a customer, for its history. */
void crm_customer_changed(struct crm_request *request, struct card *customer, const char *what);
void office_note_change(
	struct office *office, struct card *customer, const char *what, int64_t now_ms);

/* crm_gzip.c: half of MoySklad takes and gives nothing else. */
void crm_gzip(struct str plain, struct buf *packed);

/* By the name in requests of tests; NULL: there is none. */
struct crm *crm_named(struct sandbox *sandbox, struct str name);
int64_t crm_revision(struct sandbox *sandbox); /* of all of them */

/* crm_admin.c, crm_click.c: routes. */
extern const struct flow_spec crm_declare_flow, crm_list_calls_flow, crm_list_cards_flow;
extern const struct flow_spec crm_list_offices_flow, crm_click_flow;
bool crm_limits_meant(struct flow *flow); /* does the body of POST limits name a CRM? */
enum flow_status crm_set_limits(struct flow *flow);

#endif
