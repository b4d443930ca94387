-- Exchanges request counts. Returns for each client what the other replicas have counted.
local clients = KEYS
local replica, ttlMs, ownCounts = ARGV[2], tonumber(ARGV[3]), { unpack(ARGV, 4) }

local reply = {}
for i, client in ipairs(clients) do
  deleteIfWrongType(client, 'hash')
  local others = 0
  local counts = redis.call('HGETALL', client)
  for j = 1, #counts, 2 do
    local count, at = string.match(counts[j + 1], '^(%d+) (%d+)$')
    count, at = toInteger(count), toInteger(at)
    if not count or not at or math.abs(now - at) >= ttlMs then redis.call('HDEL', client, counts[j])
    elseif counts[j] ~= replica then others = others + count end
  end
  redis.call('HSET', client, replica, string.format('%s %.0f', ownCounts[i], now))
  redis.call('PEXPIRE', client, ttlMs)
  reply[i] = others
end
return reply
