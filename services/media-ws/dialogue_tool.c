/*
 * dialogue_tool: the check of dialogue.c at a terminal, before a dialogue is saved and callers hear it.
 */
#include "dialogue_tool.h"

#include "dialogue.h"

#include <stdio.h>

static bool read_file(FILE *file, struct buf *text)
{
	size_t got;

	do {
		char *room = buf_reserve(text, 4096);
		if (room == NULL)
			break;
		got = fread(room, 1, 4096, file);
		buf_grew(text, got);
	} while (got > 0);
	return ferror(file) == 0;
}

static bool read_dialogue(const char *path, struct buf *text, struct error *error)
{
	bool is_stdin = str_equal(str_from(path), STR("-"));
	FILE *file = is_stdin ? stdin : fopen(path, "r");

	if (file == NULL)
		return error_set(error, ERROR_INPUT, "cannot be opened: %m");
	bool ok = read_file(file, text) || error_set(error, ERROR_INPUT, "cannot be read: %m");
	if (!is_stdin)
		(void)fclose(file);
	return ok;
}

int dialogue_tool(const char *path)
{
	struct error error;
	struct buf text;

	buf_init(&text, DIALOGUE_MAX_BYTES + 8192); /* a little too much is told by the check */
	bool ok = read_dialogue(path, &text, &error) && dialogue_check(buf_str(&text), &error);
	if (ok)
		printf("%s: can be spoken\n", path);
	else
		(void)fprintf(stderr, "%s: %s\n", path, error.text);
	buf_free(&text);
	return ok ? 0 : 1;
}
