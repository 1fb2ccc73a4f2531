-- Adapters of CRMs: one renewal of a portal's tokens at a time, whose turn it is to be read, and members
-- of a configuration that are made up once.

-- Who renews the tokens now, and until when nobody else may: a refresh token is good for one use.
ALTER TABLE crm_oauth ADD COLUMN renewing_by text, ADD COLUMN renewing_until timestamptz;

CREATE INDEX crm_memory_due ON crm_memory (crm, task, next_at);

-- Put `value` into one integration's configuration, unless something stands there; what stands there then.
-- NULL: there is no such enterprise, or it has not that integration.
CREATE FUNCTION crm_config_make(enterprise text, code text, member text, value text) RETURNS text
	LANGUAGE plpgsql AS $$
DECLARE
	whole jsonb;
	part  jsonb;
BEGIN
	SELECT integration_object(integrations_config) INTO whole FROM enterprises WHERE number = enterprise
		FOR NO KEY UPDATE;
	IF NOT coalesce(whole ? code, false) THEN
		RETURN NULL;
	END IF;
	part := integration_object(whole -> code);
	IF coalesce(part ->> member, '') = '' THEN
		part := part || jsonb_build_object(member, value);
		UPDATE enterprises SET integrations_config = whole || jsonb_build_object(code, part) WHERE number = enterprise;
	END IF;
	RETURN part ->> member;
END $$;
