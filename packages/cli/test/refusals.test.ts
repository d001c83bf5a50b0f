import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, it, jest } from "@jest/globals";
import { run, start } from "./topicast.ts";

jest.setTimeout(180_000);

/** What a service answers to one request after the other: status, body, and the header that it then sends. */
type Answer = readonly [status: number, body: object | string];

interface Service {
  readonly url: string;
  readonly requests: { readonly url: string; readonly authorization: string | undefined; readonly body: string }[];
}

let server: Server | undefined;
afterEach(async () => {
  server?.closeAllConnections();
  server?.close();
  server = undefined;
});

/** A service that answers as it is told, the last answer for ever. Handshakes get the same. */
async function serve(...answers: readonly Answer[]): Promise<Service> {
  const requests: Service["requests"] = [];
  async function answer(request: IncomingMessage, response: ServerResponse) {
    let body = "";
    for await (const chunk of request) body += chunk;
    const [status, text] = answers[Math.min(requests.length, answers.length - 1)] as Answer;
    requests.push({ url: request.url ?? "", authorization: request.headers.authorization, body });
    response.writeHead(status).end(typeof text === "string" ? text : JSON.stringify(text));
  }
  server = createServer((request, response) => void answer(request, response));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, requests };
}

const accepted: Answer = [202, { topic: "t", epoch: "k3f9", seq: 1 }];
const problem = (status: number, code: string, more: object = {}): Answer => [
  status,
  { status, code, detail: `It is ${code}.`, ...more },
];

describe("publish", () => {
  it("tries again what may pass, with the same key", async () => {
    const service = await serve(
      problem(503, "unavailable"),
      problem(500, "internal"),
      problem(429, "rate_limited", { retryAfter: 10 }),
      [503, { message: "Service Unavailable" }],
      accepted,
    );
    const { code, stdout, stderr } = await run(["publish", "t", "1"], {
      env: { TOPICAST_URL: service.url, TOPICAST_KEY: "k" },
    });

    expect({ code, stdout }).toEqual({ code: 0, stdout: "1 message published to t, at k3f9:1\n" });
    expect(stderr.match(/trying again/g)).toHaveLength(4);
    expect(service.requests).toHaveLength(5);
    expect(new Set(service.requests.map(({ body }) => body)).size).toBe(1);
    expect(JSON.parse(service.requests[0]?.body ?? "")).toEqual({ payloads: [1], key: expect.any(String) });
    expect(service.requests[0]).toMatchObject({ url: "/message-topic/topics/t/messages", authorization: "Bearer k" });
  });

  it.each([
    [problem(403, "forbidden"), "error: It is forbidden. (forbidden)\n"],
    [problem(429, "quota_exceeded"), "error: It is quota_exceeded. (quota_exceeded)\n"],
    [[403, { message: "Forbidden" }] as Answer, /^error: http:.*\/messages answered 403: Forbidden \(forbidden\)\n$/],
    [[301, ""] as Answer, /^error: http:.*\/messages answered 301 \(bad_request\)\n$/],
    [[200, "<html>"] as Answer, /^error: http:.* answered something that is not JSON; is it a Topicast service\?\n$/],
    [problem(400, "bad\u001b[2J_request"), "error: It is bad\\u001b[2J_request. (bad\\u001b[2J_request)\n"],
  ])("gives up at once where it is refused for good: %#", async (answer, stderr) => {
    const service = await serve(answer);
    const exit = await run(["publish", "t", "1", "--topic-url", `${service.url}/prod/`]);

    expect(exit).toMatchObject({ code: 1, stdout: "" });
    expect(exit.stderr).toEqual(typeof stderr === "string" ? stderr : expect.stringMatching(stderr));
    expect(service.requests.map(({ url }) => url)).toEqual(["/prod/topics/t/messages"]);
  });

  it("says how much of a stream was published before it failed", async () => {
    const { url } = await serve(accepted, problem(403, "forbidden"));
    const stdin = Array.from({ length: 150 }, (_, n) => `${n}\n`).join("");

    expect(await run(["publish", "t", "-"], { env: { TOPICAST_URL: url }, stdin })).toEqual({
      code: 1,
      stdout: "",
      stderr: "warning: 100 messages published before this:\nerror: It is forbidden. (forbidden)\n",
    });
  });
});

describe("subscribe", () => {
  it.each([401, 403])("ends at once with one line where the handshake is answered %d", async (status) => {
    const service = await serve([status, { message: "No entry", connectionId: "x", requestId: "y" }]);
    const { code, stderr } = await run(["subscribe", "t"], {
      env: { TOPICAST_URL: service.url, TOPICAST_TOKEN: "tok" },
    });

    expect(code).toBe(1);
    expect(stderr).toBe(
      `error: ${service.url.replace("http", "ws")}/message-topic answered ${status}: No entry (${status === 401 ? "unauthorized" : "forbidden"})\n`,
    );
    expect(service.requests).toMatchObject([{ authorization: "Bearer tok" }]);
  });

  it("can be left while it waits for a service that is unavailable", async () => {
    const { url } = await serve([503, ""]);
    const subscriber = start(["subscribe", "t"], { env: { TOPICAST_URL: url } });
    await subscriber.noted("trying again");
    subscriber.child.kill("SIGINT");

    expect(await subscriber.exit).toMatchObject({ code: 0, stdout: "" });
  });
});

describe("a service that isn't there", () => {
  it.each([[["publish", "t", "1"]], [["subscribe", "t"]], [["apps", "list"]], [["keys", "list", "jam"]]])(
    "is said in one line: %j",
    async (args) => {
      const { url } = await serve(accepted);
      server?.close();
      const { code, stdout, stderr } = await run(args, { env: { TOPICAST_URL: url } });

      expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
      expect(stderr).toMatch(
        /^error: (http|ws):\/\/127\.0\.0\.1:\d+\/\S+ can't be reached: nobody listens there; .*\n$/,
      );
    },
  );
});
