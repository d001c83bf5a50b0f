import { expect, it } from "@jest/globals";
import { createProgress } from "../src/progress.ts";

it("progress estimates what is left by what was done of its kind, or else of any", () => {
  let now = 0;
  const lines: string[] = [];
  const progress = createProgress(
    ["a", "b", "a", "b"],
    (line) => lines.push(line),
    () => now,
  );
  for (const seconds of [10, 30, 20]) {
    progress.begin("x");
    now += seconds * 1_000;
    progress.end();
  }
  progress.begin("last");
  expect(lines).toEqual([
    "1 of 4, about 48 s left: x\n",
    "2 of 4, about 30 s left: x\n",
    "3 of 4, about 40 s left: x\n",
    "4 of 4, about 30 s left: last\n",
  ]);
});
