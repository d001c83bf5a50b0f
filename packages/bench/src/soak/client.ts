import { randomUUID } from "node:crypto";
import { connect, type SocketConstructor } from "@topicast/client";
import WebSocket from "ws";
import type { Ledger, Membership } from "./ledger.ts";

/** What is published to every topic of a soak. */
export interface SoakPayload {
  /** Those of a topic count 1, 2, 3, … */
  readonly number: number;
  readonly text: string;
}

/** A subscriber of one topic, by the SDK. */
export interface SoakClient {
  readonly topic: string;
  isComplete(): boolean;
  /** Its connection breaks, without a word to anyone. */
  cut(): void;
  /** Leaves its topic for a moment. */
  pause(): void;
  /** Goes for good. */
  close(): void;
}

const PAUSE_MS = 500;

export function createSoakClient(url: string, topicName: string, ledger: Ledger): SoakClient {
  let socket: WebSocket | undefined;
  let membership: Membership;
  let isClosed = false;
  let isPaused = false;
  const connection = connect(url, {
    client: randomUUID(),
    WebSocket: class extends WebSocket {
      constructor(address: string, subprotocols?: string | string[]) {
        super(address, subprotocols, { perMessageDeflate: false });
        socket = this;
      }
    } as unknown as SocketConstructor,
  });
  const topic = connection.topic<SoakPayload>(topicName);
  topic.on("subscribed", () => membership.subscribed());

  function join(): void {
    if (isClosed) return;
    isPaused = false;
    const own = ledger.join(topicName);
    membership = own;
    topic.on("message", ({ payload }) => own.received(payload.number));
  }

  join();
  return {
    topic: topicName,
    isComplete: () => !isPaused && membership.isComplete(),
    cut: () => socket?.terminate(),
    pause() {
      if (isPaused) return;
      isPaused = true;
      membership.leave();
      topic.unsubscribe();
      setTimeout(join, PAUSE_MS);
    },
    close() {
      isClosed = true;
      membership.leave();
      connection.close();
    },
  };
}
