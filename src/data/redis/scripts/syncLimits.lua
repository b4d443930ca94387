-- Exchanges the state of the limits with a replica, which may know of `known` credits that were spent on `knownDay`. Returns
-- the day, the credits spent on it and, unless the circuit is closed, ms until a probe is due and the error that opened it.
local hasBudget, knownDay, known, isFirst = ARGV[2] == '1', tonumber(ARGV[3]), tonumber(ARGV[4]), ARGV[5] == '1'
local holdMs, ownDay = tonumber(ARGV[6]), tonumber(ARGV[7])

local day, spent = 0, 0
if hasBudget then day, spent = spending(holdMs, ownDay, knownDay, known, isFirst) end
local openUntil, error = readCircuit()
if not openUntil then return { day, spent } end
return { day, spent, math.max(0, openUntil - now), error }
