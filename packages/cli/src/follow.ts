import { setTimeout as sleep } from "node:timers/promises";
import type WebSocket from "ws";
import { CommandError } from "./command-error.ts";
import { connect } from "./connection.ts";
import type { Feed, Happening } from "./feed.ts";
import { retryDelayMs } from "./retries.ts";

/** A first connection that fails so often is an error; a later one is tried for ever. */
const MAX_FIRST_ATTEMPTS = 6;
/** A service that doesn't answer a goodbye isn't waited for. */
const CLOSE_MS = 1_000;

export interface FollowOptions {
  readonly url: string;
  readonly feed: Feed;
  /** For each connection; it may be a new one each time. */
  readonly token: () => Promise<string | undefined>;
  /** Tells whether that was enough. Throws a `CommandError` where it is the end. */
  readonly onHappening: (happening: Happening) => "enough" | "more";
  readonly note: (line: string) => void;
  /** Ends it well. */
  readonly signal: AbortSignal;
}

/** Stays subscribed until it is enough. Throws a `CommandError` where the service refuses, or was never reached. */
export async function follow(options: FollowOptions): Promise<void> {
  const { feed, note, signal } = options;
  let hasConnected = false;
  for (let attempts = 0; !signal.aborted; ) {
    const socket = await tryToConnect(options, hasConnected, attempts);
    attempts += 1;
    if (socket !== undefined) {
      if (hasConnected) note("Connected again.");
      hasConnected = true;
      feed.begin(Date.now());
      const ending = await serve(socket, options);
      if (ending.status === "enough") return;
      if (ending.wasServed) attempts = 0;
      note(`The connection has ended${ending.reason === undefined ? "" : ` (${ending.reason})`}; connecting again.`);
    }
    await pauseUntil(retryDelayMs(Math.max(attempts, 1), Math.random), signal);
  }
}

/** Undefined where it is worth trying again. */
async function tryToConnect(
  { url, token, note }: FollowOptions,
  hasConnected: boolean,
  attempts: number,
): Promise<WebSocket | undefined> {
  try {
    return await connect(url, await token());
  } catch (error) {
    if (!(error instanceof CommandError)) throw error;
    // Who was there once comes back: a host that starts anew refuses connections for a while.
    const comesBack = error.code === undefined && hasConnected;
    const mayComeBack = error.isRetryable && (hasConnected || attempts + 1 < MAX_FIRST_ATTEMPTS);
    if (!comesBack && !mayComeBack) throw error;
    if (attempts <= 1) note(`${error.message}; trying again.`);
    return undefined;
  }
}

type Ending =
  | { readonly status: "enough" }
  /** `wasServed`: it brought something, so the next attempt needs no patience. */
  | { readonly status: "disconnected"; readonly wasServed: boolean; readonly reason?: string };

/** Feeds from one connection until it ends. */
async function serve(socket: WebSocket, { feed, onHappening, signal }: FollowOptions): Promise<Ending> {
  let timer: NodeJS.Timeout | undefined;
  let ending: Ending | undefined;
  let failure: { readonly error: unknown } | undefined;
  let wasServed = false;

  function end(how: Ending): void {
    ending ??= how;
    socket.close();
    setTimeout(() => socket.terminate(), CLOSE_MS).unref();
  }
  function pump(): void {
    clearTimeout(timer);
    if (ending !== undefined || failure !== undefined) return;
    const now = Date.now();
    if (feed.isDead(now)) {
      socket.terminate();
      return;
    }
    for (const request of feed.ask(now)) socket.send(JSON.stringify(request));
    const { dueAt } = feed;
    if (dueAt !== undefined) timer = setTimeout(pump, Math.max(0, dueAt - Date.now()));
  }
  function take(happening: Happening): void {
    if (ending !== undefined) return;
    wasServed ||= happening.kind !== "disconnected";
    if (happening.kind === "disconnected") end({ status: "disconnected", wasServed, ...reasonOf(happening) });
    else if (onHappening(happening) === "enough") end({ status: "enough" });
  }
  const abort = () => end({ status: "enough" });

  socket.on("message", (data) => {
    try {
      for (const happening of feed.receive(data.toString(), Date.now())) take(happening);
      pump();
    } catch (error) {
      failure = { error };
      abort();
    }
  });
  signal.addEventListener("abort", abort, { once: true });
  if (signal.aborted) abort();
  pump();
  await new Promise((resolve) => void socket.once("close", resolve));
  clearTimeout(timer);
  signal.removeEventListener("abort", abort);
  if (failure !== undefined) throw failure.error;
  return ending ?? { status: "disconnected", wasServed };
}

function reasonOf({ reason }: { readonly reason?: string }) {
  return reason === undefined ? {} : { reason };
}

async function pauseUntil(ms: number, signal: AbortSignal): Promise<void> {
  try {
    await sleep(ms, undefined, { signal });
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}
