import { describe } from "@jest/globals";
import { describeAppStoreContract, describeConnectionStoreContract, testClock } from "@topicast/testing";
import { createMemoryAppStore } from "../src/drivers/app-store/memory.ts";
import { createMemoryConnectionStore } from "../src/drivers/connection-store/memory.ts";
import { createMovingAppStore } from "../src/drivers/moving/app-store.ts";
import { createMovingConnectionStore } from "../src/drivers/moving/connection-store.ts";
import type { StoreIndex } from "../src/drivers/moving/topic-owner.ts";
import { withOrderedPages } from "./ordered-pages.ts";

const STEPS: readonly [string, StoreIndex][] = [
  ["connections in two stores, the first of which decides", 0],
  ["connections in two stores, the second of which decides", 1],
];

describe.each(STEPS)("%s", (name, owner) => {
  describeConnectionStoreContract(name, async () => {
    const clock = testClock();
    const store = () => withOrderedPages(createMemoryConnectionStore({ clock }));
    return { store: createMovingConnectionStore({ stores: [store(), store()], owner }), clock, close: async () => {} };
  });
});

describeAppStoreContract("applications in two stores", async () => {
  const clock = testClock();
  const stores = [createMemoryAppStore({ clock }), createMemoryAppStore({ clock })] as const;
  return { store: createMovingAppStore({ stores }), clock, close: async () => {} };
});
