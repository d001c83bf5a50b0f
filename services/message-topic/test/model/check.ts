import { checkEphemeral } from "./check-ephemeral.ts";
import { checkLost } from "./check-lost.ts";
import { checkNumbers } from "./check-numbers.ts";
import { checkSessions } from "./check-sessions.ts";
import { checkWakes } from "./check-wakes.ts";
import type { World } from "./world.ts";

/** All that must hold of a run that came to rest. What doesn't, a line each. */
export function check(world: World): string[] {
  return [
    ...world.journal.violations,
    ...checkNumbers(world.journal),
    ...checkSessions(world.journal),
    ...checkLost(world.journal, world.watch),
    ...checkEphemeral(world.journal),
    ...checkWakes(world),
    ...world.watch.lineages.repeated,
    ...world.watch.ticks.faults,
  ];
}
