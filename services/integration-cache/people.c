/*
 * people: see people.h. Pure.
 */
#include "people.h"

#include "json_put.h"

static void add_word(struct buf *to, const char *word)
{
	if (word[0] == '\0')
		return;
	if (to->size > 0)
		buf_add_char(to, ' ');
	buf_add(to, str_from(word));
}

static struct str finish(
	struct buf *name, const struct account_manager *manager, struct arena *arena)
{
	struct str text;

	if (name->size == 0)
		buf_printf(name, "Доб.%s", manager->extension);
	text = str_of(arena_strndup(arena, name->data, name->size), name->size);
	buf_free(name);
	return text;
}

struct str manager_full_name(const struct account_manager *manager, struct arena *arena)
{
	struct buf name;

	buf_init(&name, 1024);
	add_word(&name, manager->last_name);
	add_word(&name, manager->first_name);
	add_word(&name, manager->patronymic);
	return finish(&name, manager, arena);
}

static void add_initial(struct buf *to, const char *word, bool first)
{
	size_t size = str_utf8_size(str_from(word));

	if (size == 0)
		return;
	if (first)
		buf_add_char(to, ' ');
	buf_append(to, word, size);
	buf_add_char(to, '.');
}

struct str manager_short_name(const struct account_manager *manager, struct arena *arena)
{
	struct buf name;

	if (manager->last_name[0] == '\0')
		return manager_full_name(manager, arena);
	buf_init(&name, 1024);
	buf_add(&name, str_from(manager->last_name));
	add_initial(&name, manager->first_name, true);
	add_initial(&name, manager->patronymic, manager->first_name[0] == '\0');
	return finish(&name, manager, arena);
}

/* -- operators ------------------------------------------------------------------------------------ */

static bool holds(const char *name, const char *word)
{
	struct str text = str_from(name), part = str_from(word);

	for (size_t at = 0; at + part.size <= text.size; at++) {
		if (str_equal_nocase(str_of(text.data + at, part.size), part))
			return true;
	}
	return false;
}

/* Latin and Cyrillic look the same; people type both. */
const char *line_operator(const struct account_line *line)
{
	static const struct {
		const char *word, *name;
	} operators[] = {
		{"МТС", "МТС"}, {"MTS", "МТС"}, {"A1", "A1"}, {"А1", "A1"}, {"life", "life:)"}};

	for (size_t i = 0; i < sizeof(operators) / sizeof(operators[0]); i++) {
		if (holds(line->name, operators[i].word))
			return operators[i].name;
	}
	return line->gsm ? "GSM" : "SIP";
}

void people_put_manager(
	struct json_writer *json, const struct account_manager *manager, struct arena *arena)
{
	json_put_member_str(json, "full_name", manager_full_name(manager, arena));
	json_put_member_str(json, "short_name", manager_short_name(manager, arena));
	json_put_member_str(json, "personal_phone", str_from(manager->personal_phone));
	json_put_name(json, "follow_me_number");
	if (manager->follow_me_number != 0)
		json_put_int(json, manager->follow_me_number);
	else
		json_put_null(json);
	json_put_member_bool(json, "follow_me_enabled", manager->follow_me);
	json_put_name(json, "user_id");
	if (manager->user_id != 0)
		json_put_int(json, manager->user_id);
	else
		json_put_null(json);
}
