/*
 * json_put: see json_put.h. Nearly every answer of a service is an object with fixed members, and
 * two calls for each of them hid its shape.
 */
#include "json_put.h"

void json_put_member_int(struct json_writer *writer, const char *name, int64_t value)
{
	json_put_name(writer, name);
	json_put_int(writer, value);
}

void json_put_member_bool(struct json_writer *writer, const char *name, bool value)
{
	json_put_name(writer, name);
	json_put_bool(writer, value);
}

void json_put_member_str(struct json_writer *writer, const char *name, struct str value)
{
	json_put_name(writer, name);
	json_put_str(writer, value);
}

void json_put_member_raw(struct json_writer *writer, const char *name, struct str json_text)
{
	json_put_name(writer, name);
	json_put_raw(writer, json_text);
}
