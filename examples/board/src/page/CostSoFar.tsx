import { useCost } from '../api/cost.ts';
import { count } from './words.ts';

/** The total cost in this browser tab, as reported by the responses. */
export function CostSoFar() {
  const { credits, requests, isDemo } = useCost();
  return (
    <p className="cost">
      <span
        title={`${count(requests, 'request')} to the data provider for this tab, not counting refreshes in the background`}
      >
        <strong>{count(credits, 'credit')}</strong> spent
      </span>
      {isDemo && <span className="demo">demo data</span>}
    </p>
  );
}
