import { mintToken, type TokenRequest } from "@topicast/core/mint-token";
import { refusal } from "./command-error.ts";

/** A connection token. Throws a `CommandError` that says what is wrong with the request. */
export async function mint(request: TokenRequest): Promise<string> {
  const minted = await mintToken(request);
  if (!minted.ok) throw refusal(minted.fault);
  return minted.value;
}
