-- The limits that all replicas share: the circuits of the account and of an endpoint, the calls that count, the budget.
local accountCircuit, endpointCircuit, calls, budget = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
deleteIfWrongType(accountCircuit, 'hash')
deleteIfWrongType(endpointCircuit, 'hash')
deleteIfWrongType(calls, 'zset')
deleteIfWrongType(budget, 'hash')
