import type { Place, Topic } from "@topicast/protocol";
import type { Clock } from "../../clock.ts";
import { MovedError } from "../../errors.ts";
import type { AppId } from "../../model.ts";
import type { TickPage } from "../../ports/ticks.ts";
import { type Appended, type IdempotencyKey, KEY_LIFE_MS, type TopicLog } from "../../ports/topic-log.ts";
import type { MovableTopicLog } from "../../ports/topic-mover.ts";
import { createMovedHistory } from "./moved-history.ts";
import { createTopicOwners, HOLD_MS, type Owned, type StoreIndex } from "./topic-owner.ts";

/** Clocks of two processes differ by no more. */
const CLOCK_SKEW_MS = 10_000;

export interface MovingTopicLogOptions {
  /** In the same order in every process, whichever of them is to have the topics. */
  readonly stores: readonly [MovableTopicLog, MovableTopicLog];
  /** Which of them that is. */
  readonly owner: StoreIndex;
  readonly clock: Pick<Clock, "now">;
  /** How long a topic stays where it went, before another process may want it back; longer than any call. */
  readonly holdMs?: number;
}

/**
 * A log in two stores, while it moves from one to the other. A topic is numbered by one of them at a time, which its row says in both: who touches one
 * that isn't where it is to be takes it there (`topic-owner.ts`), and so do the processes of a service, one after the other, as its topics are used. Its history
 * and its keys stay where they are, and are read there as long as they are of use: so a topic moves in a few calls, however much it holds.
 */
export function createMovingTopicLog({ stores, owner, clock, holdMs = HOLD_MS }: MovingTopicLogOptions): TopicLog {
  const { onOwner, whereItIs } = createTopicOwners({ stores, owner, clock, holdMs });
  const history = createMovedHistory();

  /** What the store that had the topic before knows of a key, for as long as it can. */
  async function findKeyed({ other, state }: Owned, app: AppId, topic: Topic, key: IdempotencyKey) {
    const { movedAt, last } = state;
    if (movedAt === undefined || clock.now() >= movedAt + KEY_LIFE_MS + CLOCK_SKEW_MS) return undefined;
    const appended = await other.findKeyed(app, topic, key);
    // Of an epoch that is over it is no longer history.
    return appended && appended.place.epoch !== last.epoch ? { ...appended, messages: [] } : appended;
  }

  return {
    append: (app, topic, batch, retention) =>
      onOwner<Appended>(app, topic, async (owned) => {
        const known = batch.key && (await findKeyed(owned, app, topic, batch.key));
        return known ?? owned.store.append(app, topic, batch, retention);
      }),

    async claim(app, topic, key) {
      // In both, and by everyone in the same order, so that of two who claim it in two steps of the move one has it.
      return (await stores[0].claim(app, topic, key)) && stores[1].claim(app, topic, key);
    },

    place: (app, topic) => onOwner(app, topic, ({ store }) => store.place(app, topic)),

    async newest(app, topics) {
      const [one, two] = await Promise.all(stores.map((store) => store.newest(app, topics)));
      return topics.map((_, index) => laterOf(one?.[index], two?.[index]));
    },

    readSince: (app, topic, since, options) =>
      onOwner(app, topic, (owned) => history.readSince(owned, app, topic, since, options)),

    readLatest: (app, topic, options) => onOwner(app, topic, (owned) => history.readLatest(owned, app, topic, options)),

    restart: async (app, topic) => {
      await whereItIs(app, topic, async ({ store }) => {
        await store.restart(app, topic);
        // Where it left meanwhile nothing may have happened.
        if ((await store.look(app, topic))?.isSealed) throw new MovedError();
      });
    },

    gather: (app, topic, gathering) => onOwner(app, topic, ({ store }) => store.gather(app, topic, gathering)),

    ticking: (app, topic) => whereItIs(app, topic, ({ store }) => store.ticking(app, topic)),

    replaceWakeUp: async (app, topic, from, to) =>
      (await whereItIs(app, topic, ({ store }) => store.replaceWakeUp(app, topic, from, to))) ?? false,

    readTick: (app, topic, after) =>
      whereItIs<TickPage | undefined>(app, topic, (owned) => history.readTick(owned, app, topic, after)),

    claimTick: async (app, topic, page, next) =>
      (await whereItIs(app, topic, ({ store }) => store.claimTick(app, topic, page, next))) ?? false,

    endTicks: async (app, topic, page) =>
      (await whereItIs(app, topic, ({ store }) => store.endTicks(app, topic, page))) ?? false,
  };
}

/** A topic is in both only until somebody sees that. */
function laterOf(one: Place | undefined, two: Place | undefined): Place | undefined {
  if (one === undefined || two === undefined) return one ?? two;
  return one.seq > two.seq ? one : two;
}
