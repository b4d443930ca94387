import { lazy, Suspense } from 'react';
import { PAGE_SIZE } from '../api/windows.ts';
import { Chart } from '../chart/Chart.tsx';
import { ErrorBoundary } from '../failures/ErrorBoundary.tsx';
import { ChartChoices, RegionChoice } from './Choice.tsx';
import { CostSoFar } from './CostSoFar.tsx';
import { formatPlace, goTo, MAX_REGIONS, type Place, useChosen, usePlace, useTitle } from './place.ts';
import { Skeletons } from './Skeletons.tsx';
import { ORDER_NAMES, PERIOD_NAMES, REGIONS, regionName } from './words.ts';

/** Loaded when it is needed. */
const Compare = lazy(async () => ({ default: (await import('../compare/Compare.tsx')).Compare }));

/** The page: the chosen charts, and the controls to choose them. */
export function App() {
  const place = usePlace();
  const [chosen, choose] = useChosen(place);
  const { view, region, regions, period, orderBy } = place;
  const where = view === 'chart' ? regionName(region) : regions.map(regionName).join(', ');
  const title = `${ORDER_NAMES[orderBy]}: ${where}`;
  useTitle(title);
  return (
    <>
      <a className="skip" href="#chart">
        Skip to the chart
      </a>
      <header className="bar">
        <div className="brand">
          <img src="/icon.svg" alt="" width="28" height="28" />
          Trending board
        </div>
        <nav aria-label="Views">
          <ViewLink place={place} view="chart">
            Chart
          </ViewLink>
          <ViewLink place={place} view="compare">
            Compare
          </ViewLink>
        </nav>
        <CostSoFar />
      </header>
      <main>
        <h1 id="chart" tabIndex={-1}>
          {title} <small>{PERIOD_NAMES[period]}</small>
        </h1>
        <search className={`choices choices-${view}`} aria-label="Choose a chart">
          {view === 'chart' ? (
            <RegionChoice
              label="Region"
              value={chosen.region}
              onChoose={(code) => choose({ region: code })}
            />
          ) : (
            <RegionChoices regions={chosen.regions} onChoose={(codes) => choose({ regions: codes })} />
          )}
          <ChartChoices chosen={chosen} onChoose={choose} />
        </search>
        {view === 'chart' ? (
          // The key resets the component's state for each chart.
          <Chart key={`${region} ${period} ${orderBy}`} place={place} />
        ) : (
          <ErrorBoundary>
            <Suspense fallback={<Skeletons list="columns" item="row" count={PAGE_SIZE} />}>
              <Compare place={place} />
            </Suspense>
          </ErrorBoundary>
        )}
      </main>
    </>
  );
}

function ViewLink({
  place,
  view,
  children,
}: {
  readonly place: Place;
  readonly view: Place['view'];
  readonly children: string;
}) {
  return (
    <a
      href={formatPlace({ ...place, view })}
      aria-current={place.view === view ? 'page' : undefined}
      onClick={(event) => {
        // Let the browser open a new tab or window.
        if (event.metaKey || event.ctrlKey || event.shiftKey) return;
        event.preventDefault();
        goTo({ ...place, view });
      }}
    >
      {children}
    </a>
  );
}

/** The choice of one to four regions. */
function RegionChoices({
  regions,
  onChoose,
}: {
  readonly regions: readonly string[];
  readonly onChoose: (regions: readonly string[]) => void;
}) {
  const another = REGIONS.find((code) => !regions.includes(code));
  return (
    <>
      {regions.map((region, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: the key is the position, so that the focus stays there when the region changes.
        <div className="with-removal" key={index}>
          <RegionChoice
            label={`Region ${index + 1}`}
            value={region}
            without={regions}
            onChoose={(chosen) => onChoose(regions.with(index, chosen))}
          />
          {regions.length > 1 && (
            <button
              type="button"
              aria-label={`Remove ${regionName(region)}`}
              onClick={() => onChoose(regions.filter((other) => other !== region))}
            >
              ×
            </button>
          )}
        </div>
      ))}
      {another && regions.length < MAX_REGIONS && (
        <button type="button" onClick={() => onChoose([...regions, another])}>
          Add a region
        </button>
      )}
    </>
  );
}
