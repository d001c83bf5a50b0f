import { ok, type Result, refuse } from "@topicast/protocol";
import { hashSecret } from "../application-key.ts";
import { bearerOf, isSame, MAX_HEADER_LENGTH } from "./check-key.ts";

/** Whether who asks is the operator, by the header `Authorization`. */
export type OperatorCheck = (authorization: string | undefined) => Promise<Result<object>>;

const MISSING = refuse("unauthorized", "Give the operator's key in the header `Authorization: Bearer <key>`.");
const WRONG = refuse("unauthorized", "This is not the operator's key.");
const NO_OPERATOR = refuse(
  "forbidden",
  "There is no operator here: doors are open, and everyone is in the one application. Close them by leaving OPEN out " +
    "and setting OPERATOR_KEY_HASH, or with npm start -- --auth.",
);

/** `keyHash`: SHA-256 of the operator's key, in hex; where there is none, nobody is the operator. */
export function createOperatorCheck(keyHash: string | undefined): OperatorCheck {
  return async (authorization) => {
    if (keyHash === undefined) return NO_OPERATOR;
    if (authorization === undefined) return MISSING;
    if (authorization.length > MAX_HEADER_LENGTH) return WRONG;
    const key = bearerOf(authorization);
    return key !== undefined && isSame(keyHash, hashSecret(key)) ? ok({}) : WRONG;
  };
}
