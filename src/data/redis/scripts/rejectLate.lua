-- Redis may have been frozen: nobody waits any more for a command that was sent long ago.
local sentAt = tonumber(ARGV[1])
if math.abs(now - sentAt) > MAX_LATE_MS then return redis.error_reply('ERR sent too long ago') end
