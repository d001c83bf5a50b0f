import type { EntryRefusal, HostFaults } from "../faults.ts";
import { type AwsObject, createAnswer, createRefusal, parseOutput, withOutput } from "./aws-json.ts";
import type { WireMeter } from "./counts.ts";
import type { HttpAnswer } from "./http-client.ts";
import type { AnswerExchange, Exchange } from "./proxy.ts";

export interface QueueExchangeOptions {
  readonly faults: HostFaults;
  readonly meter: WireMeter;
  /** What the emulator's own queue addresses begin with; no client can reach them. */
  readonly emulatorOrigin: string;
}

/** Requests to SQS: counted, and spoiled where a test says so. */
export function createQueueExchange({ faults, meter, emulatorOrigin }: QueueExchangeOptions): AnswerExchange {
  return async (exchange) => {
    const { operation, input } = exchange;
    const fault = await faults.queue?.(operation, input);
    const answer = fault === "hang" ? fault : await answerOf(readdress(exchange, emulatorOrigin), fault);
    const answerBytes = answer === "hang" ? 0 : answer.body.length;
    meter.countQueueRequest(operation, Math.max(Buffer.byteLength(JSON.stringify(input)), answerBytes));
    return fault === "dropAnswer" ? "drop" : answer;
  };
}

const INTERNAL_ERROR = { code: "InternalError", message: "We encountered an internal error. Please try again." };

function answerOf(
  exchange: Exchange,
  fault: "throttle" | "fail" | "dropAnswer" | EntryRefusal | undefined,
): HttpAnswer | Promise<HttpAnswer> {
  if (fault === "throttle") return refuse(403, "RequestThrottled", "Request is throttled.", "Sender");
  if (fault === "fail") return refuse(500, INTERNAL_ERROR.code, INTERNAL_ERROR.message, "Receiver");
  return forwardKept(exchange, typeof fault === "object" ? fault.refuseEntries : []);
}

function refuse(status: number, code: string, message: string, culprit: "Sender" | "Receiver"): HttpAnswer {
  // Beside the error's name SQS sends its code in the query protocol, which SDKs spoke before.
  return createRefusal(status, `com.amazonaws.sqs#${code}`, message, { "x-amzn-query-error": `${code};${culprit}` });
}

const ANSWERS_WITH_ADDRESSES: ReadonlySet<string> = new Set(["CreateQueue", "GetQueueUrl", "ListQueues"]);

/** The emulator finds a queue only by an address of its own. */
function readdress(exchange: Exchange, emulatorOrigin: string): Exchange {
  return {
    ...exchange,
    async forward(input) {
      const { QueueUrl: url } = input;
      const readdressed = typeof url === "string" && URL.canParse(url);
      const answer = await exchange.forward(
        readdressed ? { ...input, QueueUrl: emulatorOrigin + new URL(url).pathname } : input,
      );
      if (!ANSWERS_WITH_ADDRESSES.has(exchange.operation)) return answer;
      return { ...answer, body: Buffer.from(answer.body.toString().replaceAll(emulatorOrigin, exchange.origin)) };
    },
  };
}

/** Passes a request on without the entries that are refused, and answers for these itself. */
async function forwardKept(
  { operation, input, forward }: Exchange,
  refusedIds: readonly string[],
): Promise<HttpAnswer> {
  if (!operation.endsWith("Batch")) return forward(input);
  const entries = (input.Entries ?? []) as readonly { readonly Id: string }[];
  const kept = entries.filter(({ Id }) => !refusedIds.includes(Id));
  const refused = entries.filter((entry) => !kept.includes(entry)).map(({ Id }) => ({ Id, ...ENTRY_FAULT }));
  // An empty batch would be refused.
  const nothingKept = kept.length === 0 && refused.length > 0;
  const answer = nothingKept ? createAnswer(200, {}) : await forward({ ...input, Entries: kept });
  if (answer.status !== 200) return answer;
  const { Successful = [], Failed = [] } = parseOutput(answer) as BatchOutput;
  return withOutput(answer, withoutEmptyLists({ Successful, Failed: [...Failed, ...refused] }));
}

interface BatchOutput {
  readonly Successful?: readonly object[];
  readonly Failed?: readonly object[];
}

const ENTRY_FAULT = { Code: INTERNAL_ERROR.code, Message: INTERNAL_ERROR.message, SenderFault: false };

/** SQS leaves an empty list out, where the emulator sends it. */
function withoutEmptyLists(output: BatchOutput): AwsObject {
  return Object.fromEntries(Object.entries(output).filter(([, list]) => list.length > 0));
}
