import type { HostFaults } from "../faults.ts";
import { type AwsObject, createRefusal, parseOutput, withOutput } from "./aws-json.ts";
import type { WireMeter } from "./counts.ts";
import type { HttpAnswer } from "./http-client.ts";
import type { AnswerExchange, Exchange } from "./proxy.ts";

export interface StoreExchangeOptions {
  readonly faults: HostFaults;
  readonly meter: WireMeter;
}

const ERRORS = "com.amazonaws.dynamodb.v20120810#";

/** What a table on demand answers; a provisioned one names `ProvisionedThroughputExceededException`. */
const THROTTLED =
  "Throughput exceeds the current capacity of your table or index. DynamoDB is automatically scaling your table or index so please try again shortly. If exceptions persist, check if you have a hot key: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/bp-partition-key-design.html";

/** What the operations that DynamoDB charges consume. */
const UNITS: Readonly<Record<string, "readUnits" | "writeUnits">> = {
  GetItem: "readUnits",
  BatchGetItem: "readUnits",
  Query: "readUnits",
  Scan: "readUnits",
  PutItem: "writeUnits",
  UpdateItem: "writeUnits",
  DeleteItem: "writeUnits",
  BatchWriteItem: "writeUnits",
};

/** Requests to DynamoDB: counted, and spoiled where a test says so. */
export function createStoreExchange({ faults, meter }: StoreExchangeOptions): AnswerExchange {
  return async (exchange) => {
    const { operation, input } = exchange;
    meter.countStoreRequest(operation);
    const fault = await faults.store?.(operation, input);
    if (fault === "hang") return fault;
    if (fault === "throttle") return createRefusal(400, `${ERRORS}ThrottlingException`, THROTTLED);
    if (fault === "fail") return createRefusal(500, `${ERRORS}InternalServerError`, "Internal server error");
    const answer = await forwardMetered(exchange, meter);
    return fault === "dropAnswer" ? "drop" : answer;
  };
}

/** Asks for the consumed capacity where the client doesn't, and keeps it from the client then. */
async function forwardMetered({ operation, input, forward }: Exchange, meter: WireMeter): Promise<HttpAnswer> {
  const kind = UNITS[operation];
  if (kind === undefined) return forward(input);
  const { ReturnConsumedCapacity: asked = "NONE" } = input;
  const answer = await forward(asked === "NONE" ? { ...input, ReturnConsumedCapacity: "TOTAL" } : input);
  const { ConsumedCapacity, ...output } = parseOutput(answer);
  if (answer.status === 200) meter.countUnits(kind, Math.max(unitsOf(ConsumedCapacity), leastUnits(operation, input)));
  else if (isConditionFailed(output)) meter.countUnits(kind, 1);
  return answer.status === 200 && asked === "NONE" ? withOutput(answer, output) : answer;
}

/** The emulator asks nothing for an empty page; DynamoDB asks what it does for an item of no bytes. */
function leastUnits(operation: string, { ConsistentRead }: AwsObject): number {
  if (operation !== "Query" && operation !== "Scan") return 0;
  return ConsistentRead === true ? 1 : 0.5;
}

/** An object, or one for each table in batches. */
function unitsOf(consumed: unknown): number {
  const all = [consumed ?? []].flat() as { readonly CapacityUnits: number }[];
  return all.reduce((sum, { CapacityUnits }) => sum + CapacityUnits, 0);
}

function isConditionFailed({ __type }: AwsObject): boolean {
  return __type === `${ERRORS}ConditionalCheckFailedException`;
}
