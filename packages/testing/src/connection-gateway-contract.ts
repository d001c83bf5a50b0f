import { describe, expect, it } from "@jest/globals";
import { type ConnectionGateway, type Target, UnavailableError } from "@topicast/core";
import type { TestClock } from "./clock.ts";
import { aTarget } from "./factories.ts";
import { type Closable, useHarness } from "./harness.ts";

/** A client at the far end of the gateway. */
export interface TestClient {
  readonly target: Target;
  /** The first `count` frames that it got, oldest first; waits until they are there. */
  received(count: number): Promise<readonly string[]>;
  /** How many requests to post to it there were, refused ones too. */
  postCount(): number;
  /** How the gateway answers every request about this client from now on; `undefined`: as usual. */
  refuse(outcome: "throttled" | "failed" | undefined): void;
  /** Goes away; resolves when the gateway knows. */
  vanish(): Promise<void>;
  /** Resolves when the gateway ended the connection. */
  readonly closed: Promise<void>;
}

export interface ConnectionGatewayHarness extends Closable {
  readonly gateway: ConnectionGateway;
  readonly clock: Pick<TestClock, "now" | "advance">;
  /** A client that is connected, so that posts reach it. */
  open(): Promise<TestClient>;
}

const NO_FAILURES = { gone: [], throttled: [], failed: [] };

/** What every driver of {@link ConnectionGateway} promises. */
export function describeConnectionGatewayContract(
  name: string,
  createHarness: () => Promise<ConnectionGatewayHarness>,
): void {
  describe(`${name} keeps the contract of ConnectionGateway`, () => {
    const harness = useHarness(createHarness);
    describePosting(harness);
    describeFailures(harness);
    describeClosing(harness);
    describeLooking(harness);
  });
}

function openMany(harness: ConnectionGatewayHarness, count: number): Promise<TestClient[]> {
  return Promise.all(Array.from({ length: count }, () => harness.open()));
}

function describePosting(harness: () => ConnectionGatewayHarness): void {
  it("posts a frame to each target, unchanged", async () => {
    const clients = await openMany(harness(), 3);
    const frame = JSON.stringify({ text: "日本語 👩‍👩‍👧 \n", half: "\ud800" });
    expect(await harness().gateway.post(targetsOf(clients), frame)).toEqual(NO_FAILURES);
    for (const client of clients) expect(await client.received(1)).toEqual([frame]);
  });

  it("posts to no one else", async () => {
    const [addressee, bystander] = await openTwo(harness());
    await harness().gateway.post([addressee.target], "for one");
    await harness().gateway.post([addressee.target, bystander.target], "for both");
    expect(await bystander.received(1)).toEqual(["for both"]);
    expect(bystander.postCount()).toBe(1);
  });

  it.each([2_500, 2_500.25])("posts in %d ms at most as in any other time", async (forMs) => {
    const client = await harness().open();
    expect(await harness().gateway.post([client.target], "hello", { forMs })).toEqual(NO_FAILURES);
    expect(await client.received(1)).toEqual(["hello"]);
  });

  it("keeps the order of posts that are awaited in turn", async () => {
    const client = await harness().open();
    const frames = Array.from({ length: 20 }, (_, i) => `frame ${i}`);
    for (const frame of frames) await harness().gateway.post([client.target], frame);
    expect(await client.received(20)).toEqual(frames);
  });

  it("reaches many targets, each once", async () => {
    const clients = await openMany(harness(), 200);
    expect(await harness().gateway.post(targetsOf(clients), "hello")).toEqual(NO_FAILURES);
    for (const client of clients) {
      expect(await client.received(1)).toEqual(["hello"]);
      expect(client.postCount()).toBe(1);
    }
  });

  it("posts to no target without a failure", async () => {
    expect(await harness().gateway.post([], "nobody")).toEqual(NO_FAILURES);
  });
}

function describeFailures(harness: () => ConnectionGatewayHarness): void {
  it("tells who is gone, who is throttled and who failed, as they were given, and reaches the others", async () => {
    const clients = await openMany(harness(), 5);
    const [first, throttled, vanished, failed, last] = clients as [
      TestClient,
      TestClient,
      TestClient,
      TestClient,
      TestClient,
    ];
    throttled.refuse("throttled");
    failed.refuse("failed");
    await vanished.vanish();
    const unknown = { target: aTarget({ address: first.target.address }) };
    const targets = [...clients, unknown].map(({ target }, i) => ({ ...target, validUntil: 1_000 + i }));
    expect(await harness().gateway.post(targets, "hello")).toEqual({
      gone: [targets[2], targets[5]],
      throttled: [targets[1]],
      failed: [targets[3]],
    });
    expect(await first.received(1)).toEqual(["hello"]);
    expect(await last.received(1)).toEqual(["hello"]);
  });

  it.each(["throttled", "failed"] as const)("tries a target that is %s once, and reaches it later", async (outcome) => {
    const client = await harness().open();
    client.refuse(outcome);
    await harness().gateway.post([client.target], "refused");
    expect(client.postCount()).toBe(1);
    client.refuse(undefined);
    expect(await harness().gateway.post([client.target], "taken")).toEqual(NO_FAILURES);
    expect(await client.received(1)).toEqual(["taken"]);
    expect(client.postCount()).toBe(2);
  });
}

function describeClosing(harness: () => ConnectionGatewayHarness): void {
  it("ends a connection, and then it is gone", async () => {
    const [client, other] = await openTwo(harness());
    expect(await harness().gateway.close(client.target)).toBe("closed");
    await client.closed;
    const targets = [client.target, other.target];
    expect(await harness().gateway.post(targets, "late")).toEqual({ ...NO_FAILURES, gone: [client.target] });
    expect(await other.received(1)).toEqual(["late"]);
    expect(await harness().gateway.look(client.target)).toBeUndefined();
    expect(await harness().gateway.close(client.target)).toBe("gone");
  });

  it("finds a vanished or unknown connection gone", async () => {
    const client = await harness().open();
    await client.vanish();
    expect(await harness().gateway.close(client.target)).toBe("gone");
    expect(await harness().gateway.close(aTarget({ address: client.target.address }))).toBe("gone");
  });

  it.each(["throttled", "failed"] as const)("throws where a close was %s, and can close later", async (outcome) => {
    const client = await harness().open();
    client.refuse(outcome);
    await expect(harness().gateway.close(client.target)).rejects.toBeInstanceOf(UnavailableError);
    client.refuse(undefined);
    expect(await harness().gateway.close(client.target)).toBe("closed");
  });
}

function describeLooking(harness: () => ConnectionGatewayHarness): void {
  it("knows since when a connection is there and when it was last active", async () => {
    const client = await harness().open();
    const { connectedAt } = client.target;
    await harness().clock.advance(5_000);
    await harness().gateway.post([client.target], "hello");
    const info = await harness().gateway.look(client.target);
    expect(info).toMatchObject({ connectedAt, sourceIp: expect.stringMatching(/^[0-9a-f.:]+$/) });
    expect(info?.lastActiveAt).toBeGreaterThanOrEqual(connectedAt + 5_000);
  });

  it("knows nothing of a vanished or unknown connection", async () => {
    const client = await harness().open();
    await client.vanish();
    expect(await harness().gateway.look(client.target)).toBeUndefined();
    expect(await harness().gateway.look(aTarget({ address: client.target.address }))).toBeUndefined();
  });

  it.each(["throttled", "failed"] as const)("throws where a look was %s", async (outcome) => {
    const client = await harness().open();
    client.refuse(outcome);
    await expect(harness().gateway.look(client.target)).rejects.toBeInstanceOf(UnavailableError);
  });
}

function targetsOf(clients: readonly TestClient[]): readonly Target[] {
  return clients.map(({ target }) => target);
}

async function openTwo(harness: ConnectionGatewayHarness): Promise<readonly [TestClient, TestClient]> {
  return [await harness.open(), await harness.open()];
}
