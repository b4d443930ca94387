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
  /** The primaries that do not have it. */
  readonly other: TestServer;
  readonly third: TestServer;
  /** Waits until all nodes that are up say that the one with this port has the slot. */
  seeOwner(node: Pick<TestServer, 'port'>): Promise<void>;
  /** Sets how long a node must not respond to be replaced, in milliseconds. */
  setNodeTimeout(ms: number): Promise<unknown>;
  /** Moves the slot to `other`, with its keys, as redis-cli does; pauses when half of the keys have moved. */
  moveSlot(atHalf: () => Promise<unknown>): Promise<void>;
  close(): Promise<void>;
}

const SLOTS = 16_384;
/** Slots of each primary. */
const SHARE = Math.ceil(SLOTS / 3);
/** Keys in one command. */
const BATCH = 10;

/** Starts the cluster. `tag`: the hash tag of our keys. */
export async function startCluster(tag: string): Promise<TestCluster> {
  const busPorts = [await findFreePort(), await findFreePort(), await findFreePort(), await findFreePort()];
  const nodes = await Promise.all(busPorts.map(startNode));
  const [first, second, last, replica] = nodes as [TestServer, TestServer, TestServer, TestServer];
  for (const [index, { port }] of nodes.entries())
    await replica.client.call('CLUSTER', 'MEET', '127.0.0.1', port, busPorts[index] ?? 0);
  const primaries = [first, second, last];
  for (const [index, { client }] of primaries.entries())
    await client.call('CLUSTER', 'ADDSLOTSRANGE', SHARE * index, Math.min(SHARE * (index + 1), SLOTS) - 1);
  await poll(async () => (await Promise.all(nodes.map(isOk))).every(Boolean));

  const slot = Number(await replica.client.cluster('KEYSLOT', `{${tag}}`));
  const owner = primaries[Math.floor(slot / SHARE)] ?? first;
  const [other = first, third = first] = primaries.filter((node) => node !== owner);
  await replica.client.call('CLUSTER', 'REPLICATE', String(await owner.client.cluster('MYID')));
  await poll(async () => (await replica.client.info('replication')).includes('master_link_status:up'));
  await seeOwner(owner);

  function up(): TestServer[] {
    return nodes.filter(({ client }) => client.status === 'ready');
  }

  /** The port of the node that has the slot, as this one sees it. */
  async function ownerAsSeenBy({ client }: TestServer): Promise<number | undefined> {
    const ranges = (await client.call('CLUSTER', 'SLOTS')) as [number, number, [string, number]][];
    return ranges.find(([first, last]) => first <= slot && slot <= last)?.[2][1];
  }

  async function seeOwner({ port }: Pick<TestServer, 'port'>): Promise<void> {
    await poll(async () => {
      const ports = await Promise.all(up().map(ownerAsSeenBy));
      return ports.every((found) => found === port);
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
    third,
    seeOwner,
    setNodeTimeout: (ms) =>
      Promise.all(up().map(({ client }) => client.config('SET', 'cluster-node-timeout', String(ms)))),
    moveSlot,
    close: async () => void (await Promise.all(nodes.map((node) => node.close()))),
  };
}

async function isOk({ client }: TestServer): Promise<boolean> {
  return String(await client.cluster('INFO')).includes('cluster_state:ok');
}

function startNode(busPort: number): Promise<TestServer> {
  const args = ['--cluster-enabled', 'yes', '--cluster-port', String(busPort)];
  // How long a node must not respond to be replaced, in milliseconds.
  return startServer(...args, '--cluster-node-timeout', '1000');
}
