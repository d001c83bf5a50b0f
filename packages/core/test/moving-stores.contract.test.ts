import { describeAppStoreContract, describeConnectionStoreContract, testClock } from "@topicast/testing";
import { createMemoryAppStore } from "../src/drivers/app-store/memory.ts";
import { createMemoryConnectionStore } from "../src/drivers/connection-store/memory.ts";
import { createMovingAppStore } from "../src/drivers/moving/app-store.ts";
import { createMovingConnectionStore } from "../src/drivers/moving/connection-store.ts";
import { withOrderedPages } from "./ordered-pages.ts";

describeConnectionStoreContract("connections in two stores", async () => {
  const clock = testClock();
  const store = () => withOrderedPages(createMemoryConnectionStore({ clock }));
  return { store: createMovingConnectionStore({ stores: [store(), store()] }), clock, close: async () => {} };
});

describeAppStoreContract("applications in two stores", async () => {
  const clock = testClock();
  const stores = [createMemoryAppStore({ clock }), createMemoryAppStore({ clock })] as const;
  return { store: createMovingAppStore({ stores }), clock, close: async () => {} };
});
