/*
 * requests: a ring whose slots are found by id. A test that asks "what came since" gets its answer
 * without a search, and the oldest go without moving the rest.
 */
#include "requests.h"

#include "alloc.h"
#include "json_put.h"

#include <stdlib.h>

/* Texts are owned; `service` is a constant of outside_services[]. */
struct entry {
	const char *service;
	char *method, *path, *request, *response;
	int64_t at_ms;
	int64_t fault_id;
	int status;
	bool finished;
	size_t bytes;
};

/* A slot belongs to its id alone: the ring never holds more than REQUESTS_MAX in a row. */
struct requests {
	struct entry *ring;	   /* REQUESTS_MAX slots; id % REQUESTS_MAX */
	int64_t first_id, next_id; /* what it holds: [first, next) */
	int64_t cleared_id;
	size_t bytes;
};

static struct entry *slot(const struct requests *requests, int64_t id)
{
	return &requests->ring[id % REQUESTS_MAX];
}

static struct entry *find(const struct requests *requests, int64_t id)
{
	return id >= requests->first_id && id < requests->next_id ? slot(requests, id) : NULL;
}

struct requests *requests_new(void)
{
	struct requests *requests = alloc_zeroed(1, sizeof(*requests));

	requests->ring = alloc_zeroed(REQUESTS_MAX, sizeof(requests->ring[0]));
	requests->first_id = requests->next_id = requests->cleared_id = 1;
	return requests;
}

static void drop_oldest(struct requests *requests)
{
	struct entry *entry = slot(requests, requests->first_id++);

	requests->bytes -= entry->bytes;
	free(entry->method);
	free(entry->path);
	free(entry->request);
	free(entry->response);
	*entry = (struct entry){0};
}

void requests_clear(struct requests *requests)
{
	while (requests->first_id < requests->next_id)
		drop_oldest(requests);
	requests->cleared_id = requests->next_id;
}

void requests_free(struct requests **requests)
{
	if (*requests == NULL)
		return;
	requests_clear(*requests);
	free((*requests)->ring);
	free(*requests);
	*requests = NULL;
}

/* One always stays, however long it is, so that a test finds what it has just sent. Room for the
 * next one is made before it comes: its slot must be empty. */
static void keep_bounds(struct requests *requests)
{
	while (requests->next_id - requests->first_id > 1 &&
		(requests->next_id - requests->first_id >= REQUESTS_MAX ||
			requests->bytes > REQUESTS_MAX_BYTES))
		drop_oldest(requests);
}

int64_t requests_add(struct requests *requests, const struct requests_note *note)
{
	struct entry *entry;

	keep_bounds(requests);
	entry = slot(requests, requests->next_id);
	*entry = (struct entry){
		.service = note->service,
		.method = alloc_text(note->method),
		.path = alloc_text(note->path),
		.request = alloc_text(note->request),
		.at_ms = note->at_ms,
		.bytes = note->method.size + note->path.size + note->request.size,
	};
	requests->bytes += entry->bytes;
	return requests->next_id++;
}

void requests_finish(struct requests *requests, int64_t id, int status, struct str response)
{
	struct entry *entry = find(requests, id);

	/* The flow's end finishes each note once more, for clients that left; the first word
	 * counts. */
	if (entry == NULL || entry->finished)
		return;
	entry->finished = true;
	entry->status = status;
	if (response.size > 0)
		entry->response = alloc_text(response);
	entry->bytes += response.size;
	requests->bytes += response.size;
}

void requests_set_fault(struct requests *requests, int64_t id, int64_t fault_id)
{
	struct entry *entry = find(requests, id);

	if (entry != NULL)
		entry->fault_id = fault_id;
}

static void write_entry(const struct entry *entry, int64_t id, struct json_writer *writer)
{
	json_open_object(writer);
	json_put_member_int(writer, "id", id);
	json_put_member_str(writer, "service", str_from(entry->service));
	json_put_member_str(writer, "method", str_from(entry->method));
	json_put_member_str(writer, "path", str_from(entry->path));
	json_put_name(writer, "status");
	if (entry->finished)
		json_put_int(writer, entry->status);
	else
		json_put_null(writer); /* under way */
	json_put_member_int(writer, "at_ms", entry->at_ms);
	json_put_member_raw(writer, "request", str_from(entry->request));
	json_put_member_raw(writer, "response",
		entry->response != NULL ? str_from(entry->response) : STR("null"));
	json_put_name(writer, "fault");
	if (entry->fault_id != 0)
		json_put_int(writer, entry->fault_id);
	else
		json_put_null(writer);
	json_close_object(writer);
}

static bool wanted(const struct requests *requests, const struct requests_query *query, int64_t id)
{
	return query->service.size == 0 ||
	       str_equal(query->service, str_from(slot(requests, id)->service));
}

/* Backwards from the newest, since `limit` asks for the last so many. */
static int64_t first_of(const struct requests *requests, const struct requests_query *query)
{
	int64_t from = requests->next_id, left = query->limit;

	while (from > requests->first_id && from - 1 > query->since_id && left > 0)
		left -= wanted(requests, query, --from);
	return from;
}

bool requests_write(const struct requests *requests, struct requests_query *query, size_t max_bytes,
	struct buf *to)
{
	bool is_first = query->next_id == 0;
	struct json_writer writer;

	if (is_first) {
		buf_add_char(to, '[');
		query->next_id = first_of(requests, query);
	} else if (query->next_id < requests->first_id) {
		query->next_id = requests->first_id; /* dropped between two parts */
	}
	for (; query->next_id < requests->next_id; query->next_id++) {
		if (to->size > max_bytes)
			return false;
		if (!wanted(requests, query, query->next_id))
			continue;
		if (!is_first)
			buf_add_char(to, ',');
		is_first = false;
		json_begin(&writer, to);
		write_entry(slot(requests, query->next_id), query->next_id, &writer);
	}
	buf_add_char(to, ']');
	return true;
}

int64_t requests_total(const struct requests *requests)
{
	return requests->next_id - requests->cleared_id;
}
