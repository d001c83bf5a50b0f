import { type Document, type Documented, stepsOf } from "./document-schemas.ts";

export interface DocumentedOperation {
  readonly id: string;
  readonly method: string;
  readonly path: string;
  /** The security scheme; none where anyone may ask. */
  readonly security?: "applicationKey" | "operatorKey";
  readonly parameters: readonly Document[];
  readonly responses: readonly DocumentedResponse[];
  /** The steps to its `requestBody`, where it has one. */
  readonly bodySteps?: readonly string[];
}

export interface DocumentedResponse {
  readonly status: number;
  /** Of problems. */
  readonly codes: readonly string[];
  readonly headers: readonly string[];
  /** The one content type, and the steps to its schema; absent where there is no body. */
  readonly contentType?: string;
  readonly schemaSteps?: readonly string[];
}

/** Every operation of openapi.yaml. */
export function operationsOf({ document }: Documented): DocumentedOperation[] {
  return Object.entries<Document>(document.paths).flatMap(([path, methods]) =>
    Object.entries<Document>(methods).map(([method, operation]) => {
      const steps = ["paths", path, method];
      return {
        id: operation.operationId,
        method: method.toUpperCase(),
        path,
        ...(operation.security[0] && {
          security: Object.keys(operation.security[0])[0] as "applicationKey" | "operatorKey",
        }),
        parameters: (operation.parameters ?? []).map(({ $ref }: Document) => lookUp(document, stepsOf($ref))),
        responses: Object.keys(operation.responses).map((status) =>
          responseOf(document, [...steps, "responses", status], Number(status)),
        ),
        ...(operation.requestBody && { bodySteps: [...steps, "requestBody"] }),
      };
    }),
  );
}

function responseOf(document: Document, steps: readonly string[], status: number): DocumentedResponse {
  const found = lookUp(document, steps);
  if (found.$ref !== undefined) return responseOf(document, stepsOf(found.$ref), status);
  const [contentType] = Object.keys(found.content ?? {});
  const headers = Object.keys(found.headers);
  if (contentType === undefined) return { status, codes: [], headers };
  const codes: string[] = found.content[contentType].schema.allOf?.[1].properties.code.enum ?? [];
  return { status, codes, headers, contentType, schemaSteps: [...steps, "content", contentType, "schema"] };
}

function lookUp(document: Document, steps: readonly string[]): Document {
  return steps.reduce((node, step) => node[step], document);
}
