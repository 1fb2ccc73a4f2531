-- Customers: counters that count each call once, names and who may write them, several numbers of one
-- person. And the spelling rules of lines.

-- Lines --------------------------------------------------------------------------------------------

-- '+375{9}': the prefix and the last 9 digits of what the line sends as its caller; at most 15 digits.
CREATE FUNCTION number_transform_valid(rule text) RETURNS boolean LANGUAGE sql IMMUTABLE PARALLEL SAFE
	RETURN CASE WHEN coalesce(rule, '') = '' THEN true
		WHEN rule ~ '^(\+?[0-9]{1,14})?\{([1-9]|1[0-5])\}$' THEN
			length(replace(split_part(rule, '{', 1), '+', '')) + rtrim(split_part(rule, '{', 2), '}')::int <= 15
		ELSE false END;

ALTER TABLE gsm_lines ADD COLUMN incoming_transform text;
ALTER TABLE gsm_lines ADD CONSTRAINT gsm_lines_incoming_transform
	CHECK (number_transform_valid(incoming_transform));
-- What is there already may be wrong: the dispatcher warns of it and passes it over.
ALTER TABLE sip_unit ADD CONSTRAINT sip_unit_incoming_transform
	CHECK (number_transform_valid(incoming_transform)) NOT VALID;

-- Who a customer is --------------------------------------------------------------------------------

-- meta.person_uid: customers of an enterprise with the same one are numbers of one person
-- ("retailcrm:815", "hand:12"). meta.person_was: the one before a merge. meta.primary_source: who gave
-- the name ('hand' is never overwritten). meta.ids: {"retailcrm": ["815"]}.
CREATE INDEX customers_person ON customers (enterprise_number, (meta ->> 'person_uid'))
	WHERE meta ->> 'person_uid' IS NOT NULL;

-- The same key again, as the newest index: between indexes that seem to cost the same, as they do while
-- the table has no statistics, the planner takes the newest, and this is the one to look customers up by.
ALTER TABLE customers DROP CONSTRAINT customers_enterprise_number_phone_e164_key,
	ADD CONSTRAINT customers_phone UNIQUE (enterprise_number, phone_e164);

-- The company, else "Фамилия Имя Отчество"; NULL when there is neither.
CREATE FUNCTION customer_name(c customers) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE
	RETURN coalesce(nullif(btrim(c.enterprise_name), ''), nullif(concat_ws(' ', nullif(btrim(c.last_name), ''),
		nullif(btrim(c.first_name), ''), nullif(btrim(c.middle_name), '')), ''));

CREATE FUNCTION customer_is_phone(phone text) RETURNS boolean LANGUAGE sql IMMUTABLE PARALLEL SAFE
	RETURN coalesce(phone ~ '^\+[1-9][0-9]{6,14}$', false);

-- Calls that count ---------------------------------------------------------------------------------

-- What of the call stands in its customer's counters: {phone, in|out, answered|missed|unknown}. NULL:
-- nothing, so it is counted when it ends.
ALTER TABLE calls ADD COLUMN counted_at timestamptz, ADD COLUMN counted_as text[];

-- A customer's calls, newest last: for histories.
CREATE INDEX calls_customer ON calls (enterprise_id, phone_number, start_time);
DROP INDEX idx_calls_phone_number;

-- As what a call that is over counts; NULL when it does not: internal calls, hidden numbers.
CREATE FUNCTION customer_counts_as(c calls) RETURNS text[] LANGUAGE sql IMMUTABLE PARALLEL SAFE
	RETURN CASE WHEN c.state IN ('ended', 'lost') AND c.direction IN ('incoming', 'outgoing')
			AND customer_is_phone(c.phone_number) THEN
		ARRAY[c.phone_number, CASE c.direction WHEN 'incoming' THEN 'in' ELSE 'out' END,
			CASE WHEN c.answered THEN 'answered' WHEN c.state = 'lost' THEN 'unknown' ELSE 'missed' END] END;

-- Who of us was in it: who talked last; of a call that nobody took, who made it.
CREATE FUNCTION customer_agent(c calls) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE
	RETURN CASE WHEN c.answered THEN c.talkers[array_upper(c.talkers, 1)] ELSE nullif(c.caller, '') END;

CREATE FUNCTION customer_due(c calls) RETURNS boolean LANGUAGE sql IMMUTABLE PARALLEL SAFE
	RETURN c.counted_as IS NULL AND customer_counts_as(c) IS NOT NULL;

-- Put `sign` (1 or -1) times what the call counts as into its customer's counters.
CREATE FUNCTION customer_add(enterprise text, counts_as text[], sign integer) RETURNS void LANGUAGE sql AS $$
	UPDATE customers SET
		calls_total_in     = greatest(0, calls_total_in     + sign * (counts_as[2] = 'in')::int),
		calls_total_out    = greatest(0, calls_total_out    + sign * (counts_as[2] = 'out')::int),
		calls_answered_in  = greatest(0, calls_answered_in  + sign * (counts_as[2:3] = '{in,answered}')::int),
		calls_answered_out = greatest(0, calls_answered_out + sign * (counts_as[2:3] = '{out,answered}')::int),
		calls_missed_in    = greatest(0, calls_missed_in    + sign * (counts_as[2:3] = '{in,missed}')::int),
		calls_missed_out   = greatest(0, calls_missed_out   + sign * (counts_as[2:3] = '{out,missed}')::int)
		WHERE enterprise_number = enterprise AND phone_e164 = counts_as[1];
$$;

-- The fields of the last call, read off the calls that count. For what is corrected afterwards; a new
-- call moves them on without looking back.
CREATE FUNCTION customer_look_back(enterprise text, phone text) RETURNS void LANGUAGE sql AS $$
	UPDATE customers SET last_call_at = l.start_time, last_call_direction = l.counted_as[2],
		last_call_status = l.counted_as[3], last_line = l.trunk, last_agent_internal = l.agent,
		last_success_at = (SELECT max(start_time) FROM calls WHERE enterprise_id = enterprise
			AND phone_number = phone AND counted_as[1] = phone AND counted_as[3] = 'answered')
		FROM (SELECT true) AS one LEFT JOIN (SELECT c.start_time, c.counted_as, c.trunk, customer_agent(c) AS agent
			FROM calls c WHERE c.enterprise_id = enterprise AND c.phone_number = phone AND c.counted_as[1] = phone
			ORDER BY c.start_time DESC LIMIT 1) AS l ON true
		WHERE enterprise_number = enterprise AND phone_e164 = phone;
$$;

-- Calls that are over and were never counted: all at once, in the order of their customers.
CREATE FUNCTION customer_count_new(ids bigint[]) RETURNS integer LANGUAGE plpgsql AS $$
DECLARE
	counted integer;
BEGIN
	WITH over AS (
		SELECT c.id, c.enterprise_id, c.start_time, coalesce(c.end_time, c.start_time) AS end_time, c.trunk,
			customer_counts_as(c) AS counts_as, customer_agent(c) AS agent
		FROM calls c WHERE c.id = ANY (ids) AND customer_due(c) ORDER BY c.id FOR NO KEY UPDATE
	), sums AS (
		SELECT enterprise_id, counts_as[1] AS phone, min(start_time) AS first_at, max(end_time) AS seen_at,
			max(start_time) AS last_at, max(start_time) FILTER (WHERE counts_as[3] = 'answered') AS success_at,
			count(*) FILTER (WHERE counts_as[2] = 'in')::int AS total_in,
			count(*) FILTER (WHERE counts_as[2] = 'out')::int AS total_out,
			count(*) FILTER (WHERE counts_as[2:3] = '{in,answered}')::int AS answered_in,
			count(*) FILTER (WHERE counts_as[2:3] = '{out,answered}')::int AS answered_out,
			count(*) FILTER (WHERE counts_as[2:3] = '{in,missed}')::int AS missed_in,
			count(*) FILTER (WHERE counts_as[2:3] = '{out,missed}')::int AS missed_out,
			(array_agg(counts_as[2] ORDER BY start_time DESC))[1] AS direction,
			(array_agg(counts_as[3] ORDER BY start_time DESC))[1] AS status,
			(array_agg(agent ORDER BY start_time DESC) FILTER (WHERE agent IS NOT NULL))[1] AS agent,
			(array_agg(trunk ORDER BY start_time DESC))[1] AS line
		FROM over GROUP BY enterprise_id, counts_as[1]
	), told AS (
		INSERT INTO customers AS c (enterprise_number, phone_e164, first_seen_at, last_seen_at, last_call_at,
			last_success_at, calls_total_in, calls_total_out, calls_answered_in, calls_answered_out,
			calls_missed_in, calls_missed_out, last_call_direction, last_call_status, last_agent_internal, last_line)
		SELECT enterprise_id, phone, first_at, seen_at, last_at, success_at, total_in, total_out, answered_in,
			answered_out, missed_in, missed_out, direction, status, agent, line
		FROM sums s WHERE EXISTS (SELECT FROM enterprises e WHERE e.number = s.enterprise_id)
		ORDER BY enterprise_id, phone
		ON CONFLICT (enterprise_number, phone_e164) DO UPDATE SET
			first_seen_at = least(c.first_seen_at, excluded.first_seen_at),
			last_seen_at = greatest(c.last_seen_at, excluded.last_seen_at),
			last_success_at = greatest(c.last_success_at, excluded.last_success_at),
			calls_total_in = c.calls_total_in + excluded.calls_total_in,
			calls_total_out = c.calls_total_out + excluded.calls_total_out,
			calls_answered_in = c.calls_answered_in + excluded.calls_answered_in,
			calls_answered_out = c.calls_answered_out + excluded.calls_answered_out,
			calls_missed_in = c.calls_missed_in + excluded.calls_missed_in,
			calls_missed_out = c.calls_missed_out + excluded.calls_missed_out,
			last_call_at = greatest(c.last_call_at, excluded.last_call_at),
			last_call_direction = CASE WHEN c.last_call_at > excluded.last_call_at THEN c.last_call_direction
				ELSE excluded.last_call_direction END,
			last_call_status = CASE WHEN c.last_call_at > excluded.last_call_at THEN c.last_call_status
				ELSE excluded.last_call_status END,
			last_agent_internal = CASE WHEN c.last_call_at > excluded.last_call_at THEN c.last_agent_internal
				ELSE coalesce(excluded.last_agent_internal, c.last_agent_internal) END,
			last_line = CASE WHEN c.last_call_at > excluded.last_call_at THEN c.last_line
				ELSE excluded.last_line END
	), marked AS (
		UPDATE calls c SET counted_at = now(), counted_as = o.counts_as FROM over o WHERE c.id = o.id RETURNING 1
	)
	SELECT count(*) INTO counted FROM marked;
	RETURN counted;
END $$;

-- One call, whatever it counted as before: a recovered event may have changed its result or number.
CREATE FUNCTION customer_recount_call(call bigint) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
	c     calls;
	wants text[];
BEGIN
	SELECT * INTO c FROM calls WHERE id = call FOR UPDATE;
	IF NOT FOUND OR c.state NOT IN ('ended', 'lost') THEN
		RETURN false; -- open again: what it counted as stands until it ends
	END IF;
	wants := customer_counts_as(c);
	IF wants IS NOT DISTINCT FROM c.counted_as THEN
		RETURN false;
	END IF;
	IF c.counted_as IS NULL THEN
		RETURN customer_count_new(ARRAY[call]) > 0;
	END IF;
	PERFORM customer_add(c.enterprise_id, c.counted_as, -1);
	UPDATE calls SET counted_as = NULL, counted_at = NULL WHERE id = call;
	PERFORM customer_look_back(c.enterprise_id, c.counted_as[1]);
	IF wants IS NOT NULL THEN
		PERFORM customer_count_new(ARRAY[call]);
		PERFORM customer_look_back(c.enterprise_id, wants[1]);
	END IF;
	RETURN true;
END $$;

-- Count these calls, each exactly once, however often it is asked; calls that still go on are passed
-- over. The way in for everybody: the dispatcher's commit, a refold. Returns how many counted anew.
-- Never fails and never waits for long, since a call must not be lost for a count: when somebody holds
-- a customer's row, all of these are left for customer_count_late().
CREATE FUNCTION customer_count_call(ids bigint[]) RETURNS integer LANGUAGE plpgsql
	SET lock_timeout = '200ms' SET enable_seqscan = off AS $$
DECLARE
	counted integer;
	again   bigint;
BEGIN
	counted := customer_count_new(ids);
	FOR again IN SELECT c.id FROM calls c WHERE c.id = ANY (ids) AND c.counted_as IS NOT NULL
			AND c.state IN ('ended', 'lost') AND customer_counts_as(c) IS DISTINCT FROM c.counted_as
			ORDER BY c.id LOOP
		counted := counted + customer_recount_call(again)::int;
	END LOOP;
	RETURN counted;
EXCEPTION WHEN OTHERS THEN
	RAISE WARNING 'customers: % calls are counted later: %', cardinality(ids), SQLERRM;
	RETURN 0;
END $$;
CREATE FUNCTION customer_count_call(id bigint) RETURNS integer LANGUAGE sql
	AS $$ SELECT customer_count_call(ARRAY[id]) $$;

-- Calls that ended a short while ago and did not get to be counted. Goes by the fold's memory of them,
-- which stays until they are. Returns how many are still not counted after a minute.
CREATE FUNCTION customer_count_late() RETURNS integer LANGUAGE plpgsql AS $$
DECLARE
	due bigint[] := ARRAY(SELECT c.id FROM fold_calls f JOIN calls c ON c.id = f.call_id
		WHERE f.forget_at IS NOT NULL AND customer_due(c) AND c.updated_at < now() - interval '2 seconds'
		ORDER BY c.id LIMIT 1000);
BEGIN
	IF cardinality(due) > 0 THEN
		PERFORM customer_count_call(due);
	END IF;
	RETURN (SELECT count(*) FROM calls c WHERE c.id = ANY (due) AND customer_due(c)
		AND c.updated_at < now() - interval '1 minute');
END $$;

-- Calls that turned out to be parts of others: they are gone, and count no more.
CREATE FUNCTION calls_merged(ids bigint[]) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	c calls;
BEGIN
	FOR c IN DELETE FROM calls WHERE id = ANY (ids) RETURNING * LOOP
		CONTINUE WHEN c.counted_as IS NULL;
		PERFORM customer_add(c.enterprise_id, c.counted_as, -1);
		PERFORM customer_look_back(c.enterprise_id, c.counted_as[1]);
	END LOOP;
END $$;

-- The other side of a call --------------------------------------------------------------------------

-- A customer as known BEFORE the given call (which need not be stored yet): name, earlier calls of all
-- numbers of the person, and the last of them. No row: never heard of.
CREATE FUNCTION customer_before(enterprise text, phone text, call bigint,
	OUT name text, OUT calls integer, OUT last_at timestamptz, OUT last_answered boolean,
	OUT last_direction text, OUT last_extension text, OUT black_list boolean)
	RETURNS SETOF record LANGUAGE plpgsql STABLE AS $$
#variable_conflict use_column
DECLARE
	own    customers;
	began  timestamptz;
	later  integer;
	phones text[];
BEGIN
	SELECT * INTO own FROM customers k WHERE k.enterprise_number = enterprise AND k.phone_e164 = phone;
	IF NOT FOUND THEN
		RETURN;
	END IF;
	name := customer_name(own);
	black_list := own.black_list;
	calls := own.calls_total_in + own.calls_total_out;
	last_at := own.last_call_at;
	last_answered := own.last_call_status = 'answered';
	last_direction := own.last_call_direction;
	last_extension := own.last_agent_internal;
	phones := ARRAY[phone];
	IF own.meta ->> 'person_uid' IS NOT NULL THEN
		SELECT (array_agg(customer_name(k) ORDER BY k.meta ->> 'primary_source' IS NOT DISTINCT FROM 'hand' DESC,
				nullif(k.enterprise_name, '') IS NULL, k.id) FILTER (WHERE customer_name(k) IS NOT NULL))[1],
			bool_or(k.black_list), sum(k.calls_total_in + k.calls_total_out)::int, array_agg(k.phone_e164)
			INTO name, black_list, calls, phones
			FROM customers k WHERE k.enterprise_number = enterprise
			AND k.meta ->> 'person_uid' = own.meta ->> 'person_uid';
		SELECT k.last_call_at, k.last_call_status = 'answered', k.last_call_direction, k.last_agent_internal
			INTO last_at, last_answered, last_direction, last_extension
			FROM customers k WHERE k.enterprise_number = enterprise
			AND k.meta ->> 'person_uid' = own.meta ->> 'person_uid' AND k.last_call_at IS NOT NULL
			ORDER BY k.last_call_at DESC LIMIT 1;
	END IF;
	-- Looked at again when it, or one after it, has been counted: those are taken off.
	SELECT c.start_time INTO began FROM calls c WHERE c.id = call;
	IF began IS NOT NULL AND last_at >= began THEN
		SELECT count(*) INTO later FROM calls c WHERE c.enterprise_id = enterprise
			AND c.phone_number = ANY (phones) AND c.start_time >= began AND c.counted_as IS NOT NULL;
		calls := greatest(0, calls - later);
		last_at := NULL;
		SELECT c.start_time, c.answered, c.counted_as[2], customer_agent(c)
			INTO last_at, last_answered, last_direction, last_extension
			FROM calls c WHERE c.enterprise_id = enterprise AND c.phone_number = ANY (phones)
			AND c.start_time < began AND c.counted_as IS NOT NULL ORDER BY c.start_time DESC LIMIT 1;
	END IF;
	RETURN NEXT;
END $$;

-- Names, marks, persons ----------------------------------------------------------------------------

CREATE FUNCTION customer_get(enterprise text, phone text) RETURNS customers LANGUAGE plpgsql AS $$
DECLARE
	found customers;
BEGIN
	IF NOT customer_is_phone(phone) THEN
		RAISE EXCEPTION 'customer: "%" is not a number like +375291112233', phone USING ERRCODE = '22023';
	END IF;
	INSERT INTO customers (enterprise_number, phone_e164) VALUES (enterprise, phone) ON CONFLICT DO NOTHING;
	SELECT * INTO found FROM customers c WHERE c.enterprise_number = enterprise AND c.phone_e164 = phone FOR UPDATE;
	RETURN found;
END $$;

-- Give a customer a name. `source`: 'hand', or a CRM's code. What a person wrote by hand no CRM
-- overwrites, and a name from one CRM only that one, or the one that the enterprise chose
-- (integrations_config.smart.primary). All names empty, by hand: the hand's name is taken back.
-- `external_id` is the customer's in that CRM, kept in any case. True when the name is that one now.
CREATE FUNCTION customer_set_name(enterprise text, phone text, source text, last_name text, first_name text,
	middle_name text, company text, external_id text DEFAULT NULL) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
	c     customers := customer_get(enterprise, phone);
	owner text := c.meta ->> 'primary_source';
	empty boolean := concat(btrim(last_name), btrim(first_name), btrim(middle_name), btrim(company)) = '';
	mine  boolean;
BEGIN
	IF source !~ '^[a-z0-9_]{1,20}$' THEN
		RAISE EXCEPTION 'customer: "%" is no source of names', source USING ERRCODE = '22023';
	END IF;
	IF external_id <> '' AND NOT coalesce(c.meta -> 'ids' -> source ? external_id, false) THEN
		c.meta := c.meta || jsonb_build_object('ids', coalesce(c.meta -> 'ids', '{}') || jsonb_build_object(source,
			coalesce(c.meta -> 'ids' -> source, '[]') || to_jsonb(external_id)));
	END IF;
	mine := coalesce(source = 'hand' OR owner IS NULL OR owner = source OR (owner <> 'hand' AND source =
		(SELECT e.integrations_config -> 'smart' ->> 'primary' FROM enterprises e WHERE e.number = enterprise)), false);
	IF mine AND empty THEN
		c.meta := c.meta - 'primary_source';
	ELSIF mine THEN
		c.meta := c.meta || jsonb_build_object('primary_source', source);
	END IF;
	UPDATE customers k SET meta = c.meta,
		last_name = CASE WHEN mine THEN nullif(left(btrim(customer_set_name.last_name), 100), '') ELSE k.last_name END,
		first_name = CASE WHEN mine THEN nullif(left(btrim(customer_set_name.first_name), 100), '') ELSE k.first_name END,
		middle_name = CASE WHEN mine THEN nullif(left(btrim(customer_set_name.middle_name), 100), '') ELSE k.middle_name END,
		enterprise_name = CASE WHEN mine THEN nullif(left(btrim(company), 200), '') ELSE k.enterprise_name END
		WHERE k.id = c.id;
	RETURN mine;
END $$;

CREATE FUNCTION customer_set_black_list(enterprise text, phone text, black boolean) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	c customers := customer_get(enterprise, phone);
BEGIN
	UPDATE customers k SET black_list = black WHERE k.id = c.id AND k.black_list <> black;
END $$;

-- These numbers are one person's: `uid` "<source>:<id>"; NULL: the one that the first has, else one of
-- its own. Other numbers of the same persons come along. `whole`: the list is complete, numbers that
-- had the uid and are not in it are let go (what a CRM says of its customer). Returns the uid.
CREATE FUNCTION customer_merge(enterprise text, phones text[], uid text DEFAULT NULL, whole boolean DEFAULT false)
	RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	first customers;
	phone text;
	ids   bigint[];
BEGIN
	FOR phone IN SELECT DISTINCT p FROM unnest(phones) AS p ORDER BY p LOOP -- one order for all: no deadlocks
		PERFORM customer_get(enterprise, phone);
	END LOOP;
	SELECT * INTO first FROM customers c WHERE c.enterprise_number = enterprise AND c.phone_e164 = phones[1];
	uid := coalesce(uid, first.meta ->> 'person_uid', 'hand:' || first.id);
	SELECT array_agg(c.id ORDER BY c.id) INTO ids FROM customers c WHERE c.enterprise_number = enterprise
		AND (c.phone_e164 = ANY (phones) OR (NOT whole AND c.meta ->> 'person_uid' IN
			(SELECT m.meta ->> 'person_uid' FROM customers m WHERE m.enterprise_number = enterprise
				AND m.phone_e164 = ANY (phones))));
	UPDATE customers c SET meta = CASE WHEN c.meta ? 'person_uid'
			THEN c.meta || jsonb_build_object('person_was', c.meta -> 'person_uid') ELSE c.meta - 'person_was' END
			|| jsonb_build_object('person_uid', uid)
		WHERE c.id = ANY (ids) AND c.meta ->> 'person_uid' IS DISTINCT FROM uid;
	IF whole THEN
		UPDATE customers c SET meta = c.meta - 'person_uid' - 'person_was' WHERE c.enterprise_number = enterprise
			AND c.meta ->> 'person_uid' = uid AND c.phone_e164 <> ALL (phones);
	END IF;
	RETURN uid;
END $$;

-- The number is a person of its own again, or belongs to whom it belonged before. False: it was not
-- merged.
CREATE FUNCTION customer_unmerge(enterprise text, phone text) RETURNS boolean LANGUAGE sql AS $$
	WITH changed AS (
		UPDATE customers c SET meta = CASE WHEN c.meta ? 'person_was'
				THEN c.meta - 'person_was' || jsonb_build_object('person_uid', c.meta -> 'person_was')
				ELSE c.meta - 'person_uid' END
			WHERE c.enterprise_number = enterprise AND c.phone_e164 = phone AND c.meta ? 'person_uid' RETURNING 1)
	SELECT EXISTS (SELECT FROM changed);
$$;

-- What people see of a customer has changed: all numbers of the person are announced. Counters are not.
CREATE FUNCTION customers_notify() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	PERFORM pg_notify('callweave_customers', NEW.enterprise_number || ' ' || NEW.phone_e164);
	PERFORM pg_notify('callweave_customers', c.enterprise_number || ' ' || c.phone_e164) FROM customers c
		WHERE c.enterprise_number = NEW.enterprise_number AND c.meta ->> 'person_uid' IN
			(NEW.meta ->> 'person_uid', CASE WHEN TG_OP = 'UPDATE' THEN OLD.meta ->> 'person_uid' END);
	RETURN NULL;
END $$;
CREATE TRIGGER customers_notify_insert AFTER INSERT ON customers FOR EACH ROW
	WHEN (NEW.black_list OR NEW.meta <> '{}' OR num_nonnulls(NEW.last_name, NEW.first_name, NEW.middle_name,
		NEW.enterprise_name) > 0)
	EXECUTE FUNCTION customers_notify();
CREATE TRIGGER customers_notify_update AFTER UPDATE ON customers FOR EACH ROW
	WHEN ((OLD.black_list, OLD.last_name, OLD.first_name, OLD.middle_name, OLD.enterprise_name,
			OLD.meta ->> 'person_uid', OLD.meta ->> 'primary_source')
		IS DISTINCT FROM (NEW.black_list, NEW.last_name, NEW.first_name, NEW.middle_name, NEW.enterprise_name,
			NEW.meta ->> 'person_uid', NEW.meta ->> 'primary_source'))
	EXECUTE FUNCTION customers_notify();
