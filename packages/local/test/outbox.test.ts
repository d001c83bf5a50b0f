import { Writable } from "node:stream";
import { setImmediate as turn } from "node:timers/promises";
import { describe, expect, it } from "@jest/globals";
import { WebSocket } from "ws";
import { createOutbox, type Outlet } from "../src/outbox.ts";
import { createTextFrame } from "../src/text-frame.ts";

/** A client that keeps what is written to it, write by write. */
function createClient() {
  const writes: Buffer[] = [];
  const stream = new Writable({
    write(chunk, _encoding, done) {
      writes.push(chunk);
      done();
    },
  });
  const socket = { readyState: WebSocket.OPEN as number, OPEN: WebSocket.OPEN };
  const outlet = { socket, stream, group: undefined } as unknown as Outlet;
  return { outlet, socket, writes, written: () => writes.map(String) };
}

/** Until what was put is written: one turn brought it, and the next brings nothing. */
async function quiet(): Promise<void> {
  await turn();
  await turn();
}

const [a, b, c] = ["a", "b", "c"].map((text) => Buffer.from(text)) as [Buffer, Buffer, Buffer];

describe("an outbox", () => {
  it("writes all frames of a turn at once, in order", async () => {
    const outbox = createOutbox();
    const { outlet, written } = createClient();
    for (const frame of [a, b, a]) outbox.put(outlet, frame);
    expect(written()).toEqual([]);
    await quiet();
    expect(written()).toEqual(["aba"]);
    outbox.put(outlet, c);
    await quiet();
    expect(written()).toEqual(["aba", "c"]);
  });

  it("joins the same frames once for all who are due them", async () => {
    const outbox = createOutbox();
    const [one, other] = [createClient(), createClient()];
    for (const frame of [a, b]) for (const { outlet } of [one, other]) outbox.put(outlet, frame);
    await quiet();
    expect(one.written()).toEqual(["ab"]);
    expect(other.writes[0]).toBe(one.writes[0]);
  });

  it("waits for more while each turn brings some, and then writes all at once", async () => {
    const outbox = createOutbox();
    const { outlet, written } = createClient();
    for (const frame of [a, b, c]) {
      outbox.put(outlet, frame);
      await turn();
    }
    expect(written()).toEqual([]);
    await turn();
    expect(written()).toEqual(["abc"]);
  });

  it("waits for four turns at the most", async () => {
    const outbox = createOutbox();
    const { outlet, written } = createClient();
    for (const frame of [a, b, c, a, b]) {
      outbox.put(outlet, frame);
      await turn();
    }
    expect(written()).toEqual(["abca"]);
    await turn();
    expect(written()).toEqual(["abca", "b"]);
  });

  describe("with a list of clients", () => {
    function createList(length: number) {
      const outbox = createOutbox();
      const clients = Array.from({ length }, createClient);
      const list = clients.map(({ outlet }) => outlet);
      let steps = 0;
      return {
        outbox,
        clients,
        list,
        /** Puts to all; whether that was one step. */
        putAll(frame: Buffer) {
          const before = steps;
          outbox.putAll(list, frame, () => {
            steps += list.length;
            for (const outlet of list) outbox.put(outlet, frame);
          });
          return steps === before;
        },
        written: () => clients.map(({ written }) => written()),
      };
    }

    it("takes one step for all of them once they are due the same", async () => {
      const { outbox, list, clients, putAll, written } = createList(3);
      expect([a, b, c].map(putAll)).toEqual([false, true, true]);
      expect(list.map(outbox.unsentBytes)).toEqual([3, 3, 3]);
      await quiet();
      expect(written()).toEqual([["abc"], ["abc"], ["abc"]]);
      expect(clients[1]?.writes[0]).toBe(clients[0]?.writes[0]);
      expect(putAll(a)).toBe(false);
    });

    it("keeps each one's order where one is due something else between", async () => {
      const { outbox, list, putAll, written } = createList(3);
      putAll(a);
      putAll(b);
      outbox.put(list[1]!, c);
      expect([b, a].map(putAll)).toEqual([false, false]);
      outbox.flush(list[2]!);
      expect(putAll(c)).toBe(false);
      await quiet();
      expect(written()).toEqual([["abbac"], ["abcbac"], ["abba", "c"]]);
    });

    it("leaves others out who are due as much", async () => {
      const { outbox, putAll, written } = createList(2);
      const other = createClient();
      outbox.put(other.outlet, Buffer.from(a));
      expect([a, b].map(putAll)).toEqual([false, true]);
      await quiet();
      expect([...written(), other.written()]).toEqual([["ab"], ["ab"], ["a"]]);
    });

    it("writes at once what is very much", () => {
      const { outbox, list, clients, putAll } = createList(2);
      const large = Buffer.alloc(40_000);
      expect([a, large, large].map(putAll)).toEqual([false, true, false]);
      expect(clients.map(({ writes }) => writes.map(({ length }) => length))).toEqual([[80_001], [80_001]]);
      expect(list.map(outbox.isDue)).toEqual([false, false]);
    });
  });

  it("gives each its own where they differ", async () => {
    const outbox = createOutbox();
    const clients = Array.from({ length: 4 }, createClient);
    const putTo = (frame: Buffer, ...indexes: number[]) => {
      for (const index of indexes) outbox.put(clients[index]!.outlet, frame);
    };
    putTo(a, 0, 1);
    putTo(b, 1, 2);
    putTo(a, 2, 3);
    putTo(c, 0, 1, 2, 3);
    await quiet();
    expect(clients.map(({ written }) => written())).toEqual([["ac"], ["abc"], ["bac"], ["ac"]]);
  });

  it("writes at once what is flushed, and no second time", async () => {
    const outbox = createOutbox();
    const { outlet, written } = createClient();
    outbox.put(outlet, a);
    outbox.flush(outlet);
    expect(written()).toEqual(["a"]);
    outbox.put(outlet, b);
    await quiet();
    outbox.flush(outlet);
    expect(written()).toEqual(["a", "b"]);
  });

  it("doesn't wait for the turn to end with very much", () => {
    const outbox = createOutbox();
    const { outlet, writes } = createClient();
    const large = Buffer.alloc(40_000);
    outbox.put(outlet, large);
    expect(outbox.unsentBytes(outlet)).toBe(40_000);
    outbox.put(outlet, large);
    expect(writes.map(({ length }) => length)).toEqual([80_000]);
    expect(outbox.unsentBytes(outlet)).toBe(0);
  });

  it("drops what is due to a client that left", async () => {
    const outbox = createOutbox();
    const { outlet, socket, written } = createClient();
    outbox.put(outlet, a);
    socket.readyState = WebSocket.CLOSING;
    await quiet();
    expect(written()).toEqual([]);
  });
});

describe("a text frame", () => {
  it.each([
    [0, [0x81, 0]],
    [125, [0x81, 125]],
    [126, [0x81, 126, 0, 126]],
    [65_535, [0x81, 126, 0xff, 0xff]],
    [65_536, [0x81, 127, 0, 0, 0, 0, 0, 1, 0, 0]],
  ])("of %i bytes begins with its length", (bytes, header) => {
    const frame = createTextFrame("x".repeat(bytes));
    expect([...frame.subarray(0, header.length)]).toEqual(header);
    expect(frame.subarray(header.length).toString()).toBe("x".repeat(bytes));
  });

  it("counts bytes, not characters", () => {
    expect(createTextFrame("é")).toEqual(Buffer.from([0x81, 2, 0xc3, 0xa9]));
  });
});
