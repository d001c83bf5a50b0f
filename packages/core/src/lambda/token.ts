import { bearerOf } from "../use-cases/check-key.ts";

/** The subprotocol that a browser offers in front of its token, because it can set no header. It is the one that the service answers with. */
export const BEARER_SUBPROTOCOL = "bearer";

type Fields = Readonly<Record<string, string | undefined>>;

/** The token of a handshake, in the header `Authorization`, as `?token=`, or behind the subprotocol `bearer`. Names of headers are in lower case. */
export function tokenOf(headers: Fields, query: Fields): string | undefined {
  return bearerOf(headers.authorization) ?? query.token ?? tokenOfSubprotocols(headers);
}

export function offersBearer(headers: Fields): boolean {
  return subprotocolsOf(headers).includes(BEARER_SUBPROTOCOL);
}

function tokenOfSubprotocols(headers: Fields): string | undefined {
  const offered = subprotocolsOf(headers);
  const at = offered.indexOf(BEARER_SUBPROTOCOL);
  return at === -1 ? undefined : offered[at + 1];
}

function subprotocolsOf(headers: Fields): string[] {
  return (headers["sec-websocket-protocol"] ?? "").split(",").map((name) => name.trim());
}
