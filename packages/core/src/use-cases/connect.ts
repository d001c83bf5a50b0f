import { createHash } from "node:crypto";
import { type Fault, ok, parseClientSecret, type Result, refuse, type Topic } from "@topicast/protocol";
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

type ConnectService = Pick<Service, "applications" | "connections">;

/** When one who was refused because of too many others may try again. */
const FULL_RETRY_MS = 10_000;

/** Remembers a connection, and subscribes it to its room. Throws `UnavailableError`. */
export async function connect(
  service: ConnectService,
  { caller, target, client, room }: ConnectInput,
): Promise<Result<Connection>> {
  const { app, user, expiresAt } = caller;
  const application = await service.applications.find(app);
  if (application === undefined) return refuse("unauthorized", "This token's application is there no more.");
  const secret = client === undefined ? undefined : parseClientSecret(client);
  if (secret?.ok === false) return secret;
  const connection: Connection = {
    ...target,
    app,
    from: user ?? (secret === undefined ? target.id : identityOf(secret.value)),
    ...(room !== undefined && { room }),
    validUntil: validUntil(target, expiresAt),
  };
  return remember(service, connection, application.maxConnections);
}

async function remember(
  { connections }: ConnectService,
  connection: Connection,
  max: number | undefined,
): Promise<Result<Connection>> {
  try {
    const outcome = await connections.connect(connection, max);
    return outcome === "connected" ? ok(connection) : { ok: false, fault: tooMany(max) };
  } catch (error) {
    // Nobody is told that it ends, because it never began; counted, it would keep another out for two hours.
    if (max !== undefined) await connections.disconnect(connection.app, connection.id);
    throw error;
  }
}

function tooMany(limit = 0): Fault {
  const message = `This application has ${limit} connections, the most it may. Try again later.`;
  return { code: "rate_limited", message, limit, retryAfter: FULL_RETRY_MS };
}

/** Unix ms. The token's end comes before the connection's own where it is earlier. */
export function validUntil({ connectedAt }: Target, expiresAt = Infinity): number {
  return Math.min(connectedAt + CONNECTION_VALID_MS, expiresAt);
}

/** What others see of a client that keeps a secret: it survives a reconnect and doesn't give the secret away. */
function identityOf(clientSecret: string): string {
  return createHash("sha256").update(clientSecret).digest("base64url").slice(0, 16);
}
