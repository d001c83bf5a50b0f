import { setTimeout as sleep } from "node:timers/promises";
import { connectRedis } from "@topicast/core/redis";
import { type RedisServer, startRedisServer } from "./redis-server.ts";

const MASTERS = 3;
const SLOTS = 16_384;

export interface RedisCluster {
  /** Names all of its masters. */
  readonly url: string;
  readonly masters: readonly RedisServer[];
  /** The replica of each master, in their order. */
  readonly replicas: readonly RedisServer[];
  stop(): Promise<void>;
}

export interface RedisClusterOptions {
  /** How long a master is silent until its replica takes its place, in ms. */
  readonly nodeTimeoutMs?: number;
}

/** Three masters with a replica each, on this machine, empty. Resolves when all of them agree and the replicas are in step. */
export async function startRedisCluster({ nodeTimeoutMs = 5_000 }: RedisClusterOptions = {}): Promise<RedisCluster> {
  const settings = [
    ...["--cluster-enabled", "yes", "--cluster-node-timeout", String(nodeTimeoutMs)],
    ...["--cluster-announce-ip", "127.0.0.1", "--repl-diskless-sync-delay", "0"],
  ];
  const servers = await Promise.all(Array.from({ length: 2 * MASTERS }, () => startRedisServer({ settings })));
  const nodes = servers.map(openNode);
  try {
    await join(nodes);
  } catch (error) {
    await Promise.all(servers.map((server) => server.stop()));
    throw error;
  } finally {
    for (const node of nodes) node.close();
  }
  const masters = servers.slice(0, MASTERS);
  return {
    url: `redis://${masters.map(({ port }) => `127.0.0.1:${port}`).join(",")}`,
    masters,
    replicas: servers.slice(MASTERS),
    async stop() {
      await Promise.all(servers.map((server) => server.stop()));
    },
  };
}

type Node = ReturnType<typeof openNode>;

function openNode({ url, port }: RedisServer) {
  const redis = connectRedis(url);
  return {
    port,
    ask: async (command: string, ...args: (string | number)[]) => String(await redis.call(command, ...args)),
    close: () => redis.disconnect(),
  };
}

async function join(nodes: readonly Node[]): Promise<void> {
  await Promise.all(
    nodes.map(async (node, i) => {
      // Of two nodes with the same the cluster would have to settle which comes first.
      await node.ask("CLUSTER", "SET-CONFIG-EPOCH", i + 1);
      if (i < MASTERS) await node.ask("CLUSTER", "ADDSLOTS", ...slotsOf(i));
    }),
  );
  // Each meets each, which is faster than to wait until they tell of one another.
  await Promise.all(
    nodes.map((node) => Promise.all(nodes.map(({ port }) => node.ask("CLUSTER", "MEET", "127.0.0.1", port)))),
  );
  await untilEach(nodes, async (node) =>
    (await node.ask("CLUSTER", "INFO")).includes(`cluster_known_nodes:${nodes.length}`),
  );
  const ids = await Promise.all(nodes.slice(0, MASTERS).map((node) => node.ask("CLUSTER", "MYID")));
  const replicas = nodes.slice(MASTERS);
  await untilEach(replicas, (node) => isReplicated(node, ids[replicas.indexOf(node)] ?? ""));
  await untilEach(replicas, async (node) => (await node.ask("INFO", "replication")).includes("master_link_status:up"));
  await untilEach(nodes, isInAgreement);
}

/** Refused as long as the node hasn't heard of its master. */
async function isReplicated(node: Node, master: string): Promise<boolean> {
  try {
    await node.ask("CLUSTER", "REPLICATE", master);
    return true;
  } catch (error) {
    if (String(error).includes("Unknown node") || String(error).includes("only replicate a master")) return false;
    throw error;
  }
}

async function isInAgreement(node: Node): Promise<boolean> {
  const info = await node.ask("CLUSTER", "INFO");
  const known = (await node.ask("CLUSTER", "NODES")).trim().split("\n");
  const replicas = known.filter((line) => line.includes("slave"));
  return info.includes("cluster_state:ok") && info.includes(`cluster_slots_ok:${SLOTS}`) && replicas.length === MASTERS;
}

/** The nodes tell each other when it suits them, and nobody else. */
async function untilEach(nodes: readonly Node[], isSo: (node: Node) => Promise<boolean>): Promise<void> {
  for (const node of nodes) {
    while (!(await isSo(node))) await sleep(20);
  }
}

/** An even share of the slots. */
function slotsOf(master: number): number[] {
  const [first, end] = [master, master + 1].map((n) => Math.floor((n * SLOTS) / MASTERS)) as [number, number];
  return Array.from({ length: end - first }, (_, i) => first + i);
}
