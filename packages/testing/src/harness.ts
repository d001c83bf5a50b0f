import { afterEach, beforeEach } from "@jest/globals";

export interface Closable {
  close(): Promise<void>;
}

/** Makes a harness before each test of the describe around it and closes it after; returns how a test gets at it. */
export function useHarness<H extends Closable>(createHarness: () => Promise<H>): () => H {
  let current: H | undefined;
  beforeEach(async () => {
    current = await createHarness();
  });
  afterEach(async () => {
    await current?.close();
    current = undefined;
  });
  return () => {
    if (current === undefined) throw new Error("A harness is there only while a test runs.");
    return current;
  };
}
