import { describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import type { Message, Place, ReceivedPage } from "../src/index.ts";
import { createSubscriber, type Start } from "./receiver-subscriber.ts";
import { createTopicModel, type MessagesOfTopic, type Taken } from "./receiver-topic.ts";

type Step =
  | { readonly do: "publish" | "take"; readonly count: number }
  | { readonly do: "write" | "void" | "drop"; readonly which: number }
  | { readonly do: "deliver"; readonly which: number; readonly again: boolean }
  | { readonly do: "wait"; readonly ms: number }
  | { readonly do: "trim"; readonly keep: number }
  | { readonly do: "position" | "restart" | "subscribe" | "ping" };

const which = fc.nat({ max: 1_000 });
// Now and then more than a receiver holds.
const count = fc.oneof(
  { weight: 150, arbitrary: fc.integer({ min: 1, max: 4 }) },
  { weight: 1, arbitrary: fc.constant(700) },
);
const stepOf = <K extends Step["do"]>(kind: K, rest: Record<string, fc.Arbitrary<unknown>> = {}) =>
  fc.record({ do: fc.constant(kind), ...rest }) as unknown as fc.Arbitrary<Step>;
const faultless = [
  { weight: 8, arbitrary: stepOf("publish", { count }) },
  { weight: 4, arbitrary: stepOf("take", { count }) },
  { weight: 3, arbitrary: stepOf("write", { which }) },
  { weight: 2, arbitrary: stepOf("void", { which }) },
  { weight: 20, arbitrary: stepOf("deliver", { which, again: fc.boolean() }) },
  { weight: 8, arbitrary: stepOf("wait", { ms: fc.nat({ max: 400 }) }) },
  { weight: 1, arbitrary: stepOf("trim", { keep: fc.nat({ max: 8 }) }) },
  { weight: 1, arbitrary: stepOf("position") },
  { weight: 1, arbitrary: stepOf("restart") },
  { weight: 2, arbitrary: stepOf("subscribe") },
  { weight: 2, arbitrary: stepOf("ping") },
];
const steps = fc.array(fc.oneof(...faultless, { weight: 6, arbitrary: stepOf("drop", { which }) }), {
  maxLength: 120,
  size: "max",
});
const stepsWithoutLoss = fc.array(fc.oneof(...faultless), { maxLength: 120, size: "max" });
const start: fc.Arbitrary<Start> = fc.oneof(
  fc.constantFrom<Start>("plain", "last", { epoch: "another", seq: 3 }, { epoch: "epoch0", seq: 99 }),
  fc.nat({ max: 5 }).map((seq) => ({ epoch: "epoch0", seq })),
);
const jitter = fc.constantFrom(0, 0.3, 0.5, 0.999);

/** A topic, its subscriber, and what is on the way between them. */
function createRun(begin: Start, random: number) {
  const topic = createTopicModel();
  const publish = (count: number) => topic.write(topic.take(count)) as MessagesOfTopic;
  publish(5);
  const subscriber = createSubscriber(topic, begin, () => random);
  const { receiver } = subscriber;
  const onTheWay: (() => void)[] = [];
  const taken: Taken[] = [];

  const sendFrame = (frame: MessagesOfTopic | { messages: Message[] } | undefined) => {
    if (frame !== undefined) onTheWay.push(() => subscriber.receive(frame));
  };
  /** A request reaches the service some time, which answers what is true then; the answer arrives some time later. */
  const request = ({ since, answer }: { since: Place | undefined; answer: () => ReceivedPage }) =>
    onTheWay.push(() => {
      const page = answer();
      onTheWay.push(() => subscriber.ack(page, since));
    });
  const isBehind = () => {
    const newest = topic.newest();
    return receiver.place?.epoch !== newest.epoch || receiver.place.seq < newest.seq;
  };
  const ping = () =>
    onTheWay.push(() => {
      const found = isBehind();
      onTheWay.push(() => void (found && receiver.check(subscriber.now)));
    });
  const askWhereDue = () => {
    const asked = subscriber.ask();
    if (asked !== undefined) request(asked);
  };
  const pick = <T>(from: T[], index: number) => from.splice(index % Math.max(1, from.length), 1)[0];

  function step(one: Step) {
    if (one.do === "publish") sendFrame(publish(one.count));
    if (one.do === "take") taken.push(topic.take(one.count));
    if (one.do === "write") write(pick(taken, one.which));
    if (one.do === "void") leaveVoid(pick(taken, one.which));
    if (one.do === "trim") topic.trim(one.keep);
    if (one.do === "restart") topic.restart();
    if (one.do === "position") sendFrame({ messages: [{ payload: "here", time: subscriber.now }] });
    if (one.do === "subscribe") request(subscriber.subscribe());
    if (one.do === "ping") ping();
    if (one.do === "drop") pick(onTheWay, one.which);
    if (one.do === "deliver") deliver(pick(onTheWay, one.which), one.again);
    if (one.do === "wait") {
      subscriber.wait(one.ms);
      askWhereDue();
    }
  }
  const write = (numbers: Taken | undefined) => sendFrame(numbers && topic.write(numbers));
  const leaveVoid = (numbers: Taken | undefined) => numbers && topic.leaveVoid(numbers);
  function deliver(arrive: (() => void) | undefined, again: boolean) {
    arrive?.();
    if (arrive !== undefined && again) onTheWay.push(arrive);
  }

  /** Everything that is due is asked, and each answer arrives. */
  function askUntilQuiet() {
    for (let asks = 0; receiver.dueAt !== undefined; asks++) {
      expect(asks).toBeLessThan(1_000);
      subscriber.wait(Math.max(0, receiver.dueAt - subscriber.now));
      askWhereDue();
      arriveAll();
    }
  }
  function arriveAll() {
    for (let arrive = onTheWay.shift(); arrive !== undefined; arrive = onTheWay.shift()) arrive();
  }
  /** What was taken is written or made void, and the subscription stands. */
  function settle() {
    for (const [index, numbers] of taken.entries()) (index % 2 === 0 ? write : leaveVoid)(numbers);
    request(subscriber.subscribe());
  }
  return { topic, receiver, onTheWay, step, settle, ping, arriveAll, askUntilQuiet };
}

describe("a receiver", () => {
  it("emits each message once and in order or reports it as lost, whatever happens on the way, and ends where the topic is", () => {
    const property = fc.property(start, steps, fc.boolean(), jitter, (begin, all, areLost, random) => {
      const run = createRun(begin, random);
      for (const one of all) run.step(one);
      if (areLost) run.onTheWay.length = 0;
      run.settle();
      run.arriveAll();
      run.askUntilQuiet();
      // What is left is a tail that was lost, which shows in no frame.
      run.ping();
      run.arriveAll();
      run.askUntilQuiet();

      expect(run.receiver.place).toEqual(run.topic.settled());
      expect(run.receiver.dueAt).toBeUndefined();
    });
    fc.assert(property, { numRuns: 1_000 });
  });

  it("needs no ping where nothing is lost on the way, however late, doubled and shuffled it comes", () => {
    const property = fc.property(start, stepsWithoutLoss, jitter, (begin, all, random) => {
      const run = createRun(begin, random);
      for (const one of all) run.step(one);
      // An epoch without a message shows in no frame.
      if (run.topic.newest().seq === 0) run.step({ do: "publish", count: 1 });
      run.settle();
      run.arriveAll();
      run.askUntilQuiet();

      const { place } = run.receiver;
      const settled = run.topic.settled();
      expect(place?.epoch).toBe(settled.epoch);
      expect(run.topic.heldBetween(settled.epoch, place?.seq ?? 0, settled.seq)).toEqual([]);
      expect(run.receiver.dueAt).toBeUndefined();
    });
    fc.assert(property, { numRuns: 1_000 });
  });
});
