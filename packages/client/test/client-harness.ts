import { type Cast, type ConnectOptions, connect, type Message, type Topic } from "@topicast/client";
import { settle, type TestClock, testClock } from "@topicast/testing";
import { createFakeService, type FakeService, type FakeSocket } from "./fake-service.ts";

export const URL = "ws://service.test/topics";

export interface Harness {
  readonly clock: TestClock;
  readonly service: FakeService;
  /** The newest socket. */
  socket(): FakeSocket;
  /** Connects on the harness' clock. */
  open(options?: ConnectOptions): Cast;
  advance(ms: number): Promise<void>;
}

/** A fake service and its clock. By chance is always `random`, from 0 up to 1. */
export function createHarness(random = () => 0.5): Harness {
  const clock = testClock();
  const service = createFakeService(clock);
  return {
    clock,
    service,
    socket: () => service.sockets.at(-1)!,
    open: (options) => connect(URL, { WebSocket: service.WebSocket, random, ...onClock(clock), ...options }),
    async advance(ms) {
      await clock.advance(ms);
      await settle();
    },
  };
}

export function onClock(clock: TestClock): Required<Pick<ConnectOptions, "now" | "after">> {
  return {
    now: clock.now,
    after(ms, run) {
      let isWaiting = true;
      void clock.sleep(Math.max(ms, 0.001)).then(() => isWaiting && run());
      return () => {
        isWaiting = false;
      };
    },
  };
}

/** What a topic gives from now on. */
export function collect<T>(topic: Topic<T>): Message<T>[] {
  const messages: Message<T>[] = [];
  topic.on("message", (message) => messages.push(message));
  return messages;
}

export const payloadsOf = (messages: readonly Message[]) => messages.map(({ payload }) => payload);
