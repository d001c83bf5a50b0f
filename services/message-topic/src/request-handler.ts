import { allow, type ConnectionGateway, type Operation } from "@topicast/core";
import {
  type AdmissionService,
  faultOf,
  findObstacle,
  parseWebSocketEvent,
  routeResponse,
  type WebSocketCall,
  type WebSocketEvent,
} from "@topicast/core/lambda";
import {
  type Action,
  type ClientRequest,
  encodeFrame,
  type Fault,
  parseRequest,
  type RequestHead,
  type Result,
  type ServerFrame,
} from "@topicast/protocol";

type RequestOf<A extends Action> = Extract<ClientRequest, { action: A }>;

/** Answers one kind of request with a frame, or with one that is encoded already; `undefined` where there is nothing to say. */
export type Answer<A extends Action> = (
  request: RequestOf<A>,
  call: WebSocketCall,
) => Promise<Result<ServerFrame | string | undefined>>;

export type RequestService = AdmissionService & { readonly address: string };

/** What a client must be allowed to do with the topic of a request. Who may subscribe may have what it missed, too. */
const OPERATIONS: Readonly<Partial<Record<Action, Operation>>> = {
  subscribe: "subscribe",
  publish: "publish",
  history: "history",
};

/** A Lambda handler for the route of one action. Its reply travels as the route's response. */
export function requestHandler<A extends Action>(service: RequestService, action: A, answer: Answer<A>) {
  const { address, logger } = service;
  return async (event: WebSocketEvent) => {
    const call = parseWebSocketEvent(event, address);
    const parsed = parseRequest(call.body);
    if (!parsed.ok) return routeResponse(errorFrame(parsed.fault, parsed.head));
    const { request } = parsed;
    try {
      if (!isAction(request, action)) throw new Error(`The route of ${action} got another action.`);
      const obstacle = (await findObstacle(service, call)) ?? findRefusal(request, call);
      if (obstacle !== undefined) return routeResponse(errorFrame(obstacle, headOf(request)));
      const result = await answer(request, call);
      if (!result.ok) return routeResponse(errorFrame(result.fault, headOf(request)));
      return routeResponse(typeof result.value === "object" ? encodeFrame(result.value) : result.value);
    } catch (error) {
      return routeResponse(errorFrame(faultOf(error, logger), headOf(request)));
    }
  };
}

function findRefusal(request: ClientRequest, call: WebSocketCall): Fault | undefined {
  const operation = OPERATIONS[request.action];
  if (operation === undefined || !("topic" in request)) return undefined;
  const allowed = allow(call, operation, request.topic);
  return allowed.ok ? undefined : allowed.fault;
}

/**
 * A client can reach the routes `$connect` and `$disconnect` by naming them as its action. They have no route response, so the refusal is
 * posted.
 */
export async function refuseMisrouted(gateway: ConnectionGateway, { connection, body }: WebSocketCall): Promise<void> {
  await gateway.post([connection], refusalOf(body));
}

/** What is wrong with a frame that no action's route took. */
export function refusalOf(body: string): string {
  const parsed = parseRequest(body);
  if (!parsed.ok) return errorFrame(parsed.fault, parsed.head);
  throw new Error(`The action ${parsed.request.action} has no route.`);
}

function isAction<A extends Action>(request: ClientRequest, action: A): request is RequestOf<A> {
  return request.action === action;
}

function headOf({ id, action, ...fields }: ClientRequest): RequestHead {
  return { ...(id !== undefined && { id }), action, ...("topic" in fields && { topic: fields.topic }) };
}

function errorFrame(fault: Fault, head: RequestHead): string {
  return encodeFrame({ type: "error", ...head, ...fault });
}
