import { createHash } from "node:crypto";
import { ok, parseClientSecret, type Result, type Topic } from "@topicast/protocol";
import type { Caller } from "../access.ts";
import { CONNECTION_VALID_MS, type Connection, type Target } from "../model.ts";
import type { Service } from "../service.ts";

export interface ConnectInput {
  readonly caller: Caller;
  readonly target: Target;
  /** What the client gave as `?client=`, unchecked. */
  readonly client?: string | undefined;
  /** The room that it joins at once. */
  readonly room?: Topic;
}

/** Remembers a connection, and subscribes it to its room. Throws `UnavailableError`. */
export async function connect(
  service: Pick<Service, "connections">,
  { caller, target, client, room }: ConnectInput,
): Promise<Result<Connection>> {
  const { app, user, expiresAt } = caller;
  const secret = client === undefined ? undefined : parseClientSecret(client);
  if (secret?.ok === false) return secret;
  const connection: Connection = {
    ...target,
    app,
    from: user ?? (secret === undefined ? target.id : identityOf(secret.value)),
    ...(room !== undefined && { room }),
    validUntil: validUntil(target, expiresAt),
  };
  await service.connections.connect(connection);
  return ok(connection);
}

/** Unix ms. The token's end comes before the connection's own where it is earlier. */
export function validUntil({ connectedAt }: Target, expiresAt = Infinity): number {
  return Math.min(connectedAt + CONNECTION_VALID_MS, expiresAt);
}

/** What others see of a client that keeps a secret: it survives a reconnect and doesn't give the secret away. */
function identityOf(clientSecret: string): string {
  return createHash("sha256").update(clientSecret).digest("base64url").slice(0, 16);
}
