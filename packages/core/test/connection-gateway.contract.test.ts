import { aTarget, describeConnectionGatewayContract, testClock } from "@topicast/testing";
import { createMemoryGateway } from "../src/drivers/connection-gateway/memory.ts";
import type { Target } from "../src/index.ts";

describeConnectionGatewayContract("memory", async () => {
  const clock = testClock();
  const gateway = createMemoryGateway({ clock });
  return {
    gateway,
    clock,
    async open() {
      const target: Target = aTarget({ connectedAt: clock.now() });
      gateway.open(target);
      return {
        target,
        received: async (count) => gateway.frames(target.id).slice(0, count),
        postCount: () => gateway.posts.filter(({ id }) => id === target.id).length,
        refuse: (outcome) => gateway.refuse(target.id, outcome),
        vanish: async () => gateway.vanish(target.id),
        // Nothing is sent to a client of this gateway when it ends: that it is gone is all there is to see.
        closed: Promise.resolve(),
      };
    },
    close: async () => {},
  };
});
