import { describe, expect, it } from "@jest/globals";
import { MAX_BATCH, MAX_HTTP_PAYLOAD_BYTES } from "@topicast/protocol";
import { parsePayload, readBatches } from "../src/payloads.ts";

async function batchesOf(chunks: readonly string[], areFixed = false) {
  async function* stream() {
    yield* chunks;
  }
  const batches = [];
  for await (const batch of readBatches(stream(), { areFixed })) batches.push(batch);
  return batches;
}

describe("parsePayload", () => {
  it.each([
    ["null", null],
    ['"17"', "17"],
    ["[1, 2]", [1, 2]],
    ["hello there", "hello there"],
    ["{x:1}", "{x:1}"],
    ["", ""],
  ])("takes %j", (text, payload) => {
    expect(parsePayload(text, "The payload")).toEqual(payload);
  });

  it.each([
    ["1e400", "The payload: This JSON has a number beyond 1.8e308."],
    ["[".repeat(101) + "]".repeat(101), "The payload: This JSON nests deeper than 100 levels."],
    ["x".repeat(MAX_HTTP_PAYLOAD_BYTES), "The payload is 98306 bytes long as JSON; at most 98304 are allowed."],
  ])("refuses what the protocol doesn't take: %#", (text, message) => {
    expect(() => parsePayload(text, "The payload")).toThrow(message);
  });
});

describe("readBatches", () => {
  it("makes a batch of the lines that a chunk completes", async () => {
    expect(await batchesOf(["1\n2\n3", "4\n\n", "last"])).toEqual([[1, 2], [34], ["last"]]);
  });

  it("makes the same batches of the same input, however it comes, where they must be", async () => {
    const text = Array.from({ length: MAX_BATCH + 1 }, (_, n) => `${n}\n`).join("");
    const batches = await batchesOf([text], true);

    expect(batches.map(({ length }) => length)).toEqual([MAX_BATCH, 1]);
    expect(await batchesOf([...text], true)).toEqual(batches);
  });

  it("fills a batch with no more bytes than a request takes", async () => {
    const line = "x".repeat(MAX_HTTP_PAYLOAD_BYTES / 2 - 2);

    expect((await batchesOf([`${line}\n${line}\n${line}\n1\n`])).map(({ length }) => length)).toEqual([2, 2]);
  });

  it("names the line that is wrong, and gives up one that doesn't end", async () => {
    await expect(batchesOf(["1\n\n1e400\n"])).rejects.toThrow("Line 3: This JSON has a number");
    await expect(batchesOf(["1\n", ...Array(8).fill("x".repeat(20_000))])).rejects.toThrow(/^Line 2 is \d+ bytes/);
  });
});
