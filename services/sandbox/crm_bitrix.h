/*
 * crm_bitrix: Bitrix24's REST. What its files offer each other.
 */
#ifndef SANDBOX_CRM_BITRIX_H
#define SANDBOX_CRM_BITRIX_H

#include "crm.h"

/* crm_bitrix_calls.c: telephony.externalCall.* */
void bitrix_call_register(struct crm_request *request);
void bitrix_call_show(struct crm_request *request);
void bitrix_call_hide(struct crm_request *request);
void bitrix_call_finish(struct crm_request *request);
void bitrix_call_attach(struct crm_request *request);

/* crm_bitrix_lines.c: telephony.externalLine.*, event.*, app.info, scope */
void bitrix_line_add(struct crm_request *request);
void bitrix_line_update(struct crm_request *request);
void bitrix_line_delete(struct crm_request *request);
void bitrix_line_get(struct crm_request *request);
void bitrix_event_bind(struct crm_request *request);
void bitrix_event_unbind(struct crm_request *request);
void bitrix_event_get(struct crm_request *request);
void bitrix_app_info(struct crm_request *request);
void bitrix_scope(struct crm_request *request);

/* crm_bitrix_people.c */
void bitrix_search(struct crm_request *request);
void bitrix_users(struct crm_request *request);
void bitrix_contacts(struct crm_request *request);
void bitrix_companies(struct crm_request *request);

/* crm_bitrix_oauth.c: /oauth/token/ */
void bitrix_oauth(struct crm *crm, struct outside_call *call);
/* The portal that an access token is of; NULL: of none, or it has expired (`expired` says so). */
struct office *bitrix_office_of_token(
	struct crm *crm, struct str token, int64_t now_ms, bool *expired);
/* A new pair of tokens. `renews`: the refresh tokens before it are refused from now on; else it is one
 * for an event, which renews nothing and cannot be renewed. */
struct card *bitrix_issue_tokens(struct office *office, bool renews, int64_t now_ms);
/* The members of a token answer, and of `auth` in events. */
void bitrix_put_tokens(struct outside_call *call, struct office *office, const struct card *tokens,
	struct json_writer *writer);

/* crm_bitrix.c */
void bitrix_refuse(struct outside_call *call, int status, const char *code, struct str words);
/* {"result": ... , the caller's value follows; then bitrix_end() adds "time". */
void bitrix_begin(struct crm_request *request);
void bitrix_end(struct crm_request *request);
void bitrix_say(struct crm_request *request, const char *result_json);
bool bitrix_check(struct crm_request *request, const struct check_field *fields);
/* The users of USER_ID: a number, an array, or USER_ID[0]=... How many. */
unsigned bitrix_users_of(struct crm_request *request, struct str *ids, unsigned max);

#endif
