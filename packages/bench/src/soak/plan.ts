/** Topics that all have as many subscribers. */
export interface TopicGroup {
  readonly topics: number;
  readonly subscribersOfEach: number;
}

/** Who is there in a soak, and what they do. */
export interface SoakPlan {
  /** Large ones are served through the queue, small ones by the publisher itself. Each client subscribes to one. */
  readonly groups: readonly TopicGroup[];
  /** Of each topic. */
  readonly messagesPerSecond: number;
  /** Connections that are cut, and come back by themselves with their place. */
  readonly cutsPerSecond: number;
  /** Clients that leave their topic for a moment, and subscribe anew. */
  readonly pausesPerSecond: number;
  /** Clients that go for good, and others that come. */
  readonly replacementsPerSecond: number;
}

export const FULL_PLAN: SoakPlan = {
  groups: [
    { topics: 16, subscribersOfEach: 100 },
    { topics: 40, subscribersOfEach: 10 },
  ],
  messagesPerSecond: 10,
  cutsPerSecond: 10,
  pausesPerSecond: 5,
  replacementsPerSecond: 5,
};

/** For a test: a tenth of everything. */
export const SHORT_PLAN: SoakPlan = {
  groups: [
    { topics: 4, subscribersOfEach: 40 },
    { topics: 4, subscribersOfEach: 10 },
  ],
  messagesPerSecond: 10,
  cutsPerSecond: 4,
  pausesPerSecond: 2,
  replacementsPerSecond: 2,
};

export function clientsOf({ groups }: SoakPlan): number {
  return groups.reduce((sum, { topics, subscribersOfEach }) => sum + topics * subscribersOfEach, 0);
}

export function deliveriesPerSecondOf(plan: SoakPlan): number {
  return clientsOf(plan) * plan.messagesPerSecond;
}
