-- Registers a replica, and drops those without a heartbeat. Returns the time in seconds and microseconds, the number of
-- replicas, and 1 when this one was not registered.
local replicas = KEYS[1]
local replica, ttlMs = ARGV[2], tonumber(ARGV[3])

deleteIfWrongType(replicas, 'zset')
local isNew = redis.call('ZADD', replicas, now, replica)
redis.call('ZREMRANGEBYSCORE', replicas, '-inf', now - ttlMs)
redis.call('ZREMRANGEBYSCORE', replicas, now + ttlMs, '+inf')
redis.call('PEXPIRE', replicas, ttlMs * 5)
return { time[1], time[2], redis.call('ZCARD', replicas), isNew }
