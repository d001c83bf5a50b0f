import { expect } from "@jest/globals";
import type { ContractHost } from "./contract-host.ts";
import { readDocument } from "./document-schemas.ts";
import { type DocumentedOperation, operationsOf } from "./openapi-operations.ts";
import type { Example } from "./openapi-requests.ts";

/** What it says of objects is all that there may be. */
export const openApi = readDocument("openapi", { closed: true });
export const operations = operationsOf(openApi);

/** Asks as the example says. */
export async function ask(
  host: ContractHost,
  operation: DocumentedOperation,
  { path = {}, query = {}, headers = {}, body, key }: Example,
) {
  const filled = operation.path.replace(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(path[name] ?? ""));
  const address = new URL(filled, host.url);
  for (const [name, value] of Object.entries(query)) address.searchParams.set(name, value);
  const own = operation.security === "operatorKey" ? host.keys.operator : host.keys.application;
  return fetch(address, {
    method: operation.method,
    headers: { ...(operation.security && key !== "" && { authorization: `Bearer ${key ?? own}` }), ...headers },
    ...(body !== undefined && { body: typeof body === "string" ? body : JSON.stringify(body) }),
  });
}

/** The response must be one that the document has. Resolves with its body. */
export async function expectDocumentedResponse(operation: DocumentedOperation, response: Response): Promise<string> {
  const text = await response.text();
  const { id } = operation;
  const documented = operation.responses.find(({ status }) => status === response.status);
  expect([id, response.status, text, documented?.status]).toEqual([id, response.status, text, response.status]);
  for (const name of documented?.headers ?? []) expect([id, name, response.headers.get(name)]).not.toContain(null);
  if (documented?.schemaSteps === undefined) {
    expect([id, text]).toEqual([id, ""]);
    return text;
  }
  expect([id, response.headers.get("content-type")]).toEqual([id, documented.contentType]);
  const validate = openApi.validator(...documented.schemaSteps);
  validate(JSON.parse(text));
  expect([id, text, validate.errors]).toEqual([id, text, null]);
  return text;
}
