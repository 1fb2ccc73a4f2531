-- Calls that somebody began by a click in a CRM: what the CRM is told of the call names the click.

CREATE TABLE click_calls (
	id                bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	enterprise_number text NOT NULL REFERENCES enterprises ON DELETE CASCADE,
	extension         text NOT NULL,
	phone             text NOT NULL,                 -- E.164
	crm               text NOT NULL,                 -- the driver's code
	origin_call       text NOT NULL DEFAULT '',      -- the CRM's own id of the call, when it gave one
	at                timestamptz NOT NULL DEFAULT now(),
	taken             boolean NOT NULL DEFAULT false -- its call was found
);
CREATE INDEX click_calls_open ON click_calls (enterprise_number, extension, phone, at) WHERE NOT taken;
CREATE INDEX click_calls_at ON click_calls (at);

-- A click, noted before the PBX is asked. Old ones go a few at a time.
CREATE FUNCTION click_call_note(enterprise text, ext text, number text, crm_code text, crm_call text)
	RETURNS void LANGUAGE sql AS $$
	DELETE FROM click_calls WHERE id IN (SELECT id FROM click_calls WHERE at < now() - interval '2 days'
		ORDER BY at LIMIT 20 FOR UPDATE SKIP LOCKED);
	INSERT INTO click_calls (enterprise_number, extension, phone, crm, origin_call)
		VALUES (enterprise, ext, number, crm_code, crm_call);
$$;
