/*
 * json_put: a member of an object in one call, name and value together.
 *
 * Apart from json.h because most readers of JSON never write any. The rules of struct json_writer
 * hold: an object must be open, and commas are its business.
 */
#ifndef CALLWEAVE_JSON_PUT_H
#define CALLWEAVE_JSON_PUT_H

#include "json.h"

void json_put_member_int(struct json_writer *writer, const char *name, int64_t value);
void json_put_member_bool(struct json_writer *writer, const char *name, bool value);
void json_put_member_str(struct json_writer *writer, const char *name, struct str value);
void json_put_member_raw(struct json_writer *writer, const char *name, struct str json_text);

#endif
