import { afterAll, beforeAll, expect, it } from "@jest/globals";
import { aTopic } from "@topicast/testing";
import fc from "fast-check";
import { DEFAULT_APP } from "../src/index.ts";
import { collectCalls } from "./dynamodb-calls.ts";
import { aParty, publish, RETENTION } from "./dynamodb-party.ts";
import { type DynamoDbServer, startDynamoDb } from "./dynamodb-server.ts";

/** How one of the pending calls goes on, and how much time goes by before. */
const turn = fc.record({
  which: fc.nat(2),
  how: fc.oneof(
    { weight: 8, arbitrary: fc.constant("proceed" as const) },
    { weight: 1, arbitrary: fc.constant("fail" as const) },
    { weight: 1, arbitrary: fc.constant("loseAnswer" as const) },
  ),
  ms: fc.oneof({ weight: 20, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.constant(2_100) }),
});

let server: DynamoDbServer;
let runs = 0;

beforeAll(async () => {
  server = await startDynamoDb();
});

afterAll(() => server.close());

it("publishers of one key agree, however their calls interleave, fail, or lose their answers", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(turn, { minLength: 10, maxLength: 60 }), async (turns) => {
      const to = aTopic(`run/${++runs}`);
      const parties = [aParty(server), aParty(server), aParty(server)];
      const calls = collectCalls(parties.map(({ client }) => client));
      let busy = parties.length;
      let elapsedMs = 0;
      const answers = parties.map(async (party, index) => {
        // Each tries again until it is answered, as a client does.
        for (;;) {
          try {
            return await publish(party, { payloads: [index, index], key: "k", to });
          } catch {
            // The same key again.
          }
        }
      });
      for (const answer of answers) {
        void answer.then(() => {
          busy--;
          calls.leave();
        });
      }
      for (const { which, how, ms } of turns) {
        // Less than the time after which a publisher knows that it stood still.
        if (elapsedMs + ms < 5_000) {
          elapsedMs += ms;
          for (const { clock } of parties) await clock.advance(ms);
        }
        const call = await calls.take(which, () => busy);
        if (call === undefined) break;
        call[how]();
      }
      calls.end();
      const [answer, ...others] = await Promise.all(answers);
      for (const other of others) expect(other).toEqual(answer);
      const reader = aParty(server);
      await reader.clock.advance(20_000);
      const { epoch } = await reader.log.place(DEFAULT_APP, to);
      const page = await reader.log.readLatest(DEFAULT_APP, to, { limit: 100, retention: RETENTION });
      expect(page.messages).toEqual(answer?.messages);
      expect(answer?.place.epoch).toBe(epoch);
    }),
    { numRuns: 60 },
  );
}, 120_000);
