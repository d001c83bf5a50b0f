import { readFile } from "node:fs/promises";
import { expect, it } from "@jest/globals";
import { generateReadme, README } from "../build/readme.ts";

const BYTES = /(?<=\| )\d[\d,]*(?= \|)/g;

it("the README's sizes and reference are what the scripts make of the sources", async () => {
  const [written, made] = [await readFile(README, "utf8"), await generateReadme()];
  expect(written.replace(BYTES, "…")).toBe(made.replace(BYTES, "…"));
  // Another Node has another zlib, which packs a little better or worse.
  const [writtenBytes, madeBytes] = [written, made].map((text) => bytesOf(text)) as [number[], number[]];
  expect(writtenBytes).toHaveLength(6);
  for (const [at, bytes] of writtenBytes.entries()) expect(Math.abs(madeBytes[at]! / bytes - 1)).toBeLessThan(0.01);
});

function bytesOf(text: string): number[] {
  return [...text.matchAll(BYTES)].map(([bytes]) => Number(bytes.replaceAll(",", "")));
}
