/*
 * directory: the enterprises with their lines and managers, as a copy of PostgreSQL that follows
 * its changes. The emulator reads nothing else of the database.
 */
#ifndef EMULATOR_DIRECTORY_H
#define EMULATOR_DIRECTORY_H

#include "flow.h"

struct directory;

struct directory_line {
	struct str enterprise, id, name, phone, carrier; /* carrier: "GSM", "SIP" */
};

struct directory_manager {
	struct str enterprise, extension, name, personal_phone, follow_me_number;
	bool follow_me_enabled;
};

struct directory_enterprise {
	struct str number, name, token, zone;
	int64_t chat_id;			  /* 0: none */
	const struct directory_line *lines;	  /* its own, sorted */
	const struct directory_manager *managers; /* its own, sorted */
	size_t line_count, manager_count;
};

struct directory *directory_new(
	struct loop *loop, const char *database_url, const struct log_context *log);
void directory_free(struct directory **directory);

/* NULL: fine; else why it cannot be relied on. */
const char *directory_why_not(const struct directory *directory);

/* False until they have been read once: what is not found may then exist all the same. */
bool directory_known(const struct directory *directory);

/* What these give is valid until the step that asked has ended. */
size_t directory_count(const struct directory *directory);
size_t directory_line_count(const struct directory *directory);
size_t directory_manager_count(const struct directory *directory);
const struct directory_enterprise *directory_at(const struct directory *directory, size_t index);
const struct directory_enterprise *directory_find(
	const struct directory *directory, struct str number);

#endif
