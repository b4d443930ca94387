-- Reads what has changed. Returns the id of the last change and, for each since `lastRead` (200 at most), what it was and by
-- which replica; the id alone when nothing was read before.
local changes = KEYS[1]
local lastRead = ARGV[2]

local last = lastChange(changes)
local readAt = tonumber(string.match(lastRead, '^%d+'))
if not readAt or readAt > now + MAX_LEAD_MS then return { last } end
local reply = { lastRead }
for _, entry in ipairs(redis.call('XRANGE', changes, '(' .. lastRead, '+', 'COUNT', 200)) do
  reply[1] = entry[1]
  reply[#reply + 1] = entry[2][2] or ''
  reply[#reply + 1] = entry[2][4] or ''
end
return reply
