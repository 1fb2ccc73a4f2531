/*
 * settings: the table of ingest's own settings; those of every service are the skeleton's.
 */
#include "settings.h"

#define FIELD(member, name, kind, fallback, low, high, help)                                       \
	CONFIG_FIELD(struct ingest_settings, member, name, kind, fallback, low, high, help)

const struct config_field ingest_settings_table[] = {
	FIELD(journal_folder, "CALLWEAVE_INGEST_JOURNAL", CONFIG_TEXT, "ingest-journal", 1, 500,
		"folder of the journal that takes events while PostgreSQL is away"),
	FIELD(journal_bytes, "CALLWEAVE_INGEST_JOURNAL_BYTES", CONFIG_INT, "1073741824", 65536,
		INT64_C(1) << 50, "bytes that the journal may take; beyond it events get 503"),
	FIELD(commit_timeout_ms, "CALLWEAVE_INGEST_COMMIT_TIMEOUT_MS", CONFIG_INT, "2000", 50,
		60000, "milliseconds until a commit counts as stuck; hosts give up after 3000"),
	FIELD(quarantine_rows, "CALLWEAVE_INGEST_QUARANTINE_ROWS", CONFIG_INT, "100000", 0,
		INT64_C(100000000), "rows of event_quarantine; beyond it the oldest go"),
	FIELD(log_folder, "CALLWEAVE_LOG_FOLDER", CONFIG_TEXT, "logs", 1, 500,
		"folder of <number>.log, for enterprises whose debug log is on"),
	{0},
};
