/*
 * channel: what is open for one (enterprise, CRM), in memory: in order, bounded, with its breaker.
 *
 * The table crm_deliveries is the truth; a channel holds its first open rows. `more` says that there
 * are others: then nothing new is taken in directly, for it would overtake them, but by a look into
 * the table (channel_load.c). One instance at a time owns a channel (channel_lease.c).
 */
#ifndef INTEGRATION_CACHE_CHANNEL_H
#define INTEGRATION_CACHE_CHANNEL_H

#include "breaker.h"
#include "flow.h"
#include "pg_listen.h"
#include "table.h"

enum {
	CHANNEL_MAX_ROWS = 32,	  /* of a channel in memory */
	CHANNEL_FEW_ROWS = 8,	  /* below it the table is asked for more */
	CHANNEL_AT_ONCE = 4,	  /* calls that are told at the same time */
	CHANNEL_TIGHT_ROWS = 4,	  /* of a channel, once all together take too much memory */
	CHANNEL_PARK_MS = 30000,  /* what is due later than this waits in the table */
	CHANNEL_SWEEP_MS = 10000, /* what nobody told us of is found after this */
};
#define CHANNELS_MAX_BYTES ((size_t)64 << 20)

struct gateway;
struct account;

enum delivery_state { DELIVERY_WAITING, DELIVERY_SENDING, DELIVERY_OVER };

/* One row. Its texts are in the same block of memory. */
struct delivery {
	struct delivery *next;
	struct str enterprise, crm, call_key, kind, payload, trace;
	int64_t id;
	int64_t due_ms; /* monotonic */
	unsigned attempts;
	enum delivery_state state;
	size_t bytes;
};

struct channel {
	const char *enterprise, *crm;
	int64_t epoch;
	struct delivery *first, **last; /* by id */
	unsigned count, sending;
	int64_t newest_id; /* ever seen */

	struct breaker breaker;
	char reason[200];     /* why it does not go; "" */
	uint32_t locked_with; /* checksum of the configuration that was refused */
	int64_t paused_ms;    /* monotonic: nothing goes before; over a rate, adapter away */
	unsigned away;	      /* times in a row that the adapter was away */
	unsigned slowed;  /* times in a row that it went too fast, and nobody said for how long */
	bool dirty;	  /* the breaker's state is to be written, or is being written */
	bool dirty_again; /* and has changed since */
	struct channel *next_dirty;

	bool wanted, loading; /* the table is to be asked, is being asked */
	bool more;	      /* the table has rows that are not here */
	int64_t parked_ms;    /* monotonic: when the first of those that wait there is due; 0 */
	int64_t loaded_ms;
	struct channel *next_wanted;

	bool held;    /* the lease that was just read has it */
	bool leaving; /* nothing new begins: another instance is to have it */
	bool gone;    /* not ours any more; freed when nothing is under way */
};

struct channels {
	struct table *table;		       /* "0367 retailcrm" -> channel */
	size_t bytes;			       /* of all deliveries in memory */
	unsigned attempts;		       /* under way */
	unsigned extra;			       /* attempts beside each channel's own one */
	bool starved;			       /* somebody waits for one of these */
	int64_t clock_ms;		       /* monotonic: when the clock looks at all channels */
	struct channel *wanted, **wanted_last; /* to be loaded */
	bool load_failed;		       /* the last one: not at once again */
	struct flow_queue load, clock, lease;  /* where the flows of these names wait */
	int64_t lease_until_ms, renewed_ms;    /* monotonic */
	bool fresh;			       /* the first lease is still to be had */
	bool superseded;		       /* another process has our name */
	bool left;			       /* the goodbye is said */
};

/* -- deliveries ----------------------------------------------------------------------------------- */

/* Copies all texts of `from`. */
struct delivery *delivery_new(const struct delivery *from);
void delivery_free(struct delivery **delivery);

/* -- channels (channel.c) ------------------------------------------------------------------------- */

void channels_init(struct channels *channels);
void channels_free(struct channels *channels);
struct channel *channel_find(const struct gateway *gateway, struct str enterprise, struct str crm);
struct channel *channel_new(
	struct gateway *gateway, struct str enterprise, struct str crm, int64_t epoch);
/* Not ours any more. */
void channel_drop(struct gateway *gateway, struct channel *channel);

/* A row that has just been committed; takes it over. */
void channel_push(struct gateway *gateway, struct channel *channel, struct delivery *delivery);
/* A row of the table; takes it over. False: it was known. */
bool channel_take(struct gateway *gateway, struct channel *channel, struct delivery *delivery);
/* An attempt is over; `over`: the row, too, as far as memory goes. */
void channel_settle(
	struct gateway *gateway, struct channel *channel, struct delivery *delivery, bool over);
/* Forget what is over. False: it was the last of a channel that is gone, and is gone with it. */
bool channel_sweep(struct gateway *gateway, struct channel *channel);

/* Have the table asked. */
void channel_want(struct gateway *gateway, struct channel *channel);
/* Begin what may begin now, and have the clock ask again when more may. */
void channel_go(struct gateway *gateway, struct channel *channel);
/* The same; when to ask again, monotonic; INT64_MAX: when something happens. */
int64_t channel_pump(struct gateway *gateway, struct channel *channel);
bool channels_lease_holds(const struct gateway *gateway);
unsigned channel_room(const struct gateway *gateway);

/* The breaker changed: write it down. */
void channel_changed(struct gateway *gateway, struct channel *channel, const char *reason);
uint32_t channel_config_sum(const struct account *account, struct str crm);

/* -- the flows ------------------------------------------------------------------------------------ */

extern const struct flow_spec channel_lease_flow;  /* keeps, takes and gives back channels */
extern const struct flow_spec channel_load_flow;   /* asks the table */
extern const struct flow_spec channel_notice_flow; /* hears of rows of other instances */
extern const struct flow_spec channel_clock_flow;  /* begins what has become due */
extern const struct flow_spec channel_watch_flow;  /* unlocks where the configuration changed */
extern const char *const channel_notices[];

#endif
