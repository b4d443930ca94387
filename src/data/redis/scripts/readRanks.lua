-- Reads days of charts. Returns for each the pages that were added to it.
local days = KEYS

local reply = {}
for i, ranks in ipairs(days) do
  deleteIfWrongType(ranks, 'hash')
  reply[i] = redis.call('HVALS', ranks)
end
return reply
