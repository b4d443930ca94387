// Relay: components with their own fragments, paged in both directions; one refetches its video by `node(id:)`.
import { setTimeout as sleep } from 'node:timers/promises';
import { Window } from 'happy-dom';
import { Suspense } from 'react';
import { createRoot } from 'react-dom/client';
import { RelayEnvironmentProvider } from 'react-relay';
import { Environment, type FetchFunction, type GraphQLSingularResponse, Network } from 'relay-runtime';
import { Chart } from './Chart.tsx';

const url = process.argv[2] ?? 'http://localhost:4000/graphql';

interface NumbersError {
  readonly extensions: { readonly code: string; readonly videos: number };
}

const fetchQuery: FetchFunction = async ({ name, text: query }, variables) => {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'application/graphql-response+json' },
    body: JSON.stringify({ query, variables }),
  });
  const result = (await response.json()) as GraphQLSingularResponse;
  console.log(`  ${name}: ${result.extensions?.upstream.credits} credits`);
  // One error for all videos of the window that have no numbers. To Relay these are null.
  const { errors = [] } = result as { readonly errors?: readonly NumbersError[] };
  for (const { extensions } of errors)
    console.log(`  ${extensions.code}: ${extensions.videos} videos have no numbers`);
  return result;
};

// The browser globals that React needs.
const window = new Window();
Object.assign(globalThis, { window, document: window.document });

/** Opens a page with a chart, in a browser with this store. */
async function openPage(environment: Environment, after: string | null): Promise<Element> {
  const page = document.body.appendChild(document.createElement('main'));
  createRoot(page).render(
    <RelayEnvironmentProvider environment={environment}>
      <Suspense fallback="Loading">
        <Chart after={after} />
      </Suspense>
    </RelayEnvironmentProvider>,
  );
  await printWhen(page, () => page.querySelector('li') !== null);
  return page;
}

/** Clicks the first button with this name, and waits for the page to change. */
async function click(page: Element, name: string): Promise<void> {
  const text = page.textContent;
  page.querySelector<HTMLButtonElement>(`button[name=${name}]`)?.click();
  await printWhen(page, () => page.textContent !== text);
}

/** Waits until the page is ready, and prints its ranks. */
async function printWhen(page: Element, isReady: () => boolean): Promise<void> {
  for (let waits = 0; !isReady(); waits++) {
    if (waits > 1000) throw new Error('The page does not change');
    await sleep(10);
  }
  const ranks = [...page.querySelectorAll('li')].map(({ value }) => value);
  const has = (name: string) => page.querySelector(`button[name=${name}]`) !== null;
  console.log(`  ranks ${ranks.join(' ')}; more before: ${has('previous')}, more after: ${has('next')}`);
}

const createEnvironment = () => new Environment({ network: Network.create(fetchQuery) });

console.log('A chart from the top, then forwards:');
const top = await openPage(createEnvironment(), null);
await click(top, 'next');

console.log('\nAnother browser opens the link to the next window, pages backwards twice, then forwards:');
const link = top.querySelector('a')?.getAttribute('href') ?? '';
const environment = createEnvironment();
const page = await openPage(environment, new URLSearchParams(link).get('after'));
await click(page, 'previous');
await click(page, 'previous');
await click(page, 'next');
for (const item of [...page.querySelectorAll('li')].slice(0, 3)) {
  const [title, views] = ['cite', 'data'].map((name) => item.querySelector(name)?.textContent);
  console.log(`  ${item.value}. ${title}, views: ${views}`);
}

console.log('\nAnother field of the first video, by its id:');
await click(page, 'creator');
console.log(`  ${page.querySelector('li')?.textContent}`);

console.log('\nThe page again in the same browser, from the store:');
await openPage(environment, new URLSearchParams(link).get('after'));

// Relay's timers would keep the process alive for another five minutes.
process.exit();
