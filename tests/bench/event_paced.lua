-- wrk: the events of event.lua with a pause before each: milliseconds on average, behind --.
local folder = debug.getinfo(1, "S").source:match("^@(.*/)")
dofile(folder .. "event.lua")

local plain_init = init
local pause = 0

function init(args)
	pause = tonumber(args[1])
	math.randomseed(number)
	plain_init(args)
end

-- Whole milliseconds are all that wrk can wait: spread around the average.
function delay()
	local whole = math.floor(pause)
	return whole + (math.random() < pause - whole and 1 or 0)
end
