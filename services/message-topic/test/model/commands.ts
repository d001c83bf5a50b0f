import fc from "fast-check";
import { FAULTS, SIDES } from "./faults.ts";
import type { Journal } from "./journal.ts";
import { TOPICS } from "./topics.ts";
import type { World } from "./world.ts";

/** One thing that happens in a run, and for how long the run then goes on by itself. */
export type Command = fc.AsyncCommand<Journal, World>;

interface Action {
  readonly name: string;
  readonly run: (world: World) => void;
  /** Passes then, besides what passes after any command. */
  readonly waitMs?: number;
}

const client = fc.nat({ max: 4 });
const topic = fc.constantFrom(...TOPICS);
/** Most of the time little passes, so that things meet; now and then enough for histories to end. */
const milliseconds = fc.oneof(
  { weight: 8, arbitrary: fc.nat({ max: 60 }) },
  { weight: 6, arbitrary: fc.integer({ min: 60, max: 1_000 }) },
  { weight: 3, arbitrary: fc.integer({ min: 1_000, max: 8_000 }) },
);
const awayMs = fc.oneof(
  fc.nat({ max: 5_000 }),
  fc.integer({ min: 5_000, max: 60_000 }),
  fc.integer({ min: 100_000, max: 200_000 }),
);

const publish = fc
  .record({
    topic,
    count: fc.oneof({ weight: 3, arbitrary: fc.constant(1) }, { weight: 1, arbitrary: fc.integer({ min: 2, max: 5 }) }),
    keyed: fc.boolean(),
    how: fc.oneof(
      { weight: 12, arbitrary: fc.constant({ ephemeral: false }) },
      { weight: 2, arbitrary: fc.constant({ ephemeral: true }) },
      { weight: 1, arbitrary: fc.constantFrom("position", "score").map((latest) => ({ ephemeral: true, latest })) },
    ),
    echo: fc.oneof({ weight: 4, arbitrary: fc.constant(true) }, { weight: 1, arbitrary: fc.constant(false) }),
    by: fc.option(client),
  })
  .map(({ by, how, ...about }): Action => {
    const options = { ...about, ...how };
    return {
      name: `publish ${JSON.stringify({ ...options, by: by === null ? "backend" : `client-${by}` })}`,
      run: ({ publisher, clients }) => publisher.publish({ ...options, ...(by !== null && { client: clients[by] }) }),
    };
  });

const subscribe = fc.tuple(client, topic).map(([index, name]): Action => {
  return { name: `client-${index} subscribes to ${name}`, run: ({ clients }) => clients[index]!.subscribe(name) };
});

const unsubscribe = fc.tuple(client, topic).map(([index, name]): Action => {
  return { name: `client-${index} unsubscribes from ${name}`, run: ({ clients }) => clients[index]!.unsubscribe(name) };
});

const drop = fc
  .tuple(client, fc.constantFrom("close" as const, "cut" as const), awayMs)
  .map(([index, how, ms]): Action => {
    return {
      name: `client-${index} goes offline (${how}) for ${ms} ms`,
      run({ clients, time }) {
        clients[index]!.goOffline(how);
        time.after(ms, () => clients[index]!.goOnline());
      },
    };
  });

const remove = topic.map(
  (name): Action => ({ name: `delete ${name}`, run: ({ publisher }) => publisher.remove(name) }),
);

const wait = fc
  .oneof(fc.integer({ min: 5_000, max: 20_000 }), fc.integer({ min: 60_000, max: 150_000 }))
  .map((waitMs): Action => ({ name: "nothing happens", run() {}, waitMs }));

const arm = fc
  .tuple(fc.constantFrom(...FAULTS), fc.integer({ min: 100, max: 20_000 }), fc.constantFrom(20, 60, 100))
  .map(([fault, ms, percent]): Action => {
    return { name: `${fault}: ${percent} % for ${ms} ms`, run: ({ faults }) => faults.arm(fault, ms, percent) };
  });

const MORTAL = ["publish", "http", "deliver", "subscribe", "connect", "disconnect", "unsubscribe"] as const;

const kill = fc
  .tuple(
    fc.constantFrom(...MORTAL),
    fc.integer({ min: 1, max: 7 }),
    fc.constantFrom(...SIDES),
    fc.integer({ min: 1, max: 3 }),
  )
  .map(([name, atCall, side, count]): Action => {
    return {
      name: `the next ${count} of ${name} die ${side} call ${atCall}`,
      run: ({ faults }) => faults.doom(name, { atCall, side }, count),
    };
  });

const action = fc.oneof(
  { weight: 34, arbitrary: publish },
  { weight: 16, arbitrary: subscribe },
  { weight: 6, arbitrary: unsubscribe },
  { weight: 9, arbitrary: drop },
  { weight: 3, arbitrary: remove },
  { weight: 3, arbitrary: wait },
  { weight: 16, arbitrary: arm },
  { weight: 8, arbitrary: kill },
);

const command = fc
  .record({ salt: fc.integer(), action, thenMs: milliseconds })
  .map(({ salt, action: { name, run, waitMs = 0 }, thenMs }): Command => {
    const ms = thenMs + waitMs;
    return {
      check: () => true,
      async run(_, world) {
        world.random.reseed(salt);
        run(world);
        await world.time.advance(ms);
      },
      toString: () => `${name}; ${ms} ms`,
    };
  });

/**
 * Commands of a run: at least 50, with ten to spare, because one in a thousand is drawn as `undefined`. One that doesn't matter for a failure is shrunk to that,
 * so that the others stay where they are.
 */
export const commandsArbitrary = fc.array(fc.option(command, { nil: undefined, freq: 1_000 }), {
  minLength: 60,
  maxLength: 70,
  size: "max",
});
