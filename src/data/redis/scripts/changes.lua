-- The id of the last change. The stream is dropped when that lies far ahead: Redis would reject every further entry.
local function lastChange(changes)
  deleteIfWrongType(changes, 'stream')
  local newest = redis.call('XREVRANGE', changes, '+', '-', 'COUNT', 1)[1]
  local last = newest and newest[1] or '0-0'
  if tonumber(string.match(last, '^%d+')) <= now + MAX_LEAD_MS then return last end
  redis.call('DEL', changes)
  return '0-0'
end

-- Announces a change to the other replicas: of `kind`, what it is, and by which replica.
local function announce(changes, kind, id, replica)
  lastChange(changes)
  redis.call('XADD', changes, 'MAXLEN', '~', 4096, '*', kind, id, 'by', replica)
  redis.call('PEXPIRE', changes, 3600000)
end
