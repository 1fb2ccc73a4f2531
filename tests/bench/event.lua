-- wrk: POST of a 400-byte event, each with a UniqueId of its own. All but that is made once: the
-- load shares its cores with what it measures.
local threads = 0

function setup(thread)
	threads = threads + 1
	thread:set("number", threads)
end

local SIZE = 400
local head = '{"Token":"375290000367","UniqueId":"17578407'
local tail = '","Phone":"375290000001","Extensions":["150","151","152"],"CallType":0,"CallStatus":"2",' ..
	'"StartTime":"2025-09-14 12:05:23","DateReceived":"2025-09-14 12:05:23",' ..
	'"EndTime":"2025-09-14 12:06:01","Trunk":"0001363","Channel":"SIP/0001363-00000004",' ..
	'"BridgeUniqueid":"c50ef955-2780-4484-a218-dfb1db61b5bc","Note":"'
local serial = "%02d.%08d"
local counter = 0

function init(args)
	local filler = SIZE - #head - #string.format(serial, 0, 0) - #tail - 2
	tail = tail .. string.rep("x", filler) .. '"}'
	head = "POST /hangup HTTP/1.1\r\nHost: " .. wrk.host .. ":" .. wrk.port ..
		"\r\nContent-Type: application/json\r\nContent-Length: " .. SIZE .. "\r\n\r\n" .. head
end

function request()
	counter = counter + 1
	return head .. string.format(serial, number, counter) .. tail
end
