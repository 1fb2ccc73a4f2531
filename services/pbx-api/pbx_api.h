/*
 * pbx_api: pbx-api's own struct, and the stories of its routes.
 *
 * Two servers in one process: 8018 hears clicks of CRMs and has the PBX call, 8021 tells PBXs who
 * calls them and who should take it.
 */
#ifndef PBX_API_H
#define PBX_API_H

#include "accounts.h"
#include "clicks.h"
#include "http_client.h"
#include "routing_cache.h"
#include "routing_stats.h"
#include "schema.h"
#include "service.h"
#include "settings.h"

struct pbx_api {
	struct service *service;
	const struct pbx_api_settings *settings;
	struct pg *pg;
	struct schema *schema;
	struct accounts *accounts;
	struct http_client *http; /* to integration-cache */
	struct clicks *clicks;
	struct routing_cache *cache;
	struct routing_stats *stats;
	struct http_server *routing; /* the second port */
	struct metric *results[AMI_RESULTS];
};

extern const struct http_route pbx_api_routes[];
extern const struct http_route routing_routes[];

extern const struct flow_spec click_flow;   /* GET, POST /api/makecallexternal; detached */
extern const struct flow_spec routing_flow; /* POST /api/callevent/getcustomerdata */

/* The enterprise whose `name2` or `secret` this is, compared in constant time; NULL: nobody's, or of
 * one that is switched off. */
const struct account *pbx_api_by_token(const struct pbx_api *api, struct str token);
const struct account *pbx_api_by_secret(const struct pbx_api *api, struct str secret);

/* A name as a PBX may show it: one line, no quotes or brackets, at most 160 bytes. In the arena. */
struct str pbx_api_shown_name(struct str name, struct arena *arena);

#endif
