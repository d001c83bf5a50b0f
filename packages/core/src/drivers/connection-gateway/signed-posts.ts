import { createHash } from "node:crypto";
import type { IncomingMessage } from "node:http";
import type { ApiGatewayManagementApiClient } from "@aws-sdk/client-apigatewaymanagementapi";
import { SignatureV4 } from "@smithy/signature-v4";
import type { ConnectionId } from "../../model.ts";

/** What is posted to many, hashed once. */
export interface PostBody {
  readonly bytes: Uint8Array;
  /** SHA-256 in hex, which signatures cover. */
  readonly hash: string;
}

export function postBodyOf(frame: string): PostBody {
  const bytes = Buffer.from(frame);
  return { bytes, hash: createHash("sha256").update(bytes).digest("hex") };
}

/** The status that a post is answered with. Rejects where there is no answer. */
export type SignedPost = (id: ConnectionId, body: PostBody, abortSignal: AbortSignal) => Promise<number>;

/**
 * Posts to connections with the SDK's own signer, connections and credentials, past its commands: these take 0.6 ms of a core a post where this takes 0.2,
 * and to post is nearly all that workers do. `npm run bench -- post-concurrency` measures it.
 */
export function createSignedPost(client: ApiGatewayManagementApiClient): SignedPost {
  const { config } = client;
  const { region, credentials, sha256, requestHandler } = config;
  const signer = new SignatureV4({ service: "execute-api", region, credentials, sha256 });
  const endpoint = endpointOf(client);

  return async (id, { bytes, hash }, abortSignal) => {
    const { protocol, hostname, port, path } = await endpoint();
    const signed = await signer.sign({
      method: "POST",
      protocol,
      hostname,
      ...(port !== undefined && { port }),
      path: `${path.replace(/\/$/, "")}/@connections/${encodeURIComponent(id)}`,
      query: {},
      headers: {
        host: port === undefined ? hostname : `${hostname}:${port}`,
        "content-type": "application/octet-stream",
        "content-length": String(bytes.length),
        "x-amz-content-sha256": hash,
      },
      body: bytes,
    });
    const { response } = await requestHandler.handle(signed as Parameters<typeof requestHandler.handle>[0], {
      abortSignal,
    });
    // Its body says nothing, and keeps the socket until it is read.
    (response.body as IncomingMessage).resume();
    return response.statusCode;
  };
}

/** Throws where the client was made without an endpoint. */
function endpointOf({ config }: ApiGatewayManagementApiClient) {
  if (config.endpoint === undefined) throw new Error("A client of @connections needs an endpoint.");
  return config.endpoint;
}
