/*
 * media_ws: media-ws' own struct, and what its files are to each other.
 *
 * A leg is a Twilio socket with its bridge. Its story: routes.c takes it, admission.c finds out whose
 * call it is, the bridge carries it, store.c writes down what came of it, pacer.c gives it its time.
 */
#ifndef MEDIA_WS_H
#define MEDIA_WS_H

#include "bridge_private.h"
#include "http_client.h"
#include "nonces.h"
#include "pg.h"
#include "redis.h"
#include "schema.h"
#include "service.h"
#include "settings.h"
#include "websocket.h"

struct pacer;

enum { PROOF_TOKEN = 1, PROOF_SIGNATURE = 2 };

struct media_ws {
	struct service *service;
	const struct media_ws_settings *settings;
	unsigned proof; /* what is required; 0: either */
	struct loop *loop;
	struct pg *pg;
	struct redis *redis;
	struct schema *schema;
	struct address_list allowed;
	struct engine_setup setup;
	struct bridge_scratch scratch;
	struct meters meters;
	struct nonces *nonces;
	struct pacer *pacer;
	int64_t end_ms; /* draining: calls that still go on then are ended; 0: not */
};

struct leg {
	struct bridge bridge; /* first */
	struct media_ws *media;
	struct websocket *socket;
	struct leg *next, **link; /* of the pacer */
	unsigned slot;
	struct arena *arena; /* texts of the handshake and of the call */
	const char *url;     /* as Twilio signed it */
	const char *signature, *trace;
	struct json *dialogue, *voice; /* of the call */
	struct engine_call call;
	struct flow *admission, *storing;
	unsigned notes; /* messages taken for the enterprise */
};

/* -- leg.c ------------------------------------------------------------------------------------------- */

/* Inside the flow of the handshake. NULL: refused, and answered. */
struct leg *leg_accept(struct flow *flow, struct media_ws *media, struct error *error);
void leg_free(struct leg *leg);
static inline struct leg *leg_of(struct bridge *bridge)
{
	return (struct leg *)bridge;
}

/* -- admission.c, store.c, tools.c: parts of the bridge's world --------------------------------------- */

void admission_start(struct bridge *bridge, const struct media_message *start);
void admission_stop(struct bridge *bridge);
void store_opened(struct bridge *bridge);
void store_outcome(struct bridge *bridge);
void store_turn(struct bridge *bridge, const struct engine_turn *turn);
struct bridge_tool *tool_start(
	struct bridge *bridge, const char *name, const char *id, struct str arguments);

/* -- pacer.c: one timer for all streams ---------------------------------------------------------------- */

/* Every leg has its turn each 20 ms; the turns are spread, so that not all wake at once. */
struct pacer *pacer_new(struct media_ws *media);
void pacer_free(struct pacer **pacer); /* frees the legs that are left */
void pacer_add(struct pacer *pacer, struct leg *leg);
void pacer_remove(struct pacer *pacer, struct leg *leg);
unsigned pacer_count(const struct pacer *pacer);

/* -- routes.c ------------------------------------------------------------------------------------------ */

extern const struct http_route media_ws_routes[];
void media_ws_seen(void *context, const struct http_seen *seen); /* a line in the log each */
void media_ws_taken(struct flow *flow);				 /* the same of an upgrade */
extern const struct flow_spec audio_flow;			 /* ws_audio_route.c */

#endif
