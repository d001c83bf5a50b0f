import { mintToken, type TokenRequest } from "@topicast/core/mint-token";
import { usageError } from "./command-error.ts";

/** A connection token. Throws a `CommandError` where the command was called wrongly; nobody is asked. */
export async function mint(request: TokenRequest): Promise<string> {
  const minted = await mintToken(request);
  if (!minted.ok) throw usageError(minted.fault.message);
  return minted.value;
}
