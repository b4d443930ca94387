import { readFile, stat } from 'node:fs/promises';
import { beforeAll, describe, expect, it } from '@jest/globals';
import {
  type Alert,
  type Dashboard,
  type Panel,
  PROMETHEUS,
  queriesOf,
  readAlerts,
  readDashboard,
  readYaml,
} from './support/observability.ts';

/** Labels that Prometheus adds to every series. */
const TARGET_LABELS = ['job', 'instance'];
/** Of the parts of a histogram or a summary. */
const PART_LABELS: Readonly<Record<string, string>> = { _bucket: 'le' };
/** Series of Prometheus itself. */
const OWN_SERIES = ['up', 'ALERTS'];

let operations: string;
let alerts: readonly Alert[];
let dashboard: Dashboard;

beforeAll(async () => {
  operations = await readFile('docs/operations.md', 'utf8');
  alerts = await readAlerts();
  dashboard = await readDashboard();
});

/** The lines of the page's PromQL. */
function expressionsOfPage(): string[] {
  const blocks = [...operations.matchAll(/^```promql\n(.*?)^```$/gms)];
  return blocks.flatMap(([, text = '']) => text.trim().split('\n'));
}

/** The labels of each metric in the page's table. */
function labelsOfPage(): Map<string, string[]> {
  const rows = [...operations.matchAll(/^\| `((?:trending|process)_\w+)` \| \w+ \| ([^|]*) \|/gm)];
  return new Map(
    rows.map(([, name = '', list = '']) => [
      name,
      [...list.matchAll(/`(\w+)`/g)].map(([, label = '']) => label),
    ]),
  );
}

describe('deploy/prometheus/alerts.yml', () => {
  it('has each comparison of docs/operations.md, and no other', () => {
    const comparisons = expressionsOfPage().filter((line) => / [<>=]=? [\d.]+\)?$/.test(line));
    expect(comparisons.length).toBeGreaterThan(15);
    expect(alerts.map(({ expr }) => expr).sort()).toEqual(comparisons.sort());
  });

  it('gives each alert a name of its own, a severity, and words for an operator', () => {
    expect(new Set(alerts.map(({ alert }) => alert)).size).toBe(alerts.length);
    for (const { alert, labels, annotations } of alerts) {
      // The dashboard finds them by this prefix.
      expect(alert).toMatch(/^Trending[A-Z]\w+$/);
      expect([alert, labels.severity]).toEqual([alert, expect.stringMatching(/^(page|warn)$/)]);
      expect([alert, Object.keys(annotations)]).toEqual([alert, ['summary', 'description']]);
      expect([alert, annotations.description]).toEqual([alert, expect.stringMatching(/\.$/)]);
    }
  });

  it('refers to headings, settings and alerts that exist', async () => {
    const texts = alerts.flatMap(({ annotations }) => Object.values(annotations)).join('\n');
    const configuration = await readFile('docs/configuration.md', 'utf8');
    const errors = await readFile('docs/errors.md', 'utf8');
    const names = [...texts.matchAll(/\b[A-Z]+(?:_[A-Z]+)+\b/g)].map(([name]) => name);
    expect(names.length).toBeGreaterThan(10);
    const known = `${configuration}${errors}`;
    expect(names.filter((name) => !known.includes(`\`${name}\``))).toEqual([]);
    const others = [...texts.matchAll(/\bTrending[A-Z]\w+/g)].map(([name]) => name);
    expect(others.filter((name) => !alerts.some(({ alert }) => alert === name))).toEqual([]);
    const anchors = [...texts.matchAll(/docs\/operations\.md#([\w-]+)/g)].map(([, anchor]) => anchor);
    expect(new Set(anchors)).toEqual(new Set(['troubleshooting']));
    expect(operations).toMatch(/^## Troubleshooting$/m);
  });

  it('has a case that fires, and one that does not, for each alert', async () => {
    const { tests } = await readYaml<{
      tests: { alert_rule_test: { alertname: string; exp_alerts?: object[] }[] }[];
    }>('deploy/prometheus/alerts.test.yml');
    const cases = tests.flatMap((test) => test.alert_rule_test);
    const named = (fires: boolean): string[] => [
      ...new Set(
        cases.filter((each) => (each.exp_alerts !== undefined) === fires).map((each) => each.alertname),
      ),
    ];
    const names = alerts.map(({ alert }) => alert).sort();
    expect(named(true).sort()).toEqual(names);
    expect(named(false).sort()).toEqual(names);
  });
});

describe('deploy/grafana/dashboard.json', () => {
  const VIEWS = ['timeseries', 'stat', 'bargauge'];
  /** A template of Grafana, not of JavaScript. */
  const SOURCE = { type: 'prometheus', uid: `\${datasource}` };

  const overlap = (one: Panel, other: Panel): boolean => {
    const [a, b] = [one.gridPos, other.gridPos];
    return a.x < b.x + b.w && b.x < a.x + a.w && a.y < b.y + b.h && b.y < a.y + a.h;
  };

  it('has panels that neither overlap nor leave the grid, each with a number of its own', () => {
    const { panels } = dashboard;
    expect(panels.length).toBeGreaterThan(30);
    expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
    for (const [index, panel] of panels.entries()) {
      const { x, y, w, h } = panel.gridPos;
      expect([panel.title, x >= 0 && y >= 0 && w > 0 && h > 0 && x + w <= 24]).toEqual([panel.title, true]);
      const covered = panels.slice(index + 1).filter((other) => overlap(panel, other));
      expect([panel.title, covered.map(({ title }) => title)]).toEqual([panel.title, []]);
    }
  });

  it('has a row for each subject', () => {
    const rows = dashboard.panels.filter(({ type }) => type === 'row').map(({ title }) => title);
    expect(rows).toEqual(['Credits', 'Cache', 'Operations', 'KeyAPI', 'Processes', 'Redis']);
  });

  it('reads the chosen data source, and says of each panel what it means', () => {
    const titles = dashboard.panels.map(({ title }) => title);
    expect(new Set(titles).size).toBe(titles.length);
    for (const panel of dashboard.panels.filter(({ type }) => type !== 'row')) {
      const { title, type, datasource, targets = [] } = panel;
      expect([title, VIEWS.includes(type), targets.length > 0]).toEqual([title, true, true]);
      expect([title, panel.description]).toEqual([title, expect.stringMatching(/^\w.{30,}\.$/)]);
      expect([title, panel.fieldConfig?.defaults.unit]).toEqual([title, expect.stringMatching(/^\w+$/)]);
      expect([datasource, ...targets.map((target) => target.datasource)]).toEqual([
        SOURCE,
        ...targets.map(() => SOURCE),
      ]);
      expect(new Set(targets.map(({ refId }) => refId)).size).toBe(targets.length);
      expect([title, targets.every(({ legendFormat }) => legendFormat !== '')]).toEqual([title, true]);
    }
  });

  it('uses only variables that it or Grafana defines', () => {
    const defined = ['__rate_interval', ...dashboard.templating.list.map(({ name }) => name)];
    const used = [...JSON.stringify(dashboard).matchAll(/\$\{?(\w+)/g)].map(([, name = '']) => name);
    expect(used.filter((name) => name !== '__all' && !defined.includes(name))).toEqual([]);
    expect(used).toEqual(expect.arrayContaining(['datasource', 'job', 'instance']));
  });

  it('queries only metrics and labels that docs/operations.md lists, and all of its metrics', () => {
    const labels = labelsOfPage();
    const seen = new Set<string>();
    for (const { title, expr } of queriesOf(dashboard)) {
      const series = [...expr.matchAll(/\b((?:trending|process)_\w+|up|ALERTS)\{(.*?)\}/g)];
      expect([title, series.length > 0]).toEqual([title, true]);
      const allowed = new Set(['le']);
      for (const [, name = '', selector = ''] of series) {
        if (OWN_SERIES.includes(name)) continue;
        const part = /_(?:bucket|sum|count)$/.exec(name)?.[0] ?? '';
        const metric = labels.has(name) ? name : name.slice(0, name.length - part.length);
        seen.add(metric);
        expect([title, metric, labels.has(metric)]).toEqual([title, metric, true]);
        const own = [...(labels.get(metric) ?? []), ...TARGET_LABELS, PART_LABELS[part] ?? ''];
        for (const label of own) allowed.add(label);
        for (const [, label = ''] of selector.matchAll(/(\w+)(?:=|!=|=~|!~)"/g))
          expect([title, own]).toEqual([title, expect.arrayContaining([label])]);
        expect([title, selector]).toEqual([
          title,
          expect.stringMatching(/^job="\$job",instance=~"\$instance"/),
        ]);
      }
      const grouped = [...expr.matchAll(/ by \((.+?)\)/g)].flatMap(([, list = '']) => list.split(', '));
      expect([title, grouped.filter((label) => !allowed.has(label))]).toEqual([title, []]);
    }
    expect([...labels.keys()].filter((name) => !seen.has(name))).toEqual([]);
  });
});

describe('compose.observability.yaml', () => {
  interface Service {
    readonly image?: string;
    readonly environment?: Readonly<Record<string, string | number>>;
    readonly command?: readonly string[];
    readonly ports?: readonly string[];
    readonly volumes?: readonly string[];
  }
  interface Compose {
    readonly services: Readonly<Record<string, Service>>;
    readonly volumes: Readonly<Record<string, null>>;
  }
  interface Discovery {
    readonly names: readonly string[];
    readonly type: string;
    readonly port: number;
  }
  interface Configuration {
    readonly global: { readonly scrape_interval: string };
    readonly scrape_configs: readonly {
      readonly job_name: string;
      readonly dns_sd_configs: readonly Discovery[];
    }[];
  }
  interface Datasources {
    readonly datasources: readonly {
      readonly type: string;
      readonly url: string;
      readonly jsonData: { readonly timeInterval: string };
    }[];
  }
  interface Providers {
    readonly providers: readonly { readonly options: { readonly path: string } }[];
  }

  let base: Compose;
  let added: Compose;
  let configuration: Configuration;

  beforeAll(async () => {
    base = await readYaml('compose.yaml');
    added = await readYaml('compose.observability.yaml');
    configuration = await readYaml(PROMETHEUS);
  });

  const find = (name: string): Service => added.services[name] ?? {};
  const mountsOf = (name: string): string[][] => (find(name).volumes ?? []).map((each) => each.split(':'));

  it('has the replicas serve metrics where Prometheus scrapes them, as the service that compose.yaml names', () => {
    const [job] = configuration.scrape_configs;
    expect(job?.dns_sd_configs).toMatchObject([
      { names: ['server'], type: 'A', port: find('server').environment?.METRICS_PORT },
    ]);
    expect(base.services).toHaveProperty('server');
    expect(find('server')).toEqual({ environment: { METRICS_PORT: expect.any(Number) } });
    const jobs = alerts.flatMap(({ expr }) => [...expr.matchAll(/job="(.+?)"/g)].map(([, name]) => name));
    expect(new Set(jobs)).toEqual(new Set([job?.job_name]));
  });

  it('publishes the metrics nowhere, and the two programs on this machine alone', async () => {
    const port = String(find('server').environment?.METRICS_PORT);
    expect(await readFile('deploy/haproxy.cfg', 'utf8')).not.toContain(port);
    const published = [base, added].flatMap(({ services }) =>
      Object.values(services).flatMap(({ ports = [] }) => ports),
    );
    expect(published).toEqual(['4000:4000', '127.0.0.1:9090:9090', '127.0.0.1:3000:3000']);
  });

  it('mounts only files and folders that exist, and those read-only', async () => {
    const mounts = ['prometheus', 'grafana'].flatMap(mountsOf);
    expect(mounts).toHaveLength(5);
    for (const [source = '', , mode] of mounts) {
      if (!source.startsWith('./')) expect(added.volumes).toHaveProperty(source);
      else expect([source, await isThere(source), mode]).toEqual([source, true, 'ro']);
    }
  });

  it('starts Prometheus with the mounted configuration', () => {
    const [[, folder = ''] = [], [, storage] = []] = mountsOf('prometheus');
    expect(find('prometheus').command).toEqual(
      expect.arrayContaining([`--config.file=${folder}/prometheus.yml`, `--storage.tsdb.path=${storage}`]),
    );
  });

  it('gives Grafana the data source and the dashboard, also as its first page', async () => {
    const [[, file = ''] = []] = mountsOf('grafana');
    const { providers } = await readYaml<Providers>('deploy/grafana/provisioning/dashboards/dashboards.yml');
    expect(providers.map(({ options }) => `${options.path}/dashboard.json`)).toEqual([file]);
    expect(find('grafana').environment?.GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH).toBe(file);
    const { datasources } = await readYaml<Datasources>(
      'deploy/grafana/provisioning/datasources/prometheus.yml',
    );
    // Grafana computes $__rate_interval from the interval of the scrapes.
    expect(datasources).toMatchObject([
      {
        type: 'prometheus',
        url: 'http://prometheus:9090',
        jsonData: { timeInterval: configuration.global.scrape_interval },
      },
    ]);
  });

  it('lets nobody log in to Grafana with a known password', () => {
    expect(find('grafana').environment).toMatchObject({
      GF_AUTH_ANONYMOUS_ORG_ROLE: 'Viewer',
      GF_SECURITY_DISABLE_INITIAL_ADMIN_CREATION: 'true',
    });
  });

  it('pins the images', () => {
    for (const name of ['prometheus', 'grafana']) expect(find(name).image).toMatch(/:v?\d+\.\d+\.\d+$/);
  });
});

function isThere(file: string): Promise<boolean> {
  return stat(file).then(
    () => true,
    () => false,
  );
}
