import type { TokenRequest } from "@topicast/core";
import { refusal } from "./command-error.ts";

/** A connection token. Throws a `CommandError` that says what is wrong with the request. */
export async function mint(request: TokenRequest): Promise<string> {
  // Loaded late: the other commands start faster without.
  const { mintToken } = await import("@topicast/core");
  const minted = await mintToken(request);
  if (!minted.ok) throw refusal(minted.fault);
  return minted.value;
}
