import { createHash, randomBytes } from "node:crypto";

const ID_BYTES = 11;
const POOLED_IDS = 512;
let pool = Buffer.alloc(0);

/** A connection, message or request id as API Gateway makes them: 11 random bytes in padded base64url. */
export function createGatewayId(): string {
  // Asking for few random bytes costs as much as asking for many, and every message needs two ids.
  if (pool.length === 0) pool = randomBytes(ID_BYTES * POOLED_IDS);
  const id = pool.toString("base64url", 0, ID_BYTES);
  pool = pool.subarray(ID_BYTES);
  return `${id}=`;
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
  return `Root=1-${seconds.padStart(8, "0")}-${randomBytes(12).toString("hex")}`;
}
