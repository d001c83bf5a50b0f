import { afterAll, beforeAll, expect, it, jest } from "@jest/globals";
import fc from "fast-check";
import { type ContractHost, startContractHost } from "./contract-host.ts";
import { ask, expectDocumentedResponse, openApi, operations } from "./openapi-exchange.ts";
import type { DocumentedOperation } from "./openapi-operations.ts";
import type { Example } from "./openapi-requests.ts";
import { valuesOf } from "./schema-arbitrary.ts";

jest.setTimeout(120_000);

const RUNS = 25;

let host: ContractHost;
beforeAll(async () => {
  host = await startContractHost();
});
afterAll(() => host.close());

/** Whatever it is, as the text of an address. Addresses can't hold `.` and `..`, which say where to go. */
function parametersOf({ parameters }: DocumentedOperation, place: "path" | "query") {
  const those = parameters.filter((parameter) => parameter.in === place);
  const values = those.map(({ name, schema }) => [name, valuesOf(schema, openApi.document).map(String)]);
  const requiredKeys = those.filter(({ required }) => required).map(({ name }) => name);
  return fc
    .record<Record<string, string>>(Object.fromEntries(values), { requiredKeys })
    .filter((texts) => !Object.values(texts).some((text) => text === "." || text === ".."));
}

function bodiesOf({ bodySteps }: DocumentedOperation): fc.Arbitrary<unknown> {
  if (bodySteps === undefined) return fc.constant(undefined);
  const schemaSteps = [...bodySteps, "content", "application/json", "schema"];
  const schema = schemaSteps.reduce((node, step) => node[step], openApi.document);
  return valuesOf(schema, openApi.document).filter((body) => openApi.validator(...schemaSteps)(body) === true);
}

function requestsOf(operation: DocumentedOperation): fc.Arbitrary<Example> {
  return fc.record({
    path: parametersOf(operation, "path"),
    query: parametersOf(operation, "query"),
    // Text that is sent as it is would not be what the schema says.
    body: bodiesOf(operation).map((body) => (body === undefined ? undefined : JSON.stringify(body))),
  });
}

it.each(operations)(
  "$id answers any request of the documented shape as documented, and never with an error of its own",
  (operation) =>
    fc.assert(
      fc.asyncProperty(requestsOf(operation), async (request) => {
        const response = await ask(host, operation, request);
        const text = await expectDocumentedResponse(operation, response);
        expect([response.status, text]).not.toContain(500);
      }),
      { numRuns: RUNS },
    ),
);
