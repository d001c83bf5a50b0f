import type { Faults } from "./faults.ts";
import type { Gateway, Socket } from "./gateway.ts";
import type { Lambda } from "./lambda.ts";
import type { Random } from "./random.ts";
import type { FunctionName } from "./system.ts";
import type { VirtualTime } from "./virtual-time.ts";

export interface HttpContent {
  readonly query?: Readonly<Record<string, string>>;
  readonly body?: unknown;
}

export interface HttpAnswer {
  readonly status: number;
  readonly body: Readonly<Record<string, unknown>>;
}

/** The service as clients reach it: a WebSocket API and an HTTP API, with a network between. */
export interface Api {
  /** Undefined where the handshake fails. */
  connect(query: Record<string, string>, receive: (frame: string) => void): Promise<Socket | undefined>;
  /** A frame from a client. */
  send(socket: Socket, frame: { readonly action: string }): void;
  /** A client closes its end. */
  close(socket: Socket): void;
  /** The link is lost, and neither end is told. */
  cut(socket: Socket): void;
  /** Undefined where no answer comes. */
  http(method: string, path: string, content?: HttpContent): Promise<HttpAnswer | undefined>;
}

export interface ApiOptions {
  readonly gateway: Gateway;
  readonly lambda: Lambda;
  readonly time: VirtualTime;
  readonly random: Random;
  readonly faults: Faults;
}

const ROUTES = ["subscribe", "unsubscribe", "publish", "history", "ping"] as const satisfies readonly FunctionName[];

/** API Gateway takes no longer to find out that a client is gone. */
const MAX_DEAD_MS = 60_000;

export function createApi({ gateway, lambda, time, random, faults }: ApiOptions): Api {
  const travel = () => time.sleep(random.between(1, 40));

  function eventOf({ id: connectionId, connectedAt }: Socket, eventType: string, fields: object = {}) {
    const authorizer = { app: "default", access: "[]" };
    return { requestContext: { eventType, connectionId, connectedAt, authorizer }, ...fields };
  }

  async function route(socket: Socket, body: string, name: FunctionName): Promise<void> {
    await travel();
    if (!socket.isOpen || !socket.isLinked) return;
    const answer = (await lambda.invoke(name, eventOf(socket, "MESSAGE", { body }))) as { body?: string } | undefined;
    const frame = answer === undefined ? '{"message":"Internal server error"}' : answer.body;
    if (frame !== undefined) gateway.send(socket, frame);
  }

  async function disconnect(socket: Socket, afterMs: number): Promise<void> {
    await time.sleep(afterMs);
    socket.isOpen = false;
    if (!faults.hits("disconnect unnoticed")) await lambda.invoke("disconnect", eventOf(socket, "DISCONNECT"));
  }

  return {
    async connect(query, receive) {
      const socket = gateway.open(receive);
      await travel();
      const event = eventOf(socket, "CONNECT", { queryStringParameters: query });
      const answer = (await lambda.invoke("connect", event)) as { statusCode: number } | undefined;
      if (answer?.statusCode !== 200) {
        socket.isOpen = false;
        socket.isLinked = false;
        return undefined;
      }
      socket.refusesUntil = faults.hits("post gone while young") ? socket.connectedAt + random.between(500, 6_000) : 0;
      await travel();
      return socket;
    },

    send(socket, frame) {
      const name = ROUTES.find((action) => action === frame.action);
      if (name === undefined) throw new Error(`The simulation has no route for ${frame.action}.`);
      void route(socket, JSON.stringify(frame), name);
    },

    close(socket) {
      socket.isLinked = false;
      void disconnect(socket, random.between(1, 100));
    },

    cut(socket) {
      socket.isLinked = false;
      void disconnect(
        socket,
        faults.hits("post lost on a dead socket") ? random.between(5_000, MAX_DEAD_MS) : random.between(1, 3_000),
      );
    },

    async http(method, path, { query, body } = {}) {
      await travel();
      const answer = (await lambda.invoke("http", {
        routeKey: `${method} /topics/{proxy+}`,
        pathParameters: { proxy: path },
        headers: {},
        requestContext: { requestId: "simulated" },
        ...(query && { queryStringParameters: query }),
        ...(body !== undefined && { body: JSON.stringify(body) }),
        isBase64Encoded: false,
      })) as { statusCode: number; body?: string } | undefined;
      await travel();
      return answer && { status: answer.statusCode, body: JSON.parse(answer.body || "{}") };
    },
  };
}
