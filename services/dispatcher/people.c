/*
 * people: see people.h. customer_before() and customer_count_call() are in migrations/0002.
 */
#include "people.h"

#include "dispatcher.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#define MAX_PEOPLE	 100000 /* beyond it messages go without names: some 300 bytes each */
#define MAX_LOOKUP_BYTES ((size_t)4 << 20)
#define RENEW_A_ROUND	 200

static const char sql_lookup[] =
	"SELECT x.call, b.name, b.calls, (extract(epoch FROM b.last_at) * 1000)::bigint,"
	" b.last_answered, b.last_direction, b.last_extension, b.black_list"
	" FROM json_to_recordset($1::json) AS x (call bigint, enterprise text, phone text)"
	" CROSS JOIN LATERAL customer_before(x.enterprise, x.phone, x.call) AS b";
static const char sql_count[] = "SELECT customer_count_call($1::bigint[])";

/* A call and who is at its other side. */
struct person {
	int64_t call_id;
	char *enterprise;
	char phone[CALL_NUMBER_BYTES];
	struct message_customer customer;
	char *name, *extension; /* the customer's texts */
	bool known;		/* has been read */
	bool stale;		/* is to be read again */
	bool listed;		/* in people->renamed */
	struct person *next_of_phone, *next_renamed;
};

void people_init(struct people *people)
{
	*people = (struct people){.by_call = table_new(), .by_phone = table_new(), .lookup = -1};
}

static void person_free(struct person *person)
{
	free(person->enterprise);
	free(person->name);
	free(person->extension);
	free(person);
}

void people_free(struct people *people)
{
	size_t at = 0;
	void *value;
	while (table_next(people->by_call, &at, NULL, &value))
		person_free(value);
	table_free(&people->by_call);
	table_free(&people->by_phone);
}

/* -- keys ----------------------------------------------------------------------------------------- */

struct phone_key {
	char text[96];
};

static struct str call_key(const int64_t *call_id)
{
	return str_of((const char *)call_id, sizeof(*call_id));
}

static struct str phone_key(struct phone_key *key, const char *enterprise, const char *phone)
{
	int size = snprintf(key->text, sizeof(key->text), "%s %s", enterprise, phone);
	return str_of(key->text, (size_t)size < sizeof(key->text) ? (size_t)size : 0);
}

static void person_link(struct people *people, struct person *person)
{
	struct phone_key key;
	person->next_of_phone = table_put(
		people->by_phone, phone_key(&key, person->enterprise, person->phone), person);
}

static void person_unlink(struct people *people, struct person *person)
{
	struct phone_key key;
	struct str text = phone_key(&key, person->enterprise, person->phone);
	struct person *first = table_get(people->by_phone, text);
	if (first == person && person->next_of_phone == NULL) {
		table_remove(people->by_phone, text);
	} else if (first == person) {
		table_put(people->by_phone, text, person->next_of_phone);
	} else {
		while (first != NULL && first->next_of_phone != person)
			first = first->next_of_phone;
		if (first != NULL)
			first->next_of_phone = person->next_of_phone;
	}
	person->next_of_phone = NULL;
}

/* -- who is known --------------------------------------------------------------------------------- */

/* Numbers of the telephone network, of calls with somebody outside: nobody else is a customer. */
static bool is_customer(const struct call *call)
{
	return call->external[0] == '+' &&
	       (call->direction == CALL_INCOMING || call->direction == CALL_OUTGOING);
}

const struct message_customer *people_find(const struct dispatcher *d, int64_t call_id)
{
	const struct person *person = table_get(d->people.by_call, call_key(&call_id));
	return person != NULL && person->known ? &person->customer : NULL;
}

static bool people_have_room(struct dispatcher *d)
{
	struct people *people = &d->people;
	bool full = table_count(people->by_call) >= MAX_PEOPLE;
	if (full && !people->full)
		log_warn(&d->log, "people: more than %d at once: further calls go without names",
			MAX_PEOPLE);
	people->full = full;
	return !full;
}

/* The person of a call, new when it has none; NULL: nobody is to be known, or there is no room. A call
 * whose number turned out to be another has another person. */
static struct person *people_get(
	struct dispatcher *d, struct str enterprise, const struct call *call)
{
	struct people *people = &d->people;
	struct person *person = table_get(people->by_call, call_key(&call->id));
	if (!is_customer(call))
		return NULL;
	if (person != NULL && strcmp(person->phone, call->external) == 0)
		return person;
	if (person == NULL) {
		if (!people_have_room(d))
			return NULL;
		person = alloc_zeroed(1, sizeof(*person));
		person->call_id = call->id;
		person->enterprise = alloc_text(enterprise);
		table_put(people->by_call, call_key(&person->call_id), person);
	} else {
		person_unlink(people, person);
	}
	person->known = person->stale = false;
	(void)str_copy(person->phone, sizeof(person->phone), str_from(call->external));
	person_link(people, person);
	return person;
}

void people_expect(struct dispatcher *d, struct str enterprise, int64_t call_id)
{
	const struct call *call = folding_find(d, enterprise, call_id);
	if (call != NULL)
		(void)people_get(d, enterprise, call);
}

/* -- looking up ----------------------------------------------------------------------------------- */

static void lookup_add(struct json_writer *writer, const struct person *person)
{
	json_open_object(writer);
	json_put_name(writer, "call");
	json_put_int(writer, person->call_id);
	json_put_name(writer, "enterprise");
	json_put_str(writer, str_from(person->enterprise));
	json_put_name(writer, "phone");
	json_put_str(writer, str_from(person->phone));
	json_close_object(writer);
}

static void lookup_send(
	struct dispatcher *d, struct buf *wanted, struct arena *arena, struct pg_batch **batch)
{
	struct pg_params params = {0};
	d->people.lookup = *batch != NULL; /* behind the one that is in it, or the first */
	if (*batch == NULL)
		*batch = pg_batch_new(arena);
	pg_put_str(&params, arena, buf_str(wanted));
	pg_batch_add(*batch, sql_lookup, &params);
}

void people_add_lookup(struct dispatcher *d, const struct changes *changes, struct arena *arena,
	struct pg_batch **batch)
{
	struct buf wanted;
	struct json_writer writer;
	unsigned count = 0;
	d->people.lookup = -1;
	buf_init(&wanted, MAX_LOOKUP_BYTES);
	json_begin(&writer, &wanted);
	json_open_array(&writer);
	for (unsigned i = 0; i < changes->count; i++) {
		const struct change *change = changes->items[i];
		const struct call *call = change_call(change);
		struct person *person = NULL;
		if (call != NULL && change->merged_into == 0)
			person = people_get(d, str_from(change->of->number), call);
		if (person == NULL || (person->known && !person->stale))
			continue;
		lookup_add(&writer, person);
		count++;
	}
	json_close_array(&writer);
	if (count > 0 && !wanted.failed)
		lookup_send(d, &wanted, arena, batch);
	buf_free(&wanted);
}

static enum call_direction direction_from(struct str name)
{
	if (str_equal(name, STR("in")))
		return CALL_INCOMING;
	return str_equal(name, STR("out")) ? CALL_OUTGOING : CALL_UNKNOWN;
}

static void person_take(struct person *person, const struct pg_batch *batch, int at, int row)
{
	free(person->name);
	free(person->extension);
	person->name = alloc_text(pg_text(batch, at, row, 1));
	person->extension = alloc_text(pg_text(batch, at, row, 6));
	int64_t calls = pg_int(batch, at, row, 2);
	bool any = calls > 0 && !pg_is_null(batch, at, row, 3);
	person->customer = (struct message_customer){
		.name = person->name,
		.calls = any ? (unsigned)calls : 0,
		.last_ms = any ? pg_int(batch, at, row, 3) : CALL_NO_TIME,
		.last_answered = pg_bool(batch, at, row, 4),
		.last_direction = direction_from(pg_text(batch, at, row, 5)),
		.last_extension = person->extension,
		.black_list = pg_bool(batch, at, row, 7),
	};
}

/* Who was asked for and has no row was never heard of: that is known now, too. */
static void people_take_strangers(struct dispatcher *d)
{
	const struct changes *changes = &d->round.changes;
	for (unsigned i = 0; i < changes->count; i++) {
		struct person *person =
			table_get(d->people.by_call, call_key(&changes->items[i]->call_id));
		if (person == NULL || person->known)
			continue;
		person->known = true;
		person->customer = (struct message_customer){
			.name = "", .last_extension = "", .last_ms = CALL_NO_TIME};
	}
}

void people_take_lookup(struct dispatcher *d, const struct pg_batch *batch)
{
	int at = d->people.lookup;
	if (at < 0)
		return;
	for (int row = 0; row < pg_rows(batch, at); row++) {
		int64_t call_id = pg_int(batch, at, row, 0);
		struct person *person = table_get(d->people.by_call, call_key(&call_id));
		if (person == NULL)
			continue;
		person_take(person, batch, at, row);
		person->known = true;
		person->stale = false;
	}
	people_take_strangers(d);
	d->people.lookup = -1;
}

/* -- counting ------------------------------------------------------------------------------------- */

/* Also a call that was counted before: it may have ended otherwise. SQL knows; here it is only spared
 * the calls that cannot count. */
void people_add_count(const struct changes *changes, struct arena *arena, struct pg_batch *batch)
{
	struct pg_params params = {0};
	struct buf ids;
	buf_init(&ids, MAX_LOOKUP_BYTES);
	for (unsigned i = 0; i < changes->count; i++) {
		const struct change *change = changes->items[i];
		const struct call *call = change_call(change);
		if (call == NULL || change->merged_into != 0)
			continue;
		if (call->state == CALL_ENDED || call->state == CALL_LOST)
			buf_printf(&ids, "%c%" PRId64, ids.size > 0 ? ',' : '{', change->call_id);
	}
	if (ids.size > 0) {
		buf_add_char(&ids, '}');
		pg_put_str(&params, arena, buf_str(&ids));
		pg_batch_add(batch, sql_count, &params);
	}
	buf_free(&ids);
}

/* -- renamed -------------------------------------------------------------------------------------- */

static void people_list(struct people *people, struct person *person)
{
	person->stale = true;
	if (person->listed)
		return;
	person->listed = true;
	person->next_renamed = people->renamed;
	people->renamed = person;
}

void people_notice(struct dispatcher *d, const char *payload)
{
	struct people *people = &d->people;
	if (payload[0] == '\0') {
		people->anybody = true;
		return;
	}
	struct person *person = table_get(people->by_phone, str_from(payload));
	for (; person != NULL; person = person->next_of_phone)
		people_list(people, person);
}

/* Announcements were missed: everybody is looked at again. */
static void people_list_all(struct people *people)
{
	size_t at = 0;
	void *value;
	while (table_next(people->by_call, &at, NULL, &value))
		people_list(people, value);
	people->anybody = false;
}

/* Of calls that are over only the memory goes: they are read again should they change. */
void people_renew(struct dispatcher *d, struct changes *changes)
{
	struct people *people = &d->people;
	unsigned count = 0;
	if (people->anybody)
		people_list_all(people);
	while (people->renamed != NULL && count < RENEW_A_ROUND) {
		struct person *person = people->renamed;
		people->renamed = person->next_renamed;
		person->next_renamed = NULL;
		person->listed = false;
		count += folding_renew(d, str_from(person->enterprise), person->call_id, changes);
	}
}

/* -- memory --------------------------------------------------------------------------------------- */

void people_sweep(struct dispatcher *d)
{
	struct people *people = &d->people;
	size_t at = 0;
	void *value;
	while (table_next(people->by_call, &at, NULL, &value)) {
		struct person *person = value;
		if (person->listed ||
			folding_remembers(d, str_from(person->enterprise), person->call_id))
			continue;
		table_remove(people->by_call, call_key(&person->call_id));
		person_unlink(people, person);
		person_free(person);
	}
}
