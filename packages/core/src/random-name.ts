import { randomFillSync } from "node:crypto";

const NAME_BYTES = 6;
/** Drawn at once, as each draw costs far more than a name's bytes. */
const POOL = Buffer.alloc(NAME_BYTES * 512);

let used = POOL.length;

/** Eight characters that nobody else has: no secret. */
export function randomName(): string {
  if (used === POOL.length) {
    randomFillSync(POOL);
    used = 0;
  }
  used += NAME_BYTES;
  return POOL.toString("base64url", used - NAME_BYTES, used);
}
