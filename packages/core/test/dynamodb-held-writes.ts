import type { DynamoDBClient, PutItemCommandInput } from "@aws-sdk/client-dynamodb";
import type { HeldWrite } from "@topicast/testing";
import { createGate, type Gate } from "./gate.ts";

/** Stops a client's writes of messages where a test asks for it, as a publisher may be late or die; returns how to ask. */
export function holdWrites(client: DynamoDBClient): () => HeldWrite {
  const gates: Gate[] = [];
  client.middlewareStack.add(
    (next, { commandName }) =>
      async (args) => {
        const isMessage = commandName === "PutItemCommand" && (args.input as PutItemCommandInput).Item?.m !== undefined;
        if (isMessage) await gates.shift()?.pass();
        return next(args);
      },
    { step: "initialize", name: "holdWrites" },
  );
  return () => {
    const gate = createGate();
    gates.push(gate);
    return gate;
  };
}
