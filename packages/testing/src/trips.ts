/** Counts calls, and those round trips that come one after the other. */
export interface Trips {
  /** Notes a call until it has `ended`, well or not; the trip that it belongs to, counted from 1. Calls are of one trip that began before any was over. */
  note(ended: Promise<unknown>): number;
  /** How many there were since the last time that it was asked. */
  take(): number;
}

export function createTrips(): Trips {
  let trips = 0;
  let underWay = 0;

  return {
    note(ended) {
      if (underWay === 0) trips += 1;
      underWay += 1;
      const end = () => {
        underWay -= 1;
      };
      ended.then(end, end);
      return trips;
    },

    take() {
      const taken = trips;
      trips = 0;
      return taken;
    },
  };
}
