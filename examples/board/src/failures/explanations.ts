/** Explains the codes of `docs/errors.md` to the people who use the page. */
export const EXPLANATIONS: Readonly<Record<string, readonly [title: string, text: string]>> = {
  BAD_USER_INPUT: [
    'This chart cannot be loaded',
    'There may be no such chart. Choose another region, or reload the page.',
  ],
  UPSTREAM_UNAUTHENTICATED: [
    'The charts are unavailable',
    'The data provider rejected this service’s key. Only the operator of this service can fix that.',
  ],
  UPSTREAM_FORBIDDEN: [
    'The charts are unavailable',
    'This service’s plan with the data provider does not include these charts. Only the operator of this service can change that.',
  ],
  UPSTREAM_QUOTA_EXCEEDED: [
    'The credits are used up',
    'This service has no credits left with the data provider. You can still view cached charts.',
  ],
  UPSTREAM_RATE_LIMITED: [
    'Too many requests to the data provider',
    'The data provider asked this service to pause.',
  ],
  UPSTREAM_ERROR: [
    'The data provider has a problem',
    'It could not provide this chart. This usually works again within minutes.',
  ],
  UPSTREAM_TIMEOUT: [
    'The data provider is slow',
    'It did not respond in time. Try again: its data may have arrived by now.',
  ],
  UPSTREAM_UNAVAILABLE: [
    'The data provider cannot be reached',
    'There is no cached copy of this chart. Try again in a moment.',
  ],
  UPSTREAM_BAD_RESPONSE: [
    'The data provider sent an invalid response',
    'This service could not read it. This usually works again within minutes.',
  ],
  CREDIT_BUDGET_EXHAUSTED: [
    'Daily budget used up',
    'This service has spent its credits for today. New charts will be available tomorrow; you can still view cached ones.',
  ],
  OPERATION_TOO_EXPENSIVE: [
    'Too much at once',
    'This would cost more credits than one request may spend. Compare fewer regions.',
  ],
  UNAUTHENTICATED: ['An API key is required', 'This service requires an API key, and this page has none.'],
  RATE_LIMITED: ['Too many requests', 'This service limits how many requests a visitor can send per minute.'],
  OVERLOADED: ['Too busy right now', 'This service is overloaded. Try again in a moment.'],
  SERVER_CLOSING: ['Back in a moment', 'This service is restarting.'],
};
