-- wrk: POST /dispatch/call-event as the dispatcher sends it, each call with a UniqueId of its own; ten enterprises.
local threads = 0

function setup(thread)
	threads = threads + 1
	thread:set("number", threads)
end

local counter = 0
local call = '"call":{"call_id":7,"outgoing":false,"phone":"+375291112233","line":"0001363","rang":["150","151"],' ..
	'"talkers":["151"],"extension":"151","result":"talked","started_at":1763740800000,' ..
	'"answered_at":1763740805000,"ended_at":1763740900000,"wait_seconds":5,"talk_seconds":95,"key":"'

function request()
	counter = counter + 1
	local key = string.format("17578407%02d.%08d", number, counter)
	local body = '{"token":"token-05' .. string.format("%02d", counter % 10) .. '","uniqueId":"' .. key ..
		'","event_type":"hangup","turn":0,"trace":"bench",' .. call .. key .. '"}}'
	return wrk.format("POST", "/dispatch/call-event", {["Content-Type"] = "application/json"}, body)
end
