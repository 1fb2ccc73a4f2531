/*
 * gateway_letters: see gateway_letters.h.
 */
#include "gateway_letters.h"

#include "dispatcher.h"
#include "gateway_told.h"

#include <stdlib.h>

static struct str id_key(const int64_t *id)
{
	return str_of((const char *)id, sizeof(*id));
}

/* -- lines ---------------------------------------------------------------------------------------- */

static struct gateway_list *list_of(struct gateway *gateway, const struct gateway_line *line)
{
	return line->state == LINE_READY ? &gateway->ready : &gateway->resting;
}

static void line_leave(struct gateway *gateway, struct gateway_line *line)
{
	if (line->link == NULL)
		return;
	*line->link = line->next;
	if (line->next != NULL)
		line->next->link = line->link;
	else
		list_of(gateway, line)->last = line->link;
	line->next = NULL;
	line->link = NULL;
}

/* The one place that changes a line's state. */
static void line_enter(struct gateway *gateway, struct gateway_line *line, int state)
{
	line_leave(gateway, line);
	line->state = state;
	if (state == LINE_TAKEN)
		return;
	struct gateway_list *list = list_of(gateway, line);
	line->link = list->last;
	*list->last = line;
	list->last = &line->next;
}

static void line_free(struct gateway *gateway, struct gateway_line *line)
{
	line_leave(gateway, line);
	table_remove(gateway->lines, id_key(&line->call_id));
	free(line);
}

static struct gateway_line *line_of(struct gateway *gateway, int64_t call_id)
{
	struct gateway_line *line = table_get(gateway->lines, id_key(&call_id));
	if (line != NULL)
		return line;
	line = alloc_zeroed(1, sizeof(*line));
	line->call_id = call_id;
	line->state = LINE_TAKEN; /* in no list yet */
	table_put(gateway->lines, id_key(&line->call_id), line);
	return line;
}

struct gateway_letter *gateway_take(struct dispatcher *d)
{
	struct gateway *gateway = &d->gateway;
	struct gateway_line *line = gateway->ready.first;
	if (line == NULL)
		return NULL;
	line_enter(gateway, line, LINE_TAKEN);
	line->first->sending = true;
	d->shards.items[line->first->row.shard].busy +=
		!line->first->dirty && !line->first->recording;
	gateway->sending++;
	return line->first;
}

void gateway_wake_rested(struct dispatcher *d)
{
	struct gateway *gateway = &d->gateway;
	int64_t now = loop_now_ms(d->loop);
	struct gateway_line *line = gateway->resting.first;
	while (line != NULL) {
		struct gateway_line *next = line->next;
		if (line->first->row.due_ms <= now)
			line_enter(gateway, line, LINE_READY);
		line = next;
	}
}

/* -- letters -------------------------------------------------------------------------------------- */

/* Counted in its shard: something of it is on its way, to 8020 or to the database. */
static bool letter_busy(const struct gateway_letter *letter)
{
	return letter->sending || letter->dirty || letter->recording;
}

static void letter_free(struct gateway *gateway, struct gateway_letter *letter)
{
	table_remove(gateway->letters, id_key(&letter->row.id));
	for (size_t i = 0; i < sizeof(letter->texts) / sizeof(letter->texts[0]); i++)
		free(letter->texts[i]);
	free(letter->words);
	free(letter);
}

/* A page that is being read may still hold the row of one that is done with. */
static void letter_settle(struct gateway *gateway, struct gateway_letter *letter)
{
	if (letter->line == NULL && !letter_busy(letter) && !gateway->reading)
		letter_free(gateway, letter);
}

void gateway_page_read(struct dispatcher *d)
{
	struct gateway *gateway = &d->gateway;
	size_t at = 0;
	void *value;
	gateway->reading = false;
	while (table_next(gateway->letters, &at, NULL, &value))
		letter_settle(gateway, value);
}

/* Some 1.5 KB each; more wait in the table. */
bool gateway_has_room(const struct dispatcher *d)
{
	return table_count(d->gateway.letters) < (size_t)d->config->max_deliveries;
}

/* By their ids: in that order the rows of one call were made. */
static void line_put(struct gateway_line *line, struct gateway_letter *letter)
{
	struct gateway_letter **at = &line->first;
	while (*at != NULL && ((*at)->sending || (*at)->row.id < letter->row.id))
		at = &(*at)->next;
	letter->next = *at;
	*at = letter;
	letter->line = line;
}

bool gateway_put(struct dispatcher *d, const struct gateway_row *row)
{
	struct gateway *gateway = &d->gateway;
	if (table_get(gateway->letters, id_key(&row->id)) != NULL)
		return false;
	struct gateway_letter *letter = alloc_zeroed(1, sizeof(*letter));
	letter->row = *row;
	letter->row.enterprise = letter->texts[0] = alloc_text(str_from(row->enterprise));
	letter->row.body = letter->texts[1] = alloc_text(str_from(row->body));
	letter->row.trace = letter->texts[2] = alloc_text(str_from(row->trace));
	table_put(gateway->letters, id_key(&letter->row.id), letter);
	struct gateway_line *line = line_of(gateway, row->call_id);
	bool empty = line->first == NULL;
	line_put(line, letter);
	if (empty)
		line_enter(gateway, line,
			row->due_ms > loop_now_ms(d->loop) ? LINE_RESTING : LINE_READY);
	return true;
}

void gateway_add(struct dispatcher *d, const struct gateway_row *row)
{
	struct gateway *gateway = &d->gateway;
	if (!gateway->behind && gateway_has_room(d)) {
		(void)gateway_put(d, row);
		return;
	}
	gateway->left++;
	gateway_want(d);
}

void gateway_want(struct dispatcher *d)
{
	d->gateway.behind = true;
	flow_queue_wake_all(&d->gateway.wake);
}

static void drop_line(struct dispatcher *d, struct gateway_line *line)
{
	struct gateway *gateway = &d->gateway;
	while (line->first != NULL) {
		struct gateway_letter *letter = line->first;
		line->first = letter->next;
		letter->line = NULL;
		letter_settle(gateway, letter);
	}
	line_free(gateway, line);
}

void gateway_drop_shard(struct dispatcher *d, unsigned shard)
{
	size_t at = 0;
	void *value;
	gateway_told_drop(&d->gateway, shard);
	while (table_next(d->gateway.lines, &at, NULL, &value)) {
		struct gateway_line *line = value;
		if (line->first->row.shard == shard)
			drop_line(d, line);
	}
}

/* -- outcomes ------------------------------------------------------------------------------------- */

static void letter_report(
	struct dispatcher *d, struct gateway_letter *letter, const struct gateway_outcome *outcome)
{
	free(letter->words);
	letter->words = outcome->words != NULL ? alloc_text(str_from(outcome->words)) : NULL;
	letter->state = outcome->state;
	letter->http_status = outcome->http_status;
	gateway_report_add(d, letter);
}

/* The next letter of the call may go at once: 8020 has this one. */
static void line_go_on(struct dispatcher *d, struct gateway_letter *letter, bool over)
{
	struct gateway *gateway = &d->gateway;
	struct gateway_line *line = letter->line;
	if (!over) {
		line_enter(gateway, line, LINE_RESTING);
		return;
	}
	line->first = letter->next;
	letter->line = NULL;
	if (line->first == NULL)
		line_free(gateway, line);
	else
		line_enter(gateway, line, LINE_READY);
}

/* A former owner's word counts only where the event was taken. */
void gateway_tried(
	struct dispatcher *d, struct gateway_letter *letter, const struct gateway_outcome *outcome)
{
	struct gateway *gateway = &d->gateway;
	struct shard *shard = &d->shards.items[letter->row.shard];
	bool over = strcmp(outcome->state, "failed") != 0;
	bool was_busy = letter_busy(letter);
	gateway->sending--;
	letter->sending = false;
	letter->row.attempts += !over;
	letter->row.due_ms = loop_now_ms(d->loop) + outcome->delay_ms;
	letter->next_wall_ms = over ? 0 : clock_wall_ms() + outcome->delay_ms;
	if (letter->line != NULL || strcmp(outcome->state, "sent") == 0)
		letter_report(d, letter, outcome);
	if (letter->line != NULL)
		line_go_on(d, letter, over);
	shard->busy += letter_busy(letter) - was_busy;
	letter_settle(gateway, letter);
}

void gateway_untake(struct dispatcher *d, struct gateway_letter *letter)
{
	struct gateway *gateway = &d->gateway;
	gateway->sending--;
	letter->sending = false;
	d->shards.items[letter->row.shard].busy -= !letter_busy(letter);
	if (letter->line != NULL)
		line_enter(gateway, letter->line, LINE_READY);
	letter_settle(gateway, letter);
}

void gateway_letter_recorded(struct dispatcher *d, struct gateway_letter *letter, bool ok)
{
	struct gateway *gateway = &d->gateway;
	letter->recording = false;
	if (!ok)
		gateway_report_add(d, letter);
	d->shards.items[letter->row.shard].busy -= !letter_busy(letter);
	letter_settle(gateway, letter);
}

void gateway_letters_free(struct gateway *gateway)
{
	size_t at = 0;
	void *value;
	while (table_next(gateway->lines, &at, NULL, &value))
		free(value);
	at = 0;
	while (table_next(gateway->letters, &at, NULL, &value))
		letter_free(gateway, value);
}
