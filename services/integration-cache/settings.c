/*
 * settings: the table of integration-cache's own settings; those of every service are the skeleton's.
 */
#include "settings.h"

#define FIELD(member, name, kind, fallback, low, high, help)                                       \
	CONFIG_FIELD(struct cache_settings, member, "CALLWEAVE_INTEGRATION_CACHE_" name, kind,     \
		fallback, low, high, help)

const struct config_field cache_settings_table[] = {
	FIELD(adapters, "ADAPTERS", CONFIG_TEXT, "", 0, 2000,
		"where the CRMs' adapters are: \"retailcrm=http://10.0.0.5:8019 uon=...\"; those "
		"that are not named: their own ports on 127.0.0.1"),
	FIELD(refresh_seconds, "REFRESH_SECONDS", CONFIG_INT, "300", 1, 86400,
		"seconds until a copy in memory is read anew, behind the answer"),
	FIELD(ttl_seconds, "TTL_SECONDS", CONFIG_INT, "3600", 2, 604800,
		"seconds until a copy is no answer any more while the database can be asked; at "
		"least twice the refresh"),
	FIELD(max_customers, "MAX_CUSTOMERS", CONFIG_INT, "200000", 100, 20000000,
		"customers kept in memory, some 400 bytes each; those looked up last stay"),
	FIELD(warm_customers, "WARM_CUSTOMERS", CONFIG_INT, "2000", 0, 1000000,
		"customers of one enterprise that are read before anybody asks, those who called "
		"last first; an enterprise that has no more is in memory whole"),
	FIELD(learn_seconds, "LEARN_SECONDS", CONFIG_INT, "900", 1, 604800,
		"seconds until a CRM is asked again for a number that it did not know"),
	FIELD(budget_ms, "BUDGET_MS", CONFIG_INT, "1000", 10, 60000,
		"milliseconds that an answer waits for Redis and the database at most"),
	FIELD(gateway.name, "NAME", CONFIG_TEXT, "", 0, 100,
		"name of this instance among several, the same after a restart; empty: host and "
		"port"),
	FIELD(gateway.at_once, "AT_ONCE", CONFIG_INT, "64", 0, 1000,
		"attempts to tell CRMs at the same time, beside one for each enterprise and CRM"),
	FIELD(gateway.lease_ms, "LEASE_MS", CONFIG_INT, "15000", 1500, 300000,
		"milliseconds until the others take over from an instance that is silent"),
	FIELD(gateway.attempt_ms, "ATTEMPT_MS", CONFIG_INT, "30000", 100, 120000,
		"milliseconds that an adapter may take for an attempt"),
	FIELD(gateway.journal_days, "JOURNAL_DAYS", CONFIG_INT, "90", 1, 3650,
		"days of attempts to keep in integration_logs; whole months go"),
	FIELD(gateway.done_days, "DONE_DAYS", CONFIG_INT, "7", 1, 365,
		"days to keep deliveries that are done; as long duplicates are known"),
	FIELD(gateway.call_days, "CALL_DAYS", CONFIG_INT, "30", 1, 365,
		"days to keep what drivers remember of a call"),
	{0},
};
