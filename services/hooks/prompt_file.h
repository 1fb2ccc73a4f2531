/*
 * prompt_file: prompts on disk, and how they are served. Small files, read and written in one go.
 */
#ifndef HOOKS_PROMPT_FILE_H
#define HOOKS_PROMPT_FILE_H

#include "buf.h"
#include "error.h"

enum { PROMPT_MAX_BYTES = 4 << 20, PROMPT_PATH_BYTES = 512 };

bool prompt_folder_make(const char *folder, struct error *error);
bool prompt_file_exists(const char *path);
/* Whole or not at all: beside it first, then renamed. */
bool prompt_file_write(const char *path, struct str audio, struct error *error);
/* "fr-0123456789abcdef.wav" and nothing else: no way out of the folder. */
bool prompt_name_is_good(struct str name);

#endif
