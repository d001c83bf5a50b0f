import { describe, expect, it } from "@jest/globals";
import { DIALECTS, type DialectName } from "../src/dialects/index.ts";
import type { MessageReader } from "../src/frame-reader.ts";
import { createPayload, PAYLOAD_BYTES, payloadNumbersIn } from "../src/payload.ts";

/** A reader, and what it told. */
function reader(name: DialectName) {
  const heard: string[] = [];
  const read: MessageReader = DIALECTS[name].createReader({
    welcomed: () => heard.push("welcomed"),
    acked: () => heard.push("acked"),
    // Behind the header of a short frame of a client.
    reply: (frame) => heard.push(frame.toString("utf8", 6)),
  });
  /** Deliveries in a message that lies in the middle of other bytes. */
  function take(message: string | Buffer): number {
    const bytes = Buffer.concat([Buffer.from("MSG "), Buffer.from(message as string), Buffer.from('"number":"')]);
    return read(bytes, 4, bytes.length - 10);
  }
  return { heard, take };
}

/** Takes a stream in messages of so many bytes each. */
function takeSplit(take: (message: Buffer) => number, stream: Buffer, bytes: number): number {
  let deliveries = 0;
  for (let at = 0; at < stream.length; at += bytes) deliveries += take(stream.subarray(at, at + bytes));
  return deliveries;
}

const SPLITS = [1, 2, 3, 5, 26, 129, 100_000];

describe("the payload", () => {
  it("has its size and its number", () => {
    for (const number of [0, 7, 999_999_999]) {
      const payload = createPayload(number);
      expect(payload).toHaveLength(PAYLOAD_BYTES);
      expect(JSON.parse(payload).number).toBe(String(number).padStart(9, "0"));
      expect(payloadNumbersIn(Buffer.from(`[${payload},${createPayload(5)}]`))).toEqual([number, 5]);
    }
  });
});

describe("Topicast", () => {
  function frameOf(numbers: readonly number[], seq: number): string {
    const from = "9R81a2r2jJ-Om1I=";
    const messages = numbers.map((number) => ({ seq, payload: JSON.parse(createPayload(number)), from, time: 1e12 }));
    return JSON.stringify({ type: "messages", topic: "bench/999", epoch: "65k1upim", messages });
  }

  it.each([1, 2, 3, 32, 100])("has %i messages counted in a frame", (count) => {
    const numbers = Array.from({ length: count }, (_, index) => index);
    for (const seq of [1, 9_999_999]) expect(reader("topicast").take(frameOf(numbers, seq))).toBe(count);
  });

  it("tells acks, and throws at anything else", () => {
    const { heard, take } = reader("topicast");
    expect(take('{"type":"ack","id":"1"}')).toBe(0);
    expect(heard).toEqual(["acked"]);
    expect(() => take('{"type":"error","code":"forbidden"}')).toThrow("forbidden");
  });
});

describe("Socket.IO", () => {
  it("tells packets apart", () => {
    const { heard, take } = reader("socketIo");
    const packets = ['0{"sid":"x"}', '40{"sid":"y"}', "431[]", "2", `42["message",${createPayload(1)}]`];
    expect(packets.map(take)).toEqual([0, 0, 0, 0, 1]);
    expect(heard).toEqual(["welcomed", "acked", "3"]);
    expect(() => take('44{"message":"no"}')).toThrow("no");
  });
});

describe("NATS", () => {
  const deliveries = [1, 2, 3].map((number) => `MSG bench.1 1 128\r\n${createPayload(number)}\r\n`);
  const stream = Buffer.from(
    `INFO {"max_payload":1}\r\nPONG\r\n${deliveries[0]}PING\r\nPONG\r\n${deliveries[1]}MSG a 2 0\r\n\r\n${deliveries[2]}`,
  );

  it.each(SPLITS)("is understood in messages of %i bytes", (bytes) => {
    const { heard, take } = reader("nats");
    expect(takeSplit(take, stream, bytes)).toBe(4);
    expect(heard).toEqual(["welcomed", "PONG\r\n", "acked"]);
  });

  it("isn't fooled by a payload that looks like a message", () => {
    expect(reader("nats").take("MSG a 1 9\r\nMSG a 1 1\r\nMSG a 1 1\r\nx\r\n")).toBe(2);
  });

  it("throws at an error", () => {
    expect(() => reader("nats").take("-ERR 'Slow Consumer'\r\n")).toThrow("Slow Consumer");
  });
});

describe("MQTT", () => {
  const publish = (bytes: number) => {
    const body = Buffer.concat([Buffer.from([0, 1, 0x61]), Buffer.alloc(bytes, 0x30)]);
    const length = body.length < 128 ? [body.length] : [(body.length % 128) | 128, Math.floor(body.length / 128)];
    return Buffer.concat([Buffer.from([0x30, ...length]), body]);
  };
  const stream = Buffer.concat([
    Buffer.from([0x20, 2, 0, 0, 0x90, 3, 0, 1, 0]),
    ...[128, 0, 124, 125, 10_000].map(publish),
  ]);

  it.each(SPLITS)("is understood in messages of %i bytes", (bytes) => {
    const { heard, take } = reader("mqtt");
    expect(takeSplit(take, stream, bytes)).toBe(5);
    expect(heard).toEqual(["welcomed", "acked"]);
  });

  it.each([
    ["a connection", [0x20, 2, 0, 5]],
    ["a subscription", [0x90, 3, 0, 1, 0x80]],
  ])("throws where %s is refused", (_, packet) => {
    expect(() => reader("mqtt").take(Buffer.from(packet))).toThrow("MQTT answered");
  });
});
