-- Whose configuration changed; what CRMs know of customers.

-- Accounts -------------------------------------------------------------------------------------------

-- "callweave_account" carries the number of each enterprise that a statement changed, so that readers
-- read only that one anew; '' when there are many: then they read all.
CREATE FUNCTION account_notify() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
	most    CONSTANT integer := 50;
	numbers text[] := '{}';
BEGIN
	IF TG_OP IN ('INSERT', 'UPDATE') THEN
		EXECUTE format('SELECT ARRAY(SELECT DISTINCT %I FROM new_rows LIMIT $1)', TG_ARGV[0])
			INTO numbers USING most + 1;
	END IF;
	IF TG_OP IN ('UPDATE', 'DELETE') THEN -- also the old ones: a line may move to another enterprise
		EXECUTE format('SELECT ARRAY(SELECT unnest($1) UNION (SELECT DISTINCT %I FROM old_rows LIMIT $2))', TG_ARGV[0])
			INTO numbers USING numbers, most + 1;
	END IF;
	IF TG_OP = 'TRUNCATE' OR cardinality(numbers) > most THEN
		PERFORM pg_notify('callweave_account', '');
	ELSE
		PERFORM pg_notify('callweave_account', n) FROM unnest(numbers) AS n;
	END IF;
	RETURN NULL;
END $$;

DO $$
DECLARE
	source text[];
BEGIN
	FOREACH source SLICE 1 IN ARRAY ARRAY[['enterprises', 'number'], ['users', 'enterprise_number'],
			['user_internal_phones', 'enterprise_number'], ['gsm_lines', 'enterprise_number'],
			['sip_unit', 'enterprise_number']] LOOP
		EXECUTE format('CREATE TRIGGER %1$s_account_insert AFTER INSERT ON %1$s REFERENCING NEW TABLE AS new_rows
			FOR EACH STATEMENT EXECUTE FUNCTION account_notify(%2$L)', source[1], source[2]);
		EXECUTE format('CREATE TRIGGER %1$s_account_update AFTER UPDATE ON %1$s REFERENCING NEW TABLE AS new_rows
			OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION account_notify(%2$L)', source[1], source[2]);
		EXECUTE format('CREATE TRIGGER %1$s_account_delete AFTER DELETE ON %1$s REFERENCING OLD TABLE AS old_rows
			FOR EACH STATEMENT EXECUTE FUNCTION account_notify(%2$L)', source[1], source[2]);
		EXECUTE format('CREATE TRIGGER %1$s_account_truncate AFTER TRUNCATE ON %1$s
			FOR EACH STATEMENT EXECUTE FUNCTION account_notify(%2$L)', source[1], source[2]);
	END LOOP;
END $$;

-- Some writers of old stored the object as a text inside the jsonb.
CREATE FUNCTION integration_object(stored jsonb) RETURNS jsonb LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
	IF jsonb_typeof(stored) = 'string' THEN
		stored := (stored #>> '{}')::jsonb;
	END IF;
	RETURN CASE WHEN jsonb_typeof(stored) = 'object' THEN stored ELSE '{}' END;
EXCEPTION WHEN invalid_text_representation THEN
	RETURN '{}';
END $$;

-- Put one integration's whole configuration in the place of the one that is there. Who is who stays when
-- nothing is said of it, and so does a secret that comes back as it was shown: masked. False: no such
-- enterprise.
CREATE FUNCTION integration_put(enterprise text, code text, config jsonb) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
	stored jsonb;
	old    jsonb;
BEGIN
	SELECT integration_object(integrations_config) INTO stored FROM enterprises WHERE number = enterprise FOR UPDATE;
	IF NOT FOUND THEN
		RETURN false;
	END IF;
	old := integration_object(stored -> code);
	config := coalesce((SELECT jsonb_object_agg(m.key, coalesce(CASE WHEN m.value = '"***"' THEN old -> m.key END, m.value))
		FROM jsonb_each(config) AS m WHERE m.value <> '"***"' OR old ? m.key), '{}');
	IF old ? 'user_extensions' AND NOT config ? 'user_extensions' THEN
		config := config || jsonb_build_object('user_extensions', old -> 'user_extensions');
	END IF;
	UPDATE enterprises SET integrations_config = stored || jsonb_build_object(code, config) WHERE number = enterprise;
	RETURN true;
END $$;

-- Customers --------------------------------------------------------------------------------------------

-- What is shown of a customer; NULL: never heard of. Of a person with several numbers the name is the
-- one that customer_before() gives. `responsible`: {"retailcrm": "16"}, the CRMs' users.
CREATE FUNCTION customer_shown(enterprise text, phone text) RETURNS jsonb LANGUAGE plpgsql STABLE AS $$
DECLARE
	own    customers;
	best   customers;
	uid    text;
	black  boolean;
	phones text[];
	meta   jsonb;
BEGIN
	SELECT * INTO own FROM customers k WHERE k.enterprise_number = enterprise AND k.phone_e164 = phone;
	IF NOT FOUND THEN
		RETURN NULL;
	END IF;
	best := own;
	black := own.black_list;
	meta := own.meta;
	uid := own.meta ->> 'person_uid';
	IF uid IS NOT NULL THEN
		SELECT * INTO best FROM customers k WHERE k.enterprise_number = enterprise AND k.meta ->> 'person_uid' = uid
			ORDER BY customer_name(k) IS NULL, k.meta ->> 'primary_source' IS NOT DISTINCT FROM 'hand' DESC,
				nullif(k.enterprise_name, '') IS NULL, k.id LIMIT 1;
		SELECT bool_or(k.black_list), (array_agg(k.phone_e164 ORDER BY k.id))[:50] INTO black, phones FROM customers k
			WHERE k.enterprise_number = enterprise AND k.meta ->> 'person_uid' = uid;
		meta := best.meta || own.meta;
	END IF;
	RETURN jsonb_strip_nulls(jsonb_build_object('name', customer_name(best), 'last_name', nullif(best.last_name, ''),
		'first_name', nullif(best.first_name, ''), 'middle_name', nullif(best.middle_name, ''),
		'enterprise_name', nullif(best.enterprise_name, ''), 'source', best.meta ->> 'primary_source',
		'person_uid', uid, 'phones', to_jsonb(phones), 'ids', meta -> 'ids', 'responsible', meta -> 'responsible',
		'black_list', black));
END $$;

-- The number is no longer this CRM's customer's: what was known of it by that CRM goes, also its name
-- when that gave it.
CREATE FUNCTION customer_detach(enterprise text, phone text, source text, gone text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	c    customers;
	rest jsonb;
	mine boolean;
BEGIN
	SELECT * INTO c FROM customers k WHERE k.enterprise_number = enterprise AND k.phone_e164 = phone FOR UPDATE;
	IF NOT FOUND THEN
		RETURN;
	END IF;
	mine := c.meta ->> 'person_uid' IN (source || ':' || gone, source || '_corp:' || gone);
	IF mine AND c.meta ->> 'primary_source' = source THEN
		PERFORM customer_set_name(enterprise, phone, source, '', '', '', '');
	END IF;
	rest := coalesce(c.meta -> 'ids' -> source, '[]') - gone;
	UPDATE customers k SET meta = CASE WHEN mine THEN k.meta - 'person_uid' - 'person_was' ELSE k.meta END
			|| jsonb_build_object('ids', coalesce(k.meta -> 'ids', '{}') - source
				|| CASE WHEN rest = '[]' THEN '{}' ELSE jsonb_build_object(source, rest) END)
			|| CASE WHEN rest = '[]' AND k.meta ? 'responsible'
				THEN jsonb_build_object('responsible', (k.meta -> 'responsible') - source) ELSE '{}' END
		WHERE k.id = c.id;
END $$;

-- One customer of a CRM with all its numbers. customer_learn() has locked them.
CREATE FUNCTION customer_learn_one(enterprise text, source text, item jsonb, phones text[]) RETURNS void
	LANGUAGE plpgsql AS $$
DECLARE
	item_id text := item ->> 'id';
	company boolean := coalesce(item -> 'company' = 'true', false);
	uid     text := source || CASE WHEN company THEN '_corp:' ELSE ':' END || item_id;
	manager text := nullif(item ->> 'manager_id', '');
	named   text[] := '{}';
	phone   text;
	c       customers;
BEGIN
	FOR phone IN SELECT k.phone_e164 FROM customers k WHERE k.enterprise_number = enterprise AND k.phone_e164 <> ALL (phones)
			AND k.meta ->> 'person_uid' IN (source || ':' || item_id, source || '_corp:' || item_id) ORDER BY 1 LOOP
		PERFORM customer_detach(enterprise, phone, source, item_id);
	END LOOP;
	FOREACH phone IN ARRAY phones LOOP
		SELECT * INTO c FROM customers k WHERE k.enterprise_number = enterprise AND k.phone_e164 = phone;
		IF company OR c.meta ->> 'person_uid' IS NULL OR c.meta ->> 'person_uid' NOT LIKE source || '\_corp:%' THEN
			-- A company goes before the persons in it who have the same number.
			IF customer_set_name(enterprise, phone, source, item ->> 'last_name', item ->> 'first_name',
					item ->> 'middle_name', item ->> 'enterprise_name', item_id) THEN
				named := named || phone;
			END IF;
		END IF;
		UPDATE customers k SET meta = k.meta || jsonb_build_object('responsible', coalesce(k.meta -> 'responsible', '{}')
				- source || CASE WHEN manager IS NULL THEN '{}' ELSE jsonb_build_object(source, manager) END)
			WHERE k.id = c.id AND k.meta -> 'responsible' ->> source IS DISTINCT FROM manager;
	END LOOP;
	IF cardinality(named) > 0 THEN
		PERFORM customer_merge(enterprise, named, uid, true);
	END IF;
END $$;

-- What a CRM says of its customers: [{"id", "company", "last_name", "first_name", "middle_name",
-- "enterprise_name", "phones", "manager_id", "deleted"}]. All numbers of each are in its list: those that
-- are not are let go. Numbers that are not like +375291112233 are passed over. Names by the rules of
-- customer_set_name(). Returns how many rows of customers changed.
CREATE FUNCTION customer_learn(enterprise text, source text, customers jsonb) RETURNS integer LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
	item   jsonb;
	mine   text[];
	wanted text[];
	before jsonb;
	phone  text;
BEGIN
	IF NOT EXISTS (SELECT FROM enterprises e WHERE e.number = enterprise) OR jsonb_typeof(customers) <> 'array' THEN
		RETURN 0;
	END IF;
	SELECT coalesce(array_agg(DISTINCT p ORDER BY p), '{}') INTO wanted FROM jsonb_array_elements(customers) AS i,
		jsonb_array_elements_text(CASE WHEN jsonb_typeof(i -> 'phones') = 'array' THEN i -> 'phones' ELSE '[]' END) AS p
		WHERE customer_is_phone(p) AND NOT coalesce(i -> 'deleted' = 'true', false) AND coalesce(i ->> 'id', '') <> '';
	SELECT coalesce(jsonb_object_agg(k.id, md5(k::text)), '{}') INTO before FROM customers k
		WHERE k.enterprise_number = enterprise AND (k.phone_e164 = ANY (wanted) OR k.meta ->> 'person_uid' IN
			(SELECT source || x || (i ->> 'id') FROM jsonb_array_elements(customers) AS i, unnest('{:,_corp:}'::text[]) AS x));
	FOREACH phone IN ARRAY wanted LOOP -- one order for all: no deadlocks
		PERFORM customer_get(enterprise, phone);
	END LOOP;
	FOR item IN SELECT i FROM jsonb_array_elements(customers) AS i WHERE coalesce(i ->> 'id', '') <> '' LOOP
		mine := ARRAY(SELECT DISTINCT p FROM jsonb_array_elements_text(CASE WHEN jsonb_typeof(item -> 'phones') = 'array'
			THEN item -> 'phones' ELSE '[]' END) AS p WHERE p = ANY (wanted)
			AND NOT coalesce(item -> 'deleted' = 'true', false) ORDER BY p);
		PERFORM customer_learn_one(enterprise, source, item, mine);
	END LOOP;
	RETURN (SELECT count(*) FROM customers k WHERE k.enterprise_number = enterprise
		AND (k.phone_e164 = ANY (wanted) OR before ? k.id::text) AND before ->> k.id::text IS DISTINCT FROM md5(k::text));
END $$;

-- Who is responsible, and under which number a CRM knows the customer, is shown, too.
CREATE TRIGGER customers_notify_meta AFTER UPDATE ON customers FOR EACH ROW
	WHEN ((OLD.meta -> 'responsible', OLD.meta -> 'ids') IS DISTINCT FROM (NEW.meta -> 'responsible', NEW.meta -> 'ids'))
	EXECUTE FUNCTION customers_notify();
