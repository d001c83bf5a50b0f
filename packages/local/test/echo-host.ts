import { type TestClock, testClock } from "@topicast/testing";
import type { GatewayLimits, HostFaults } from "../src/index.ts";
import { type FixtureHost, startFixtures } from "./fixture-host.ts";
import { createRecorder, type Recorder } from "./recorder.ts";

/** What the ids of connections, messages and requests look like. */
export const GATEWAY_ID = /^[\w-]{15}=$/;

/** A whole error frame. */
export function errorFrame(message: string): RegExp {
  return new RegExp(`^{"message": "${message}", "connectionId":"[\\w-]{15}=", "requestId":"[\\w-]{15}="}$`);
}

/** A host of the `echo` and `bare` fixtures, whose time, faults and recorded events are the test's. */
export interface EchoHost {
  readonly host: FixtureHost;
  readonly recorder: Recorder;
  readonly clock: TestClock;
  /** Asked anew each time: a test may set them when it likes. */
  readonly faults: { -readonly [Fault in keyof HostFaults]: HostFaults[Fault] };
  /** Of the `echo` fixture's WebSocket API. */
  readonly url: string;
  /** Posts over HTTP; resolves with the status. */
  post(connectionId: string): Promise<number>;
}

export async function startEchoHost(limits: Partial<GatewayLimits> = {}): Promise<EchoHost> {
  const recorder = createRecorder();
  const clock = testClock();
  const faults: EchoHost["faults"] = {};
  const host = await startFixtures(["echo", "bare"], { clock, faults, limits, ports: recorder.wrapPorts });
  return {
    host,
    recorder,
    clock,
    faults,
    url: host.webSocketUrl("echo"),
    async post(connectionId) {
      const path = `/echo/@connections/${encodeURIComponent(connectionId)}`;
      return (await fetch(`${host.url}${path}`, { method: "POST", body: "hi" })).status;
    },
  };
}
