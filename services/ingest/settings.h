/*
 * settings: what an operator may set of ingest.
 */
#ifndef INGEST_SETTINGS_H
#define INGEST_SETTINGS_H

#include "config.h"

struct ingest_settings {
	const char *journal_folder;
	int64_t journal_bytes;
	int64_t commit_timeout_ms;
	int64_t quarantine_rows;
	const char *log_folder;
};

extern const struct config_field ingest_settings_table[];

#endif
