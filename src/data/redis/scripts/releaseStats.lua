-- Releases the locks of videos whose numbers were not stored, and remembers the failures, if there were any. There are two keys
-- for each, its lock and its failure, and three arguments. Returns for each 1 when the lock was still the caller's, else 0.
local keys, args = KEYS, ARGV
local token = ARGV[2]

local reply = {}
for i = 1, #keys / 2 do
  local first = i * 3
  local error, firstMs, maxMs = args[first], tonumber(args[first + 1]), tonumber(args[first + 2])
  local wasHeld = dropLock(keys[i * 2 - 1], token)
  if wasHeld and error ~= '' then rememberFailure(keys[i * 2], error, firstMs, maxMs) end
  reply[i] = wasHeld and 1 or 0
end
return reply
