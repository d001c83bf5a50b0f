import { afterAll, beforeAll, describe, expect, it, jest } from "@jest/globals";
import { UnavailableError } from "@topicast/core";
import { CODES, type ErrorCode } from "@topicast/protocol";
import { type ContractHost, type Failure, startContractHost } from "./contract-host.ts";
import { ask, expectDocumentedResponse, openApi, operations } from "./openapi-exchange.ts";
import type { DocumentedOperation } from "./openapi-operations.ts";
import { EXAMPLES, type Example } from "./openapi-requests.ts";

jest.setTimeout(60_000);

let host: ContractHost;
beforeAll(async () => {
  host = await startContractHost();
});
afterAll(() => host.close());

/** As `publish 400 bad_request`. */
const exercised = new Set<string>();

let strangers = 0;

/** The response must be one that the document has, with the code that the example expects. */
async function expectDocumented(operation: DocumentedOperation, response: Response, code?: ErrorCode): Promise<void> {
  const { id } = operation;
  const text = await expectDocumentedResponse(operation, response);
  const status = code === undefined ? `${response.status}` : `${CODES[code].status} ${code}`;
  if (code !== undefined) expect([id, JSON.parse(text).code]).toEqual([id, code]);
  else expect([id, text, response.ok]).toEqual([id, text, true]);
  exercised.add(`${id} ${status}`);
}

/** What is sent must be as the document says, where it is to succeed. */
function expectDocumentedRequest({ id, parameters, bodySteps }: DocumentedOperation, example: Example): void {
  const { path = {}, query = {}, headers = {}, body } = example;
  const sent = { path, query, header: headers } as const;
  const names = parameters.map(({ name, in: place }) => `${place} ${name}`);
  for (const [place, values] of Object.entries(sent)) {
    for (const name of Object.keys(values))
      expect([id, names]).toEqual([id, expect.arrayContaining([`${place} ${name}`])]);
  }
  if (bodySteps === undefined) expect([id, body]).toEqual([id, undefined]);
  else if (typeof body !== "string") {
    const validate = openApi.validator(...bodySteps, "content", "application/json", "schema");
    validate(body);
    expect([id, validate.errors]).toEqual([id, null]);
  }
}

describe.each(operations)("$id", (operation) => {
  const examplesOf = async () => (await EXAMPLES[operation.id]?.(host)) ?? [];
  async function firstExample(): Promise<Example> {
    const [first] = await examplesOf();
    if (first === undefined) throw new Error(`openapi-requests.ts has no example of ${operation.id}`);
    return first;
  }

  it("answers as documented", async () => {
    for (const example of await examplesOf()) {
      if (example.code === undefined && !example.isUndocumented) expectDocumentedRequest(operation, example);
      await expectDocumented(operation, await ask(host, operation, example), example.code);
    }
  });

  it("refuses pages of a foreign origin", async () => {
    const { headers, ...example } = await firstExample();
    const foreign = { ...example, headers: { ...headers, origin: "https://elsewhere.example" } };
    await expectDocumented(operation, await ask(host, operation, foreign), "forbidden");
  });

  if (operation.security !== undefined) {
    it("refuses who has no key", async () => {
      await expectDocumented(
        operation,
        await ask(host, operation, { ...(await firstExample()), key: "" }),
        "unauthorized",
      );
    });
  }

  it.each(["unavailable", "internal"] as const)("says so where a store is %s", async (code) => {
    const example = await firstExample();
    if (!operation.responses.some(({ codes }) => codes.includes(code))) return;
    const error = code === "unavailable" ? new UnavailableError("store", "down") : new Error("a mistake");
    const hasConnections = operation.security === undefined && !operation.path.startsWith("/applications/");
    const failure: Failure = { port: hasConnections ? "connections" : "apps", error };
    // A key that was looked up is remembered for a while.
    strangers += 1;
    const stranger = operation.security === "applicationKey" && { key: `stranger-${strangers}.k1:${"s".repeat(43)}` };
    const failing = { ...example, ...stranger };
    const response = await host.whileFailing(failure, () => ask(host, operation, failing));
    await expectDocumented(operation, response, code);
  });
});

it("everything that is documented was seen", () => {
  const documented = operations.flatMap(({ id, responses }) =>
    responses.flatMap(({ status, codes }) =>
      codes.length === 0 ? [`${id} ${status}`] : codes.map((code) => `${id} ${status} ${code}`),
    ),
  );
  expect([...exercised].sort()).toEqual(documented.sort());
});
