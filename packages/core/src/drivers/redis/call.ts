import type { Cluster } from "ioredis";
import type { Redis } from "./client.ts";
import { isAnswer, translate, unavailable } from "./errors.ts";

/**
 * Bound of one call with all its retries: an attempt, connecting again, and another attempt. What was sent by then may still be done later, by a server
 * that hung.
 */
export const CALL_TIMEOUT_MS = 3_000;

type Send<T> = () => Promise<T>;

/**
 * Runs one call, of one command or of several at once. Throws `UnavailableError` where Redis can't be reached, gives no answer in {@link CALL_TIMEOUT_MS}, or
 * says that it can't now (no memory, still loading, no master, a wrong password); then a write may or may not have happened. Whatever it throws names the
 * address, and has nothing that was sent.
 *
 * Where a connection broke, all is sent once more: so is the first call after a thaw, which finds the connection dead. Each command may be done twice then, and
 * the second time sees what the first did: it must bear that. `mend` says what is sent instead of what Redis refused; undefined where nothing helps.
 */
export function callRedis<T>(redis: Redis, send: Send<T>, mend?: (refusal: Error) => Send<T> | undefined): Promise<T> {
  return new Promise((resolve, reject) => {
    let current = send;
    let left = 1;
    let isGivenUp = false;
    function giveUp(): void {
      isGivenUp = true;
      reject(unavailable(redis, `gave no answer in ${CALL_TIMEOUT_MS} ms`));
    }
    // As few promises as there can be: a busy process makes tens of thousands of calls a second.
    function attempt(): void {
      sendWhenReady(redis, current).then(onAnswer, onFailure);
    }
    function onAnswer(answer: T): void {
      clearTimeout(timer);
      resolve(answer);
    }
    function onFailure(error: Error): void {
      const next = isGivenUp ? undefined : nextAfter(error);
      if (next === undefined) {
        clearTimeout(timer);
        reject(translate(redis, error));
        return;
      }
      current = next;
      attempt();
    }
    function nextAfter(error: Error): Send<T> | undefined {
      if (isAnswer(error)) return mend?.(error);
      left -= 1;
      return left < 0 ? undefined : current;
    }
    const timer = setTimeout(giveUp, CALL_TIMEOUT_MS);
    attempt();
  });
}

/** A cluster would queue what it is given while it isn't connected, without bound, and do it long after everybody gave up. */
function sendWhenReady<T>(redis: Redis, send: Send<T>): Promise<T> {
  return isCluster(redis) && redis.status !== "ready" ? becomeReady(redis).then(send) : send();
}

function isCluster(redis: Redis): redis is Cluster {
  return redis.isCluster;
}

/** One for all calls that wait. */
const connecting = new WeakMap<Cluster, Promise<void>>();

function becomeReady(cluster: Cluster): Promise<void> {
  const current = connecting.get(cluster) ?? waitUntilReady(cluster).finally(() => connecting.delete(cluster));
  connecting.set(cluster, current);
  return current;
}

/** Rejects with the second attempt to connect that fails. */
function waitUntilReady(cluster: Cluster): Promise<void> {
  return new Promise((resolve, reject) => {
    let failures = 0;
    function onReady(): void {
      stopListening();
      resolve();
    }
    function onClose(): void {
      failures += 1;
      if (failures > 1) onEnd();
    }
    function onEnd(): void {
      stopListening();
      reject(new Error("no node answers"));
    }
    function stopListening(): void {
      cluster.off("ready", onReady).off("close", onClose).off("end", onEnd);
    }
    cluster.on("ready", onReady).on("close", onClose).on("end", onEnd);
    // What it rejects with comes as events too.
    if (cluster.status === "wait") cluster.connect().catch(() => {});
    if (cluster.status === "end") onEnd();
  });
}
