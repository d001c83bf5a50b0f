/** What DynamoDB bills. */
export interface CapacityUnits {
  readonly read: number;
  readonly write: number;
}

export interface CapacityMeter {
  /** Runs something and says what it consumed, by the answers that came. Runs don't overlap. */
  measure(run: () => Promise<unknown>): Promise<CapacityUnits>;
}

type Call = (args: { readonly input: object }) => Promise<{ output: object }>;

/** As much of a `DynamoDBClient` as it takes, so that this package needs no SDK. */
interface MeteredClient {
  readonly middlewareStack: {
    add(
      middleware: (next: Call, context: { readonly commandName?: string }) => Call,
      options: { readonly step: "initialize"; readonly name: string },
    ): void;
  };
}

interface Consumed {
  readonly CapacityUnits?: number;
}

const READS = new Set(["GetItemCommand", "BatchGetItemCommand", "QueryCommand", "ScanCommand"]);

/** Counts the capacity units that a client's calls consume: it asks DynamoDB to say them with every answer. */
export function meterCapacity(client: MeteredClient): CapacityMeter {
  let read = 0;
  let write = 0;

  function add(commandName: string, units: number): void {
    if (READS.has(commandName)) read += units;
    else write += units;
  }

  client.middlewareStack.add(
    (next, { commandName = "" }) =>
      async (args) => {
        try {
          const answer = await next({ ...args, input: { ...args.input, ReturnConsumedCapacity: "TOTAL" } });
          add(commandName, unitsOf(answer.output));
          return answer;
        } catch (error) {
          // A write whose condition doesn't hold is billed, and its answer doesn't say so. Ours are of rows below 1 KB.
          if (error instanceof Error && error.name === "ConditionalCheckFailedException") add(commandName, 1);
          throw error;
        }
      },
    { step: "initialize", name: "meterCapacity" },
  );

  return {
    async measure(run) {
      [read, write] = [0, 0];
      await run();
      return { read, write };
    },
  };
}

function unitsOf(output: object): number {
  const { ConsumedCapacity } = output as { ConsumedCapacity?: Consumed | readonly Consumed[] };
  if (ConsumedCapacity === undefined) throw new Error("DynamoDB didn't say what a call consumed.");
  return [ConsumedCapacity].flat().reduce((sum, { CapacityUnits = 0 }) => sum + CapacityUnits, 0);
}
