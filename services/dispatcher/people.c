/*
 * people: see people.h.
 */
#include "people.h"

#include "dispatcher.h"

#include <stdlib.h>

/* A call and who is at its other side. */
struct person {
	int64_t call_id;
	struct message_customer customer;
	char *name, *last_extension;
};

static struct str call_key(const int64_t *call_id)
{
	return str_of((const char *)call_id, sizeof(*call_id));
}

void people_init(struct people *people)
{
	*people = (struct people){.by_call = table_new(), .by_phone = table_new()};
}

static void person_free(struct person *person)
{
	free(person->name);
	free(person->last_extension);
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

const struct message_customer *people_find(const struct dispatcher *d, int64_t call_id)
{
	const struct person *person = table_get(d->people.by_call, call_key(&call_id));
	return person != NULL ? &person->customer : NULL;
}
