-- Extends locks. Returns 1 when all were still the caller's, else 0.
local locks = KEYS
local token, lockMs = ARGV[2], tonumber(ARGV[3])

local areHeld = 1
for _, lock in ipairs(locks) do
  deleteIfWrongType(lock, 'string')
  if redis.call('GET', lock) == token then redis.call('PEXPIRE', lock, lockMs)
  else areHeld = 0 end
end
return { areHeld }
