import pLimit from "p-limit";

const AT_A_TIME = 20;

/**
 * Does something for each, twenty at a time, and gives the results in order. On AWS hundreds of Lambdas share a load; in a test one process
 * speaks to one emulator.
 */
export function fewAtATime<T, R>(items: readonly T[], work: (item: T, index: number) => Promise<R>): Promise<R[]> {
  const limit = pLimit(AT_A_TIME);
  return Promise.all(items.map((item, index) => limit(() => work(item, index))));
}
