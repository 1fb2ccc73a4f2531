\set n random(1, 99999999)
INSERT INTO call_events (shard, enterprise_number, unique_id, event_type, event_timestamp, trace_id, raw_data)
VALUES (12, '0367', '1757840701.' || :n, 'hangup', now(), '0af7651916cd43dd8448eb211c80319c',
	(E'{"Token"\x3a"375290000367","UniqueId"\x3a"1757840701.' || :n || E'","Phone"\x3a"375290000001","Extensions"\x3a["150","151","152"],"CallType"\x3a\x30,"CallStatus"\x3a"2","StartTime"\x3a"2025-09-14 12\x3a\x30\x35\x3a23","DateReceived"\x3a"2025-09-14 12\x3a\x30\x35\x3a23","EndTime"\x3a"2025-09-14 12\x3a\x30\x36\x3a\x30\x31","Trunk"\x3a"0001363","Channel"\x3a"SIP/0001363-00000004","BridgeUniqueid"\x3a"c50ef955-2780-4484-a218-dfb1db61b5bc","Note"\x3a"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"}')::jsonb);
