/*
 * refold_changes: see refold_changes.h.
 */
#include "refold_changes.h"

#include "call_row.h"

static const char sql_compare[] = "SELECT kind, calls FROM refold_compare($1::text[])";
static const char sql_changes[] =
	"SELECT h.kind, h.call_id, h.enterprise_id, h.version, coalesce(c.data_source, "
	"s.data_source),"
	" h.fields::text, CASE WHEN h.kind = 'gone' THEN to_jsonb(c) - 'trace' ELSE (to_jsonb(s) - "
	"'trace')"
	" || jsonb_build_object('id', h.call_id, 'version', h.version) END::text,"
	" coalesce(h.into_id, 0), h.n"
	" FROM pg_temp.refold_changes h LEFT JOIN pg_temp.refold_calls s ON s.id = h.fresh"
	" LEFT JOIN calls c ON c.id = h.call_id"
	" WHERE h.n BETWEEN $1::integer AND $2::integer ORDER BY h.n";
static const char sql_apply[] =
	"SELECT refold_apply($1::text[], $2::integer, $3::integer, $4, $5::boolean)";

/* As PostgreSQL writes an array; plain names. */
static const char *columns_array(struct arena *arena)
{
	struct buf list;
	const char *copy;

	buf_init(&list, 4096);
	for (unsigned i = 0; call_row_columns[i] != NULL; i++)
		buf_add(call_row_next(&list, '{'), str_from(call_row_columns[i]));
	buf_add_char(&list, '}');
	copy = arena_strndup(arena, list.data, list.size);
	buf_free(&list);
	return copy;
}

void refold_add_changes(struct pg_batch *batch, struct arena *arena, int64_t first, int64_t last)
{
	struct pg_params params = {0};

	pg_put_int(&params, arena, first);
	pg_put_int(&params, arena, last);
	pg_batch_add(batch, sql_changes, &params);
}

void refold_add_apply(struct pg_batch *batch, struct arena *arena, const struct refold_piece *piece)
{
	struct pg_params params = {0};

	pg_put_text(&params, columns_array(arena));
	pg_put_int(&params, arena, piece->first);
	pg_put_int(&params, arena, piece->last);
	pg_put_text(&params, piece->why);
	pg_put_bool(&params, piece->whole);
	pg_batch_add(batch, sql_apply, &params);
}

void refold_add_compare(struct pg_batch *batch, struct arena *arena)
{
	struct pg_params params = {0};

	pg_put_text(&params, columns_array(arena));
	pg_batch_add(batch, sql_compare, &params);
}

static void count_kind(struct refold_counts *counts, struct str kind, int64_t count)
{
	const struct {
		struct str kind;
		int64_t *count;
	} kinds[] = {{STR("new"), &counts->fresh}, {STR("changed"), &counts->changed},
		{STR("gone"), &counts->gone}, {STR("busy"), &counts->busy},
		{STR("waiting"), &counts->waiting}, {STR("cut"), &counts->cut},
		{STR("calls"), &counts->calls}};

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		if (str_equal(kind, kinds[i].kind))
			*kinds[i].count = count;
	}
}

void refold_take_counts(const struct pg_batch *batch, struct refold_counts *counts)
{
	for (int row = 0; row < pg_rows(batch, 0); row++)
		count_kind(counts, pg_text(batch, 0, row, 0), pg_int(batch, 0, row, 1));
}
