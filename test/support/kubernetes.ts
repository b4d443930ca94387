import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { Deployment } from 'kubernetes-models/apps/v1/Deployment';
import { NetworkPolicy } from 'kubernetes-models/networking.k8s.io/v1/NetworkPolicy';
import { PodDisruptionBudget } from 'kubernetes-models/policy/v1/PodDisruptionBudget';
import { Service } from 'kubernetes-models/v1/Service';
import { parse } from 'yaml';

const FOLDER = 'deploy/kubernetes';
const KINDS = { Deployment, NetworkPolicy, PodDisruptionBudget, Service };

/** The manifests in `deploy/kubernetes`, parsed, by the names of their files. */
export async function readManifests(): Promise<Map<string, unknown>> {
  const files = (await readdir(FOLDER)).filter((file) => file.endsWith('.yaml')).sort();
  const texts = files.map(
    async (file) => [file, parse(await readFile(path.join(FOLDER, file), 'utf8'))] as const,
  );
  return new Map(await Promise.all(texts));
}

/**
 * What the API of Kubernetes would refuse in a manifest, each with the path in it: values of another type, missing fields, and
 * fields that the type does not have, which `kubectl apply` refuses too. What values mean, such as an address or the name of a
 * port, is not checked.
 */
export function problemsOf(manifest: unknown): string[] {
  const kind = Object.values(KINDS).find((each) => each.is(manifest));
  if (!kind) return [`expected one of ${Object.keys(KINDS)}, with its apiVersion`];
  const read = new Set<string>();
  try {
    kind.prototype.validate.call(watch(manifest, '', read));
  } catch (error) {
    return (error as Error).message.split(', ').map((problem) => problem.replace(/^data/, ''));
  }
  // The validator ignores unknown fields. It reads every field that it knows, and each entry of a map such as `labels`.
  return pathsOf(manifest)
    .filter((field) => !read.has(field))
    .map((field) => `${field} is unknown`);
}

/** The value, with the paths of all fields that are read in it added to `read`. */
function watch(value: unknown, at: string, read: Set<string>): unknown {
  if (typeof value !== 'object' || value === null) return value;
  return new Proxy(value, {
    get(target, name) {
      const field: unknown = Reflect.get(target, name);
      if (typeof name === 'symbol') return field;
      read.add(`${at}/${name}`);
      return watch(field, `${at}/${name}`, read);
    },
  });
}

/** The paths of all fields and entries, such as `/spec/ports/0/name`. */
export function pathsOf(value: unknown, at = ''): string[] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([name, field]) => [
    `${at}/${name}`,
    ...pathsOf(field, `${at}/${name}`),
  ]);
}
