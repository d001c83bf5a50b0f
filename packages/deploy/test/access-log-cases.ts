import { describe, expect, it } from "@jest/globals";
import { ALL_STACKS, type Packaged } from "./packaged.ts";

/** What may stand in a line: nothing that a client or backend wrote, but for a route that we named. */
const HARMLESS = new Set([
  "$context.requestTime",
  "$context.requestId",
  "$context.identity.sourceIp",
  "$context.routeKey",
  "$context.eventType",
  "$context.connectionId",
  "$context.status",
  "$context.responseLatency",
  "$context.responseLength",
]);

/** Throws where it isn't JSON once API Gateway has filled it in. */
function variablesOf(format: string): string[] {
  return Object.values(JSON.parse(format) as Record<string, string>);
}

export function expectHarmless(format: string): void {
  expect(variablesOf(format).filter((variable) => !HARMLESS.has(variable))).toEqual([]);
}

/** What API Gateway writes down of each request. */
export function describeAccessLogs(packaged: () => Packaged): void {
  describe.each(ALL_STACKS)("the access log of $service", ({ service }) => {
    it("has no query string, no header and no path", async () => {
      const stack = await packaged().template(service);
      const { Format, DestinationArn } = stack.resources.HttpApiStage?.Properties.AccessLogSettings ?? {};
      expect(DestinationArn).toEqual({ "Fn::GetAtt": ["HttpApiLogGroup", "Arn"] });
      expectHarmless(Format);
    });
  });
}
