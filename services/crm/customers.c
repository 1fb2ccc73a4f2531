/*
 * customers: see customers.h.
 */
#include "customers.h"

#include "json_put.h"
#include "phone.h"

static void put_phones(
	struct json_writer *writer, const struct crm_customer *customer, const char *country)
{
	char phone[PHONE_TEXT_BYTES];

	json_put_name(writer, "phones");
	json_open_array(writer);
	for (size_t i = 0; i < customer->phones.count; i++) {
		if (phone_e164(customer->phones.items[i], country, phone))
			json_put_str(writer, str_from(phone));
	}
	json_close_array(writer);
}

static void put_customer(
	struct json_writer *writer, const struct crm_customer *customer, const char *country)
{
	json_open_object(writer);
	json_put_member_str(writer, "id", customer->id);
	json_put_member_bool(writer, "company", customer->company);
	json_put_member_str(writer, "last_name", customer->last_name);
	json_put_member_str(writer, "first_name", customer->first_name);
	json_put_member_str(writer, "middle_name", customer->middle_name);
	json_put_member_str(writer, "enterprise_name", customer->enterprise_name);
	put_phones(writer, customer, country);
	json_put_member_str(writer, "manager_id", customer->manager_id);
	json_put_member_bool(writer, "deleted", customer->deleted);
	json_close_object(writer);
}

struct str customers_json(const struct crm_customer *customers, unsigned count, const char *country,
	struct arena *arena)
{
	struct json_writer writer;
	struct str text = STR("[]");
	struct buf buf;

	buf_init(&buf, CUSTOMERS_MAX_BYTES);
	json_begin(&writer, &buf);
	json_open_array(&writer);
	for (unsigned i = 0; i < count; i++)
		put_customer(&writer, &customers[i], country);
	json_close_array(&writer);
	if (!buf.failed)
		text = str_of(arena_strndup(arena, buf.data, buf.size), buf.size);
	buf_free(&buf);
	return text;
}

struct str customer_display_name(const struct crm_customer *customer, struct arena *arena)
{
	const struct str parts[] = {
		customer->last_name, customer->first_name, customer->middle_name};
	const char *name = "";

	if (str_trim(customer->enterprise_name).size > 0)
		return str_trim(customer->enterprise_name);
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		struct str part = str_trim(parts[i]);

		if (part.size > 0)
			name = arena_printf(
				arena, "%s%s%.*s", name, name[0] != '\0' ? " " : "", STR_ARG(part));
	}
	return str_from(name);
}

const struct crm_customer *customers_best(const struct crm_customer *customers, unsigned count)
{
	const struct crm_customer *best = NULL;

	for (unsigned i = 0; i < count; i++) {
		if (customers[i].deleted)
			continue;
		if (best == NULL || (customers[i].company && !best->company))
			best = &customers[i];
	}
	return best;
}
