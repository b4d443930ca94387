-- Opens a circuit for all replicas, unless it is open for longer.
local circuit = KEYS[1]
local error, ms, isPause = ARGV[2], tonumber(ARGV[3]), ARGV[4] == '1'

deleteIfWrongType(circuit, 'hash')
openCircuit(circuit, error, ms, isPause)
return {}
