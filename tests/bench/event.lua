-- wrk: POST of a 400-byte event, each with a UniqueId of its own.
local threads = 0

function setup(thread)
	threads = threads + 1
	thread:set("number", threads)
end

local head = '{"Token":"375290000367","UniqueId":"17578407'
local tail = '","Phone":"375290000001","Extensions":["150","151","152"],"CallType":0,"CallStatus":"2",' ..
	'"StartTime":"2025-09-14 12:05:23","DateReceived":"2025-09-14 12:05:23",' ..
	'"EndTime":"2025-09-14 12:06:01","Trunk":"0001363","Channel":"SIP/0001363-00000004",' ..
	'"BridgeUniqueid":"c50ef955-2780-4484-a218-dfb1db61b5bc","Note":"'
local counter = 0

function init(args)
	wrk.method = "POST"
	wrk.headers["Content-Type"] = "application/json"
end

function request()
	counter = counter + 1
	local body = head .. string.format("%02d.%08d", number, counter) .. tail
	return wrk.format(nil, "/hangup", nil, body .. string.rep("x", 398 - #body) .. '"}')
end
