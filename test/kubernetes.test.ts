import { readFile } from 'node:fs/promises';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { Deployment, type IDeployment } from 'kubernetes-models/apps/v1/Deployment';
import { NetworkPolicy } from 'kubernetes-models/networking.k8s.io/v1/NetworkPolicy';
import { PodDisruptionBudget } from 'kubernetes-models/policy/v1/PodDisruptionBudget';
import { Service } from 'kubernetes-models/v1/Service';
import { parse } from 'yaml';
import { SETTLE_MS } from '../src/compose/createApp.ts';
import { ConfigError } from '../src/config/configError.ts';
import { type Config, loadConfig } from '../src/config/loadConfig.ts';
import { SETTINGS } from '../src/config/settings.ts';
import { DRAIN_MS } from '../src/server/drainOnClose.ts';
import { findBlocks } from './support/examples.ts';
import { pathsOf, problemsOf, readManifests } from './support/kubernetes.ts';
import { readAlerts } from './support/observability.ts';

const KUSTOMIZATION = 'kustomization.yaml';

let manifests: ReadonlyMap<string, unknown>;

beforeAll(async () => {
  manifests = await readManifests();
});

function get<T>(file: string, is: (value: unknown) => value is T): T {
  const manifest = manifests.get(file);
  if (!is(manifest)) throw new Error(`expected another kind in ${file}`);
  return manifest;
}

const deployment = () => get('deployment.yaml', Deployment.is);
const service = () => get('service.yaml', Service.is);
const budget = () => get('poddisruptionbudget.yaml', PodDisruptionBudget.is);
const policy = () => get('networkpolicy.yaml', NetworkPolicy.is);

/** The objects, without what only kustomize reads. */
const objects = () => [...manifests].filter(([file]) => file !== KUSTOMIZATION);

function podOf({ spec }: IDeployment) {
  const pod = spec?.template.spec;
  const [server, ...others] = pod?.containers ?? [];
  if (!pod || !server || others.length > 0) throw new Error('expected one container');
  return { pod, server };
}

function valueAt(manifest: unknown, path: string): unknown {
  const names = path.split('/').slice(1);
  return names.reduce<unknown>((value, name) => (value as Record<string, unknown>)[name], manifest);
}

/** A copy in which the field at `path` is another value, or is removed if that is undefined. */
function withField(manifest: unknown, path: string, value: unknown): unknown {
  const copy = structuredClone(manifest);
  const [, parent = '', name = ''] = /^(.*)\/(.*)$/.exec(path) ?? [];
  const target = valueAt(copy, parent) as Record<string, unknown>;
  if (value === undefined) delete target[name];
  else target[name] = value;
  return copy;
}

describe('the manifests', () => {
  it('are accepted by the types of the API', () => {
    expect(objects()).toHaveLength(4);
    for (const [file, manifest] of objects()) expect([file, problemsOf(manifest)]).toEqual([file, []]);
  });

  it.each([
    ['/spec/template/spec/containers/0/readinesProbe', {}, 'is unknown'],
    ['/spec/template/spec/containers/0/securityContext/readOnlyRootFileSystem', true, 'is unknown'],
    ['/spec/template/spec/containers/0/ports/0/containerPort', '4000', 'must be integer'],
    ['/spec/template/spec/containers/0/env/3/value', 9464, 'must be string'],
    ['/spec/template/spec/containers/0/readinessProbe/httpGet/port', undefined, 'required property port'],
    ['/spec/template/spec/containers/0/image', ['trending-graphql'], 'must be string'],
    ['/spec/template/spec/containers/0/imagePullPolicy', 'always', 'must be equal to one of the allowed'],
    ['/spec/template/spec/containers/0/resources/limits/memory', '512MiB', 'must match format "quantity"'],
    ['/spec/template/spec/topologySpreadConstraints/0/whenUnsatisfiable', 'Schedule', 'allowed values'],
    ['/spec/template/metadata/labels/version', 3, 'must be string'],
    ['/spec/replicas', '2', 'must be integer'],
    ['/spec/selector', undefined, 'required property selector'],
    ['/apiVersion', 'apps/v2', 'expected one of Deployment'],
  ])('would be refused with another %s: %j', (path, value, problem) => {
    const problems = problemsOf(withField(deployment(), path, value)).join();
    expect(problems).toContain(problem);
    if (value !== undefined && path !== '/apiVersion') expect(problems).toContain(path);
  });

  it('would be refused with an unknown field in any place, and with a list in place of any value', () => {
    for (const [file, manifest] of objects()) {
      // Without what is in a map of labels or annotations, whose names are free.
      const paths = pathsOf(manifest).filter((each) => !each.includes('.io/'));
      const types = paths.filter((each) => {
        const value = valueAt(manifest, each);
        if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
        return !/\.io\/|^(cpu|memory)$/m.test(Object.keys(value).join('\n'));
      });
      expect(types.length).toBeGreaterThan(2);
      for (const each of ['', ...types]) {
        const problems = problemsOf(withField(manifest, `${each}/other`, 'x'));
        expect([file, problems]).toEqual([file, [`${each}/other is unknown`]]);
      }
      const values = paths.filter((each) => typeof valueAt(manifest, each) !== 'object');
      expect(values.length).toBeGreaterThan(4);
      for (const each of values)
        expect([file, each, problemsOf(withField(manifest, each, [['x']]))]).not.toEqual([file, each, []]);
    }
  });

  it('name each other: all select the pods, and ports go by names that the container has', () => {
    const labels = deployment().spec?.template.metadata?.labels;
    const { server } = podOf(deployment());
    expect(labels).toEqual({ 'app.kubernetes.io/name': 'trending-graphql' });
    for (const [file, manifest] of objects())
      expect([file, manifest]).toEqual([
        file,
        expect.objectContaining({ metadata: { name: 'trending-graphql', labels } }),
      ]);
    expect([
      deployment().spec?.selector.matchLabels,
      ...(podOf(deployment()).pod.topologySpreadConstraints ?? []).map(
        (each) => each.labelSelector?.matchLabels,
      ),
      service().spec?.selector,
      budget().spec?.selector?.matchLabels,
      policy().spec?.podSelector?.matchLabels,
    ]).toEqual(Array.from({ length: 6 }, () => labels));

    const ports = server.ports?.map(({ name }) => name);
    expect(ports).toEqual(['http', 'metrics']);
    expect(service().spec?.ports?.map(({ targetPort }) => targetPort)).toEqual(['http']);
    expect(policy().spec?.ingress?.map((rule) => rule.ports?.map(({ port }) => port))).toEqual([
      ['http'],
      ['metrics'],
    ]);
  });

  it('are found by the scrape job of the README, under the name that the alerts look for', async () => {
    const page = await readFile('deploy/kubernetes/README.md', 'utf8');
    const block = findBlocks(page).find(({ text }) => text.includes('scrape_configs'));
    const labels = Object.entries(deployment().spec?.template.metadata?.labels ?? {});
    const alerts = await readAlerts();
    const jobs = alerts.flatMap(({ expr }) => [...expr.matchAll(/job="(.+?)"/g)].map(([, name]) => name));
    expect(parse(block?.text ?? '')).toEqual({
      scrape_configs: [
        {
          job_name: jobs[0],
          kubernetes_sd_configs: [{ role: 'pod' }],
          relabel_configs: [
            {
              source_labels: [
                ...labels.map(([name]) => `__meta_kubernetes_pod_label_${name.replace(/\W/g, '_')}`),
                '__meta_kubernetes_pod_container_port_name',
              ],
              regex: [...labels.map(([, value]) => value), 'metrics'].join(';'),
              action: 'keep',
            },
          ],
        },
      ],
    });
  });

  it('are all applied by the kustomization, with the image of this version', async () => {
    const kustomization = manifests.get(KUSTOMIZATION);
    const { version } = JSON.parse(await readFile('package.json', 'utf8'));
    expect(kustomization).toEqual({
      apiVersion: 'kustomize.config.k8s.io/v1beta1',
      kind: 'Kustomization',
      resources: objects().map(([file]) => file),
      images: [
        {
          name: podOf(deployment()).server.image,
          newName: expect.stringMatching(/^ghcr\.io\//),
          newTag: version,
        },
      ],
    });
  });
});

describe('a pod', () => {
  /** The settings that it starts with, when the Secret has these values. */
  async function loadWith(secret: Record<string, string>): Promise<Config> {
    const image = /^ENV (.+)$/m.exec(await readFile('Dockerfile', 'utf8'))?.[1]?.split(' ') ?? [];
    const variables = podOf(deployment()).server.env?.map(({ name, value, valueFrom }) => [
      name,
      value ?? secret[valueFrom?.secretKeyRef?.key ?? ''],
    ]);
    return loadConfig({
      ...Object.fromEntries(image.map((pair) => pair.split('='))),
      ...Object.fromEntries(variables ?? []),
    });
  }

  const SECRET = { KEYAPI_TOKEN: 'sk', REDIS_URL: 'redis://:password@redis' };

  it('has settings of the server: what is secret from the Secret, each by its own name', () => {
    const env = podOf(deployment()).server.env ?? [];
    expect(env.filter(({ name }) => !(name in SETTINGS))).toEqual([]);
    const fromSecret = env.flatMap(({ name, valueFrom }) =>
      valueFrom?.secretKeyRef ? [{ variable: name, ...valueFrom.secretKeyRef }] : [],
    );
    const name = 'trending-graphql';
    expect(fromSecret).toEqual([
      { variable: 'KEYAPI_TOKEN', name, key: 'KEYAPI_TOKEN' },
      { variable: 'REDIS_URL', name, key: 'REDIS_URL' },
      { variable: 'API_KEYS', name, key: 'API_KEYS', optional: true },
    ]);
    expect(podOf(deployment()).pod.enableServiceLinks).toBe(false);
  });

  it('starts with them in production, on the ports of its container', async () => {
    const { ports } = podOf(deployment()).server;
    const config = await loadWith(SECRET);
    expect([config.port, config.metrics?.port]).toEqual(ports?.map(({ containerPort }) => containerPort));
    expect(config).toMatchObject({
      host: '0.0.0.0',
      keyapi: { token: 'sk', emulator: false },
      redis: { addresses: [{ host: 'redis', port: 6379 }] },
      explorer: { sandbox: false },
    });
    expect(config.cache.file).toBeUndefined();
    await expect(loadWith({ ...SECRET, KEYAPI_TOKEN: '' })).rejects.toThrow(ConfigError);
  });

  it('is probed as docs/operations.md says', async () => {
    const page = await readFile('docs/operations.md', 'utf8');
    const block = findBlocks(page).find(({ text }) => text.includes('terminationGracePeriodSeconds'));
    const { pod, server } = podOf(deployment());
    const port = (name: unknown) => server.ports?.find((each) => each.name === name)?.containerPort;
    const withNumber = (name: string, value: unknown) => (name === 'port' ? port(value) : value);
    const { startupProbe, livenessProbe, readinessProbe, lifecycle, image } = server;
    const probed = { name: server.name, image, startupProbe, livenessProbe, readinessProbe, lifecycle };
    expect(parse(block?.text ?? '')).toEqual({
      spec: {
        terminationGracePeriodSeconds: pod.terminationGracePeriodSeconds,
        containers: [
          { ...JSON.parse(JSON.stringify(probed), withNumber), ports: [{ containerPort: port('http') }] },
        ],
      },
    });
  });

  it('has time for preStop, the drain and the cache file', () => {
    const { pod, server } = podOf(deployment());
    const preStopMs = Number(server.lifecycle?.preStop?.exec?.command?.[1]) * 1000;
    expect((pod.terminationGracePeriodSeconds ?? 0) * 1000).toBeGreaterThan(
      preStopMs + DRAIN_MS + SETTLE_MS + 2000,
    );
  });

  it('runs as the user of the image, and may do nothing but serve', async () => {
    const { pod, server } = podOf(deployment());
    // The uid of `node` in the official images of Node.
    expect(/^USER (\w+)$/m.exec(await readFile('Dockerfile', 'utf8'))?.[1]).toBe('node');
    expect(pod).toMatchObject({
      automountServiceAccountToken: false,
      securityContext: { runAsNonRoot: true, runAsUser: 1000, seccompProfile: { type: 'RuntimeDefault' } },
    });
    expect(server.securityContext).toEqual({
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'] },
    });
  });

  it('is replaced only by one that is ready, and is never the only one', () => {
    const { spec } = deployment();
    expect(spec?.replicas).toBeGreaterThan(1);
    expect(spec?.strategy?.rollingUpdate).toEqual({ maxSurge: 1, maxUnavailable: 0 });
    expect(budget().spec).toMatchObject({ maxUnavailable: 1 });
  });

  it('may be reached by the ingress controller and Prometheus, and reach DNS, KeyAPI and Redis', async () => {
    const { spec } = policy();
    const { keyapi, redis } = await loadWith(SECRET);
    expect(spec?.policyTypes).toEqual(['Ingress', 'Egress']);
    // A rule without peers would allow all of them.
    for (const { from } of spec?.ingress ?? []) expect(from?.length).toBeGreaterThan(0);
    for (const { to } of spec?.egress ?? []) expect(to?.length).toBeGreaterThan(0);
    expect(keyapi.baseUrl.protocol).toBe('https:');
    expect(spec?.egress?.map(({ ports }) => ports?.map(({ port }) => port))).toEqual([
      [53, 53],
      [443],
      [redis?.addresses[0]?.port],
    ]);
  });
});
