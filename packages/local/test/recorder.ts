import type { EmbeddedPorts } from "@topicast/core/embedded";
import type { WebSocketEvent } from "../src/web-socket-events.ts";

/** Gives a test the events that the handlers of the `echo` fixture append to its log. */
export interface Recorder {
  /** The next event, in order, that nobody took yet. */
  next(): Promise<WebSocketEvent>;
  readonly count: number;
  /** Makes the handlers that record from now on wait until the returned function is called. */
  hold(): () => void;
  /** For `HostOptions.ports`. */
  readonly wrapPorts: (ports: EmbeddedPorts) => EmbeddedPorts;
}

export function createRecorder(): Recorder {
  const events: WebSocketEvent[] = [];
  const takers: ((event: WebSocketEvent) => void)[] = [];
  let held: Promise<void> = Promise.resolve();
  let count = 0;

  function record(event: WebSocketEvent): void {
    count += 1;
    const taker = takers.shift();
    if (taker === undefined) events.push(event);
    else taker(event);
  }

  return {
    next() {
      const event = events.shift();
      return event === undefined ? new Promise((resolve) => takers.push(resolve)) : Promise.resolve(event);
    },
    get count() {
      return count;
    },
    hold() {
      let release = () => {};
      held = new Promise((resolve) => {
        release = resolve;
      });
      return release;
    },
    wrapPorts: (ports) => ({
      ...ports,
      log: {
        ...ports.log,
        async append(app, topic, batch, retention) {
          record(batch.payloads[0] as unknown as WebSocketEvent);
          await held;
          return ports.log.append(app, topic, batch, retention);
        },
      },
    }),
  };
}
