import fc from "fast-check";
import { check } from "./check.ts";
import { checkHistory } from "./check-history.ts";
import type { Command } from "./commands.ts";
import { comeToRest, probe } from "./rest.ts";
import type { System } from "./system.ts";
import { TOPICS } from "./topics.ts";
import { createWorld, type World } from "./world.ts";

/** Runs commands in a world of their own, lets all faults end and everything come to rest. What was wrong, a line each. */
export async function run(
  system: System,
  seed: number,
  commands: readonly (Command | undefined)[],
): Promise<readonly string[]> {
  const world = createWorld(system, seed);
  try {
    return await runIn(world, commands);
  } finally {
    world.close();
  }
}

async function runIn(world: World, commands: readonly (Command | undefined)[]): Promise<readonly string[]> {
  begin(world);
  await world.time.advance(500);
  await fc.asyncModelRun(
    () => ({ model: world.journal, real: world }),
    commands.filter((command) => command !== undefined),
  );
  const restless = await comeToRest(world);
  const faults = [...restless, ...(await checkHistory(world)), ...check(world)];
  // The probe would show receivers what they miss, and so hide that they didn't know.
  return faults.length > 0 ? faults : [...(await probe(world)), ...check(world)];
}

/** All are online, and each is interested in about half of the topics. */
function begin({ clients, random }: World): void {
  for (const client of clients) {
    client.goOnline();
    for (const topic of TOPICS) if (random.chance(50)) client.subscribe(topic);
  }
}
