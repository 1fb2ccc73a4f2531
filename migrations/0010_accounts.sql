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
