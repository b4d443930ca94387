-- Opens the circuit, unless it is open for longer. Returns `opened` when that is news.
local error, ms = ARGV[2], tonumber(ARGV[3])

return open(error, ms)
