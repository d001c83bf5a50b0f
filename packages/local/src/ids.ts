import { createHash, randomBytes } from "node:crypto";

const ID_BYTES = 11;
const TRACE_BYTES = 12;
const POOL_BYTES = 8_192;
let pool = Buffer.alloc(0);
let taken = 0;

/** Asking for few random bytes costs as much as asking for many, and every message needs two ids. */
function takeRandom(bytes: number, encoding: "base64url" | "hex"): string {
  if (taken + bytes > pool.length) {
    pool = randomBytes(POOL_BYTES);
    taken = 0;
  }
  taken += bytes;
  return pool.toString(encoding, taken - bytes, taken);
}

/** A connection, message or request id as API Gateway makes them: 11 random bytes in padded base64url. */
export function createGatewayId(): string {
  return `${takeRandom(ID_BYTES, "base64url")}=`;
}

/** Whether a string can be one: the 15th character carries only four of its six bits. */
export function isGatewayId(text: string): boolean {
  return /^[\w-]{14}[AEIMQUYcgkosw048]=$/.test(text);
}

/** Ten lower-case alphanumerics, the same for the same address. */
export function apiIdOf(address: string): string {
  const digest = createHash("sha256").update(address).digest();
  return Array.from(digest.subarray(0, 10), (byte) => (byte % 36).toString(36)).join("");
}

/** The value of `X-Amzn-Trace-Id`. */
export function createTraceId(nowMs: number): string {
  const seconds = Math.floor(nowMs / 1_000).toString(16);
  return `Root=1-${seconds.padStart(8, "0")}-${takeRandom(TRACE_BYTES, "hex")}`;
}
