import { type Caller, type Grant, NOTHING } from "../access.ts";
import { type AppId, DEFAULT_APP } from "../model.ts";

/** What an authorizer says of a caller at `$connect`. API Gateway gives it to every later event of the connection; it takes text only. */
export interface AuthorizerContext {
  readonly app?: string;
  /** JSON of an `Access`. */
  readonly access?: string;
  readonly user?: string;
  /** Unix ms. */
  readonly expiresAt?: string;
}

export function contextOf({ app, access, user, expiresAt }: Caller): AuthorizerContext {
  return {
    app,
    access: JSON.stringify(access),
    ...(user !== undefined && { user }),
    ...(expiresAt !== undefined && { expiresAt: String(expiresAt) }),
  };
}

/** Whom no authorizer let in may do nothing. */
export function callerOf(context: AuthorizerContext | undefined): Caller {
  if (context?.app === undefined || context.access === undefined) return { app: DEFAULT_APP, access: NOTHING };
  const { app, access, user, expiresAt } = context;
  return {
    app: app as AppId,
    // The authorizer's own words, and nobody else's.
    access: JSON.parse(access) as readonly (readonly Grant[])[],
    ...(user !== undefined && { user }),
    ...(expiresAt !== undefined && { expiresAt: Number(expiresAt) }),
  };
}
