import { readFile } from 'node:fs/promises';
import { parse } from 'yaml';

/** The files that an operator installs beside the server. */
export const ALERTS = 'deploy/prometheus/alerts.yml';
export const DASHBOARD = 'deploy/grafana/dashboard.json';
export const PROMETHEUS = 'deploy/prometheus/prometheus.yml';

/** A rule of `alerts.yml`. */
export interface Alert {
  readonly alert: string;
  readonly expr: string;
  readonly for?: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
}

/** A panel of the dashboard, or the heading of a row, which has no queries. */
export interface Panel {
  readonly id: number;
  readonly type: string;
  readonly title: string;
  readonly description?: string;
  readonly datasource?: unknown;
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
  readonly fieldConfig?: { readonly defaults: { readonly unit: string } };
  readonly options?: object;
  readonly targets?: readonly Target[];
}

interface Target {
  readonly datasource: unknown;
  readonly expr: string;
  readonly legendFormat: string;
  readonly refId: string;
}

/** The dashboard, as Grafana exports it. */
export interface Dashboard {
  readonly uid: string;
  readonly schemaVersion: number;
  readonly panels: readonly Panel[];
  readonly templating: { readonly list: readonly { readonly name: string; readonly type: string }[] };
}

/** The content of a YAML file. */
export async function readYaml<Content>(file: string): Promise<Content> {
  return parse(await readFile(file, 'utf8'));
}

export async function readAlerts(): Promise<Alert[]> {
  const { groups } = await readYaml<{ groups: { rules: Alert[] }[] }>(ALERTS);
  return groups.flatMap(({ rules }) => rules);
}

export async function readDashboard(): Promise<Dashboard> {
  return JSON.parse(await readFile(DASHBOARD, 'utf8'));
}

/** All queries of the dashboard, with the title of their panel. */
export function queriesOf({ panels }: Dashboard): { title: string; expr: string }[] {
  return panels.flatMap(({ title, targets = [] }) => targets.map(({ expr }) => ({ title, expr })));
}
