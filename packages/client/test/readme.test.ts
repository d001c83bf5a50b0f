import { readFile } from "node:fs/promises";
import { expect, it } from "@jest/globals";
import { generateReadme, README } from "../build/readme.ts";

it("the README's sizes and reference are what the scripts make of the sources", async () => {
  expect(await readFile(README, "utf8")).toBe(await generateReadme());
});
