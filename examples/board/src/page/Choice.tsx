import { useId } from 'react';
import type { TrendingOrder, TrendingPeriod } from '../generated/documents.ts';
import type { Place } from './place.ts';
import { ORDER_NAMES, PERIOD_NAMES, REGIONS, regionName } from './words.ts';

/** A labelled select. */
export function Choice<Value extends string>({
  label,
  value,
  options,
  onChoose,
}: {
  readonly label: string;
  readonly value: Value;
  /** Labels by value. */
  readonly options: Readonly<Record<Value, string>>;
  readonly onChoose: (value: Value) => void;
}) {
  const id = useId();
  return (
    <div className="choice">
      <label htmlFor={id}>{label}</label>
      {/* The options are the keys of `options`, so the cast is safe. */}
      <select id={id} value={value} onChange={({ target }) => onChoose(target.value as Value)}>
        {Object.entries<string>(options).map(([option, text]) => (
          <option key={option} value={option}>
            {text}
          </option>
        ))}
      </select>
    </div>
  );
}

/** A select of all regions and `value`, without the regions in `without`. */
export function RegionChoice({
  label,
  value,
  without = [],
  onChoose,
}: {
  readonly label: string;
  readonly value: string;
  readonly without?: readonly string[];
  readonly onChoose: (region: string) => void;
}) {
  const codes = [...new Set([...REGIONS, value])].filter((code) => code === value || !without.includes(code));
  const named = codes.map((code) => [code, regionName(code)] as const);
  const options = Object.fromEntries(named.sort(([, a], [, b]) => a.localeCompare(b, 'en')));
  return <Choice label={label} value={value} options={options} onChoose={onChoose} />;
}

/** The selects for period and order. */
export function ChartChoices({
  chosen: { period, orderBy },
  onChoose,
}: {
  readonly chosen: Place;
  readonly onChoose: (change: Partial<Place>) => void;
}) {
  return (
    <>
      <Choice<TrendingPeriod>
        label="Period"
        value={period}
        options={PERIOD_NAMES}
        onChoose={(value) => onChoose({ period: value })}
      />
      <Choice<TrendingOrder>
        label="Order"
        value={orderBy}
        options={ORDER_NAMES}
        onChoose={(value) => onChoose({ orderBy: value })}
      />
    </>
  );
}
