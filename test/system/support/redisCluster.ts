import { findFreePort } from '../../support/freePort.ts';
import { poll } from './poll.ts';
import { startServer, type TestServer } from './redis.ts';

/** A Redis Cluster of three primaries, and a replica of the one that has the slot of our keys. */
export interface TestCluster {
  /** For `REDIS_URL`: the address of each node. */
  readonly url: string;
  /** The primary that has the slot. */
  readonly owner: TestServer;
  /** Its replica. */
  readonly replica: TestServer;
  /** A primary that does not have it. */
  readonly other: TestServer;
  /** Waits until this node has the slot, and all others that are up know it. */
  seeOwner(node: TestServer): Promise<void>;
  /** Moves the slot to `other`, with its keys, as redis-cli does; pauses when half of the keys have moved. */
  moveSlot(atHalf: () => Promise<unknown>): Promise<void>;
  close(): Promise<void>;
}

const SLOTS = 16_384;
/** Keys in one command. */
const BATCH = 10;

/** Starts the cluster. `tag`: the hash tag of our keys. */
export async function startCluster(tag: string): Promise<TestCluster> {
  const busPorts = [await findFreePort(), await findFreePort(), await findFreePort(), await findFreePort()];
  const nodes = await Promise.all(busPorts.map(startNode));
  const [owner, other, third, replica] = nodes as [TestServer, TestServer, TestServer, TestServer];
  const slot = Number(await owner.client.cluster('KEYSLOT', `{${tag}}`));
  for (const [index, { port }] of nodes.entries())
    await owner.client.call('CLUSTER', 'MEET', '127.0.0.1', port, busPorts[index] ?? 0);
  // The owner has the slot alone: nothing else is moved, and nothing else fails over.
  await owner.client.call('CLUSTER', 'ADDSLOTSRANGE', slot, slot);
  const half = SLOTS / 2;
  const [low, high] = slot < half ? [other, third] : [third, other];
  for (const [node, from, to] of [
    [low, 0, half - 1],
    [high, half, SLOTS - 1],
  ] as const) {
    const ranges =
      from <= slot && slot <= to
        ? [
            [from, slot - 1],
            [slot + 1, to],
          ]
        : [[from, to]];
    const filled = ranges.filter(([first = 0, last = 0]) => first <= last);
    await node.client.call('CLUSTER', 'ADDSLOTSRANGE', ...filled.flat());
  }
  const isOk = async ({ client }: TestServer): Promise<boolean> =>
    String(await client.cluster('INFO')).includes('cluster_state:ok');
  await poll(async () => (await Promise.all(nodes.map(isOk))).every(Boolean));
  await replica.client.call('CLUSTER', 'REPLICATE', String(await owner.client.cluster('MYID')));
  await poll(async () => (await replica.client.info('replication')).includes('master_link_status:up'));
  await seeOwner(owner);

  /** The port of the node that has the slot, as this one sees it. */
  async function ownerAsSeenBy({ client }: TestServer): Promise<number | undefined> {
    const ranges = (await client.call('CLUSTER', 'SLOTS')) as [number, number, [string, number]][];
    return ranges.find(([first, last]) => first <= slot && slot <= last)?.[2][1];
  }

  async function seeOwner(node: TestServer): Promise<void> {
    await poll(async () => {
      const up = nodes.filter(({ client }) => client.status === 'ready');
      const ports = await Promise.all(up.map(ownerAsSeenBy));
      return ports.every((port) => port === node.port);
    });
  }

  async function moveSlot(atHalf: () => Promise<unknown>): Promise<void> {
    const [from, to] = await Promise.all([owner, other].map(({ client }) => client.cluster('MYID')));
    await other.client.call('CLUSTER', 'SETSLOT', slot, 'IMPORTING', String(from));
    await owner.client.call('CLUSTER', 'SETSLOT', slot, 'MIGRATING', String(to));
    const count = Number(await owner.client.cluster('COUNTKEYSINSLOT', slot));
    let moved = 0;
    for (;;) {
      const keys = (await owner.client.cluster('GETKEYSINSLOT', slot, BATCH)) as string[];
      if (keys.length === 0) break;
      await owner.client.call('MIGRATE', '127.0.0.1', other.port, '', 0, 5000, 'KEYS', ...keys);
      const before = moved;
      moved += keys.length;
      if (before < count / 2 && moved >= count / 2) await atHalf();
    }
    for (const { client } of [other, owner, third])
      await client.call('CLUSTER', 'SETSLOT', slot, 'NODE', String(to));
    await seeOwner(other);
  }

  return {
    url: `redis://${nodes.map(({ port }) => `127.0.0.1:${port}`).join(',')}`,
    owner,
    replica,
    other,
    seeOwner,
    moveSlot,
    close: async () => void (await Promise.all(nodes.map((node) => node.close()))),
  };
}

function startNode(busPort: number): Promise<TestServer> {
  const args = ['--cluster-enabled', 'yes', '--cluster-port', String(busPort)];
  // How long a node must not respond to be replaced, in milliseconds.
  return startServer(...args, '--cluster-node-timeout', '1000');
}
