import { readFileSync } from "node:fs";
import { hostname } from "node:os";

/**
 * Tells this machine from others, and a container with a network of its own from the machine that it is on. A name alone is what many have; of a name only the
 * first part is the machine's, as the others come with the network that it is in.
 */
export function machineId(): string {
  return `${hostname().split(".")[0]} ${bootId()}`;
}

function bootId(): string {
  try {
    return readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
  } catch {
    // Only Linux has it.
    return "";
  }
}
