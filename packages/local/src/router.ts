import type { IncomingMessage, Server, ServerResponse } from "node:http";
import { sdkScript } from "./sdk-script.ts";
import type { Service } from "./service.ts";
import { refuseUpgrade } from "./web-socket-handshake.ts";

/** The SDK's path, for a page's script tag. */
const SDK = "topicast.js";

interface RequestPath {
  readonly service: string;
  /** What follows the service's name, as it was sent; at least `/`. */
  readonly path: string;
  readonly rawQuery: string;
}

/** Takes requests and upgrades to the service that their path begins with. */
export function routeRequests(
  server: Server,
  services: readonly Service[],
  domainName: string,
  log: (line: string) => void,
): void {
  const byName = new Map(services.map((service) => [service.name, service]));

  server.on("request", (request, response) => {
    const { service, path, rawQuery } = splitUrl(request.url ?? "/");
    const target = byName.get(service);
    if (target !== undefined) {
      target.answer(request, response, path, rawQuery).catch((error) => fail(request, response, target.name, error));
    } else if (service === "" && reads(request)) {
      sendText(response, "text/plain;charset=UTF-8", listAddresses(services, domainName));
    } else if (service === SDK && path === "/" && reads(request)) {
      sendSdk(response).catch((error) => fail(request, response, SDK, error));
    } else if (service === "@connections") {
      // The stage is missing.
      sendMessage(response, 403, "Forbidden");
    } else {
      sendMessage(response, 404, "Not Found");
    }
  });

  server.on("upgrade", (request, socket, head) => {
    // A client that breaks off is no news, and an error that nobody listens to would end the host.
    socket.on("error", () => undefined);
    const { service, path } = splitUrl(request.url ?? "/");
    const target = byName.get(service);
    if (!target?.hasWebSocketApi || path !== "/") {
      return refuseUpgrade(socket, { status: 404, body: '{"message":"Not Found"}', contentType: "application/json" });
    }
    target.upgrade(request, socket, head).catch((error) => {
      log(`${target.name}: the handshake failed: ${error}`);
      socket.destroy();
    });
  });

  function fail(request: IncomingMessage, response: ServerResponse, service: string, error: unknown): void {
    // The client broke off: there is nobody to answer and nothing to mend.
    if (request.errored) return;
    log(`${service}: the request failed: ${error}`);
    if (response.headersSent) response.destroy();
    else sendMessage(response, 500, "Internal Server Error");
  }
}

function splitUrl(url: string): RequestPath {
  const queryAt = url.indexOf("?");
  const whole = queryAt === -1 ? url : url.slice(0, queryAt);
  const slash = whole.indexOf("/", 1);
  return {
    service: slash === -1 ? whole.slice(1) : whole.slice(1, slash),
    path: slash === -1 ? "/" : whole.slice(slash),
    rawQuery: queryAt === -1 ? "" : url.slice(queryAt + 1),
  };
}

function reads({ method }: IncomingMessage): boolean {
  return method === "GET" || method === "HEAD";
}

/** Pages of any origin may load it: that is what it is for. */
async function sendSdk(response: ServerResponse): Promise<void> {
  const script = await sdkScript();
  response.setHeader("access-control-allow-origin", "*");
  response.setHeader("cache-control", "no-cache");
  sendText(response, "text/javascript; charset=utf-8", script);
}

/** With its length, which Node leaves out of an answer to HEAD; the text itself it leaves out by itself. */
function sendText(response: ServerResponse, contentType: string, text: string): void {
  response.setHeader("content-type", contentType);
  response.setHeader("content-length", Buffer.byteLength(text));
  response.end(text);
}

function sendMessage(response: ServerResponse, status: number, message: string): void {
  response.statusCode = status;
  response.setHeader("content-type", "application/json");
  response.end(JSON.stringify({ message }));
}

function listAddresses(services: readonly Service[], domainName: string): string {
  const addresses = services.flatMap(({ name, hasWebSocketApi, hasHttpApi }) => [
    ...(hasWebSocketApi ? [`ws://${domainName}/${name}`] : []),
    ...(hasHttpApi ? [`http://${domainName}/${name}`] : []),
  ]);
  return ["Topicast", ...addresses, ""].join("\n");
}
