/** What the codes of `docs/errors.md` mean for whoever looks at the page. */
export const EXPLANATIONS: Readonly<Record<string, readonly [title: string, text: string]>> = {
  BAD_USER_INPUT: [
    'There is no such chart',
    'The address of this page names something that the charts do not have. Choose another region.',
  ],
  UPSTREAM_UNAUTHENTICATED: [
    'The charts are locked',
    'The data provider does not know this service’s key. Its operator has to renew it; you have done nothing wrong.',
  ],
  UPSTREAM_FORBIDDEN: [
    'The charts are locked',
    'This service’s plan with the data provider does not include them. Its operator has to change that.',
  ],
  UPSTREAM_QUOTA_EXCEEDED: [
    'The credits are used up',
    'The data provider wants to be paid before it sends new charts. Those that are at hand can still be looked at.',
  ],
  UPSTREAM_RATE_LIMITED: [
    'Too fast for the data provider',
    'It asks for a short pause before it sends more.',
  ],
  UPSTREAM_ERROR: [
    'The data provider has a problem',
    'It could not make this chart. That often passes within minutes.',
  ],
  UPSTREAM_TIMEOUT: [
    'The data provider is slow',
    'It did not answer in time. What comes late is kept: another try is often answered at once.',
  ],
  UPSTREAM_UNAVAILABLE: [
    'The data provider cannot be reached',
    'Nothing of this chart is at hand meanwhile. Try again in a moment.',
  ],
  UPSTREAM_BAD_RESPONSE: [
    'The data provider sent nonsense',
    'Its answer could not be read. That often passes within minutes.',
  ],
  CREDIT_BUDGET_EXHAUSTED: [
    'Enough for today',
    'This service has spent its credits of the day. New charts come tomorrow; those that are at hand can still be looked at.',
  ],
  OPERATION_TOO_EXPENSIVE: [
    'Too much at once',
    'This would cost more credits than one request may. Compare fewer regions.',
  ],
  UNAUTHENTICATED: ['A key is needed', 'This service asks for an API key, which this page does not have.'],
  RATE_LIMITED: ['Too many requests', 'This service takes only so many from one visitor in a minute.'],
  OVERLOADED: ['Too busy right now', 'This service has too much to do. Try again in a moment.'],
  SERVER_CLOSING: ['Back in a moment', 'This service is being restarted.'],
};
