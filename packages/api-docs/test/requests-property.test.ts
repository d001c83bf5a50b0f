import { describe, expect, it } from "@jest/globals";
import { type Fault, parseHttpPublish, parseHttpPublishMany, parseRequest, parseTopic } from "@topicast/protocol";
import fc from "fast-check";
import { hostileText, manyText, requestText, topic } from "../../protocol/test/arbitraries.ts";
import { readDocument } from "./document-schemas.ts";

const asyncApi = readDocument("asyncapi");
const openApi = readDocument("openapi");

const ACTIONS = {
  subscribe: "Subscribe",
  unsubscribe: "Unsubscribe",
  publish: "Publish",
  history: "History",
  ping: "Ping",
};
/** Of what can't be said by JSON Schema: bytes, levels, numbers beyond a double, and normal forms. */
const BEYOND = /nests deeper|beyond 1\.8e308|NFC/;

function isBeyond({ code, message }: Fault): boolean {
  return code === "payload_too_large" || BEYOND.test(message);
}

/** The document accepts what the service does; what the service refuses nevertheless is of the kinds named above. */
function expectSame(accepted: boolean, parsed: { readonly ok: true } | { readonly ok: false; readonly fault: Fault }) {
  if (parsed.ok) expect(accepted).toBe(true);
  else if (!isBeyond(parsed.fault)) expect([accepted, parsed.fault]).toEqual([false, parsed.fault]);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** What isn't JSON is none of a schema's business. */
function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

describe("the documents and the services take the same", () => {
  it("names of topics", () => {
    const isTopic = openApi.validator("components", "schemas", "Topic");
    const near = fc.array(fc.oneof(topic, fc.constantFrom("/", "//", ".", "..", "messages", "/messages", "$", " ")), {
      maxLength: 4,
    });
    fc.assert(
      fc.property(
        fc.oneof(
          hostileText,
          topic,
          near.map((parts) => parts.join("")),
        ),
        (name) => {
          expectSame(isTopic(name), parseTopic(name));
        },
      ),
      { numRuns: 2_000 },
    );
  });

  it("frames", () => {
    fc.assert(
      fc.property(requestText, (text) => {
        const request = jsonOf(text);
        if (!isObject(request) || !Object.hasOwn(ACTIONS, String(request.action))) return;
        const name = ACTIONS[request.action as keyof typeof ACTIONS];
        expectSame(asyncApi.validator("components", "schemas", `${name}Request`)(request), parseRequest(text));
      }),
      { numRuns: 5_000 },
    );
  });

  it("bodies of publishes over HTTP", () => {
    const isPublish = openApi.validator("components", "schemas", "Publish");
    fc.assert(
      fc.property(requestText, (text) => expectSame(isPublish(jsonOf(text)), parseHttpPublish("room", text))),
      { numRuns: 2_000 },
    );
  });

  it("bodies of publishes to several topics", () => {
    const isPublishMany = openApi.validator("components", "schemas", "PublishMany");
    fc.assert(
      fc.property(manyText, (text) => {
        const parsed = parseHttpPublishMany(text);
        // Each has a result of its own; the document says how one must be that doesn't fail.
        const refused = parsed.ok ? parsed.value.find((message) => !message.ok) : undefined;
        expectSame(isPublishMany(jsonOf(text)), refused ?? parsed);
      }),
      { numRuns: 1_000 },
    );
  });
});
