import type { DynamoDBClient, PutItemCommandInput } from "@aws-sdk/client-dynamodb";
import type { HeldWrite, TopicLogHarness } from "@topicast/testing";
import { createGate, type Gate } from "./gate.ts";

/** Stops a client's writes of idempotency keys and of messages where a test asks for it, as a publisher may be late or die. */
export function holdWrites(client: DynamoDBClient): Pick<TopicLogHarness, "holdNextKey" | "holdNextWrite"> {
  const keys: Gate[] = [];
  const messages: Gate[] = [];
  client.middlewareStack.add(
    (next, { commandName }) =>
      async (args) => {
        const { Item } = args.input as PutItemCommandInput;
        if (commandName === "PutItemCommand" && Item?.s?.S === "append") await keys.shift()?.pass();
        if (commandName === "PutItemCommand" && Item?.m !== undefined) await messages.shift()?.pass();
        return next(args);
      },
    { step: "initialize", name: "holdWrites" },
  );
  return { holdNextKey: () => hold(keys), holdNextWrite: () => hold(messages) };
}

function hold(gates: Gate[]): HeldWrite {
  const gate = createGate();
  gates.push(gate);
  return gate;
}
