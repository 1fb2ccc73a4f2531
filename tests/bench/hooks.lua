-- wrk: webhooks that were signed before, one after the other; a pause before each, in milliseconds on average.
local requests, at, pause = {}, 0, 0

function init(args)
	pause = tonumber(args[2] or "0")
	for line in io.lines(args[1]) do
		local path, signature, body = line:match("^(%S+) (%S+) (%S+)$")
		requests[#requests + 1] = wrk.format("POST", path, {
			["Content-Type"] = "application/x-www-form-urlencoded",
			["X-Twilio-Signature"] = signature,
			["Host"] = wrk.headers["Host"],
		}, body)
	end
	math.randomseed(os.time())
end

function delay()
	if pause == 0 then return 0 end
	return math.random(0, 2 * pause)
end

function request()
	at = at % #requests + 1
	return requests[at]
end
