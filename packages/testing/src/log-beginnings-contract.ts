import { describe, expect, it } from "@jest/globals";
import { DEFAULT_APP } from "@topicast/core";
import { aTopic } from "./factories.ts";
import { append, appendHeld, historySince, latest, range, seqsOf, type TopicLogHarness } from "./log-steps.ts";

const topic = aTopic();

/** A number of this age is settled without a reader that came by, in every driver. */
const LONG_SETTLED_MS = 11_000;

/** An epoch whose first numbers were never written, and that nobody looked at while they were young. */
export function describeEmptyBeginnings(harness: () => TopicLogHarness): void {
  const begins: Record<string, () => Promise<unknown>> = {
    "a new topic": async () => {},
    "a topic that readers began": () => harness().log.place(DEFAULT_APP, topic),
    "a topic that readers began long ago": async () => {
      for (let day = 0; day < 2; day++) {
        await harness().log.place(DEFAULT_APP, topic);
        await harness().clock.advance(23 * 3_600_000);
      }
    },
    "a topic that was restarted": async () => {
      await append(harness(), topic, range(1, 3));
      await harness().log.restart(DEFAULT_APP, topic);
    },
  };

  describe.each(Object.entries(begins))("in %s", (_, begin) => {
    it("leaves nothing out for who comes back to the beginning", async () => {
      await begin();
      await appendHeld(harness(), topic, ["never"]);
      await appendHeld(harness(), topic, ["never", "never"]);
      const { place, messages } = await append(harness(), topic, ["a", "b"]);
      await harness().clock.advance(LONG_SETTLED_MS);
      for (const seq of [0, 1, 2, 3]) {
        const history = await historySince(harness(), topic, { epoch: place.epoch, seq }, { limit: 1 });
        expect(history).toEqual({ recovered: true, place, messages });
      }
      expect(seqsOf(await latest(harness(), topic))).toEqual([4, 5]);
    });

    it("leaves nothing out where there is nothing else", async () => {
      await begin();
      await appendHeld(harness(), topic, ["never", "never"]);
      await harness().clock.advance(LONG_SETTLED_MS);
      const { epoch } = await harness().log.place(DEFAULT_APP, topic);
      const place = { epoch, seq: 2 };
      expect(await historySince(harness(), topic, { epoch, seq: 0 })).toEqual({ recovered: true, place, messages: [] });
    });
  });
}
