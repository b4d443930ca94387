import { useCost } from './cost.ts';
import { count } from './words.ts';

/** The total cost of this page so far, as reported by the responses. */
export function CostSoFar() {
  const { credits, requests, isDemo } = useCost();
  return (
    <p className="cost">
      <span title={`${count(requests, 'request')} to the data provider since this page was opened`}>
        <strong>{count(credits, 'credit')}</strong> spent
      </span>
      {isDemo && <span className="demo">demo data</span>}
    </p>
  );
}
