-- The page of a call: what it looks up goes by an index, however many calls there are.

-- Events of a bridge carry no channel's id; the page finds them by the bridges that the channels name.
-- Partial: only bridge_create and bridge_destroy are in it, one event in a hundred on most hosts.
CREATE INDEX idx_events_bridge ON call_events ((raw_data ->> 'BridgeUniqueid')) WHERE unique_id = '';

CREATE INDEX integration_logs_call ON integration_logs (call_id) WHERE call_id IS NOT NULL;
