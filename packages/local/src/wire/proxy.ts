import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { readBody } from "../request-body.ts";
import { type AwsObject, createAnswer, TARGET_HEADER } from "./aws-json.ts";
import { createHttpClient, type HttpAnswer, type HttpClient, LOOPBACK, withoutHopByHop } from "./http-client.ts";

/** What an SDK client asks of DynamoDB or SQS. */
export interface Exchange {
  /** `PutItem`, `SendMessageBatch` … */
  readonly operation: string;
  readonly input: AwsObject;
  /** Under which address the client reached the proxy. */
  readonly origin: string;
  /** Passes the request on, with this input. */
  forward(input: AwsObject): Promise<HttpAnswer>;
}

/** The answer to a request; `hang` gives none, `drop` ends the connection instead. */
export type AnswerExchange = (exchange: Exchange) => Promise<HttpAnswer | "hang" | "drop">;

/** Stands before an emulator: sees, counts and spoils what is asked of it. */
export interface Proxy {
  readonly port: number;
  readonly url: string;
  close(): Promise<void>;
}

/** A request of DynamoDB is at most 16 MiB, one of SQS 1 MiB. */
const MAX_REQUEST_BYTES = 16 * 1_024 * 1_024;

export interface ProxyOptions {
  readonly upstreamPort: number;
  readonly answerExchange: AnswerExchange;
  readonly log: (line: string) => void;
}

export async function startProxy({ upstreamPort, answerExchange, log }: ProxyOptions): Promise<Proxy> {
  const upstream = createHttpClient(upstreamPort);
  const server = createServer((request, response) => {
    answerRequest(request, upstream, answerExchange).then(
      (answer) => send(response, answer),
      (error) => {
        // Where the client broke off there is nobody to answer and nothing to mend.
        if (!request.socket.destroyed) log(`A request to DynamoDB or SQS failed: ${error}`);
        response.destroy();
      },
    );
  });
  server.listen(0, LOOPBACK);
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return {
    port,
    url: `http://${LOOPBACK}:${port}`,
    async close() {
      const closed = once(server, "close");
      server.close();
      server.closeAllConnections();
      await closed;
      upstream.close();
    },
  };
}

async function answerRequest(
  request: IncomingMessage,
  upstream: HttpClient,
  answerExchange: AnswerExchange,
): Promise<HttpAnswer | "hang" | "drop"> {
  const body = await readBody(request, MAX_REQUEST_BYTES);
  if (body === undefined) return createAnswer(413, {});
  const { method = "", url: path = "/" } = request;
  const headers = withoutHopByHop(request.headers);
  const target = request.headers[TARGET_HEADER];
  if (typeof target !== "string") return upstream.send({ method, path, headers, body });
  const input = parseInput(body);
  if (input === undefined) return createAnswer(400, { __type: "com.amazon.coral.service#SerializationException" });
  return answerExchange({
    operation: target.slice(target.indexOf(".") + 1),
    input,
    origin: `http://${request.headers.host}`,
    forward: (input) => upstream.send({ method, path, headers, body: JSON.stringify(input) }),
  });
}

function parseInput(body: Buffer): AwsObject | undefined {
  try {
    return JSON.parse(body.toString()) as AwsObject;
  } catch {
    // Not thrown on: its message would bring a piece of the body into the log.
    return undefined;
  }
}

function send(response: ServerResponse, answer: HttpAnswer | "hang" | "drop"): void {
  if (answer === "hang") return;
  if (answer === "drop") return void response.destroy();
  for (const [name, value] of Object.entries(withoutHopByHop(answer.headers))) response.setHeader(name, value ?? "");
  response.statusCode = answer.status;
  response.end(answer.body);
}
