import { describe, expect, it } from "@jest/globals";
import { anApplication, anApplicationKey, testClock } from "@topicast/testing";
import { createMemoryAppStore } from "../src/drivers/app-store/memory.ts";
import { createMovingAppStore } from "../src/drivers/moving/app-store.ts";
import type { AppStore } from "../src/ports/app-store.ts";

const clock = testClock();
const aStore = () => createMemoryAppStore({ clock });

/** As a service has it, whose role lets it ask for one by its name, and no more. */
function readOnly({ get }: AppStore): AppStore {
  const refuse = async () => {
    throw new Error("AccessDenied");
  };
  return { get, create: refuse, list: refuse, change: refuse, addKey: refuse, removeKey: refuse, remove: refuse };
}

describe("an application that only the second store has", () => {
  it("is found by a service, which may write to neither", async () => {
    const second = aStore();
    const application = anApplication();
    await second.create(application);
    const ofService = createMovingAppStore({ stores: [readOnly(aStore()), readOnly(second)] });
    expect(await ofService.get("game")).toEqual(application);
    expect(await ofService.get("other")).toBeUndefined();
  });

  it("is in both once it was changed", async () => {
    const [first, second] = [aStore(), aStore()];
    const key = anApplicationKey();
    await second.create(anApplication());
    expect(await createMovingAppStore({ stores: [first, second] }).addKey("game", key, 10)).toBe("added");
    for (const store of [first, second]) expect((await store.get("game"))?.keys).toEqual([key]);
  });

  it("keeps its name", async () => {
    const [first, second] = [aStore(), aStore()];
    const application = anApplication();
    await second.create(application);
    const moving = createMovingAppStore({ stores: [first, second] });
    expect(await moving.create(anApplication())).toBe(false);
    expect(await moving.create(application)).toBe(true);
    for (const store of [first, second]) expect(await store.get("game")).toEqual(application);
  });
});
