import type { Place, Topic, TopicPlace } from "@topicast/protocol";
import type { AppId } from "../model.ts";
import type { Service } from "../service.ts";

/**
 * The topics that have something newer than these places, or another epoch. A number that is taken and not written yet counts: better a
 * question too many than a message that nobody asks for. Throws `UnavailableError`.
 */
export async function findBehind(
  { log }: Pick<Service, "log">,
  app: AppId,
  places: readonly TopicPlace[],
): Promise<Topic[]> {
  if (places.length === 0) return [];
  const newest = await log.newest(
    app,
    places.map(({ topic }) => topic),
  );
  return places.filter(({ place }, index) => isBehind(place, newest[index])).map(({ topic }) => topic);
}

/** A topic that is forgotten has nothing; whoever was in it begins again. */
function isBehind({ epoch, seq }: Place, newest: Place | undefined): boolean {
  return newest === undefined || newest.epoch !== epoch || newest.seq > seq;
}
