import { useCost } from './cost.ts';
import { count } from './words.ts';

/** What this page has cost so far: the sum of what each answer said. */
export function CostSoFar() {
  const { credits, requests, isDemo } = useCost();
  return (
    <p className="cost">
      <span
        title={`${count(requests, 'request')} to the data provider, for all that this page has shown so far`}
      >
        <strong>{count(credits, 'credit')}</strong> spent
      </span>
      {isDemo && <span className="demo">demo data</span>}
    </p>
  );
}
