import { randomUUID } from "node:crypto";
import { isJsonObject, type Json, type JsonObject, MAX_NAME_LENGTH, parseTopic } from "@topicast/protocol";
import { Command } from "commander";
import { CommandError, usageError } from "../command-error.ts";
import { examples, jsonOption } from "../command-help.ts";
import {
  type ConnectionOptions,
  keyOption,
  parseSecret,
  SECRETS_HELP,
  topicUrlOf,
  topicUrlOption,
  urlOption,
} from "../connection-options.ts";
import { request } from "../http.ts";
import { parsePayload, readBatches } from "../payloads.ts";
import { withRetries } from "../retries.ts";
import type { Terminal } from "../terminal.ts";

interface PublishOptions extends ConnectionOptions {
  readonly from?: string;
  readonly idempotencyKey?: string;
  readonly ephemeral?: true;
  readonly json?: true;
}

/** What follows the key of a batch: `:` and its number. */
const MAX_SUFFIX_LENGTH = 12;

export function publishCommand(terminal: Terminal): Command {
  return new Command("publish")
    .argument("<topic>", "the topic")
    .argument(
      "<payload>",
      "JSON, or any other text, which is sent as a string; - reads messages from stdin, one a line",
    )
    .summary("Publish a message, or a stream of them")
    .description("Publishes a message, or a stream of them. It returns when they are safely with the service.")
    .option("--from <name>", "in whose name")
    .option("--idempotency-key <key>", "who repeats this publish with it within five minutes publishes nothing twice")
    .option("--ephemeral", "sent at most once, without number and history")
    .addOption(jsonOption("print {topic, epoch, seq, count}"))
    .addOption(urlOption())
    .addOption(topicUrlOption())
    .addOption(keyOption())
    .addHelpText(
      "after",
      `
What the service can't do now is tried again, always with an idempotency key, so that nothing is doubled.
With - the lines are sent in batches as they come, each applied whole or not at all.
${SECRETS_HELP}
${examples(
  "topicast publish room/1 'hello there'",
  `topicast publish room/1 '{"x":1}' --from alice`,
  "topicast publish orders '{\"id\":17}' --idempotency-key order-17",
  "tail -f app.log | topicast publish logs -",
  "topicast publish room/1 - < messages.jsonl",
)}`,
    )
    .action((topic: string, payload: string, options: PublishOptions) => run(terminal, topic, payload, options));
}

async function run(terminal: Terminal, name: string, payload: string, options: PublishOptions): Promise<void> {
  const topic = parseTopic(name);
  if (!topic.ok) throw usageError(topic.fault.message);
  const publish = createPublish(terminal, topic.value, options);
  const published = payload === "-" ? publishLines(terminal, publish, options) : publishOne(publish, payload, options);
  report(terminal, topic.value, await published, options);
}

/** `answer` is undefined where there was nothing to publish. */
interface Published {
  readonly answer: JsonObject | undefined;
  readonly count: number;
}

type Publish = (payloads: readonly Json[], key: string) => Promise<JsonObject>;

function createPublish(terminal: Terminal, topic: string, options: PublishOptions): Publish {
  const path = topic.split("/").map(encodeURIComponent).join("/");
  const url = `${topicUrlOf(options)}/topics/${path}/messages`;
  const key = parseSecret(options.key, "--key");
  const { from, ephemeral } = options;
  const fields = { ...(from !== undefined && { from }), ...(ephemeral && { ephemeral }) };
  return async (payloads, idempotencyKey) => {
    const body = { payloads, key: idempotencyKey, ...fields };
    const answer = await withRetries(() => request({ method: "POST", url, key, body }), {
      onRetry: ({ message }, delayMs) =>
        terminal.note(`${message}; trying again in ${(delayMs / 1_000).toFixed(1)} s.`),
    });
    return answer !== undefined && isJsonObject(answer) ? answer : {};
  };
}

async function publishOne(publish: Publish, text: string, { idempotencyKey }: PublishOptions): Promise<Published> {
  return { answer: await publish([parsePayload(text, "The payload")], idempotencyKey ?? randomUUID()), count: 1 };
}

async function publishLines(
  { stdin, warn }: Terminal,
  publish: Publish,
  { idempotencyKey }: PublishOptions,
): Promise<Published> {
  if (idempotencyKey !== undefined && idempotencyKey.length > MAX_NAME_LENGTH - MAX_SUFFIX_LENGTH) {
    throw usageError(`With - an idempotency key has at most ${MAX_NAME_LENGTH - MAX_SUFFIX_LENGTH} characters.`);
  }
  let answer: JsonObject | undefined;
  let count = 0;
  let batches = 0;
  try {
    // A repeat of the whole publish must make the same batches, or their keys would stand for others.
    for await (const batch of readBatches(stdin.setEncoding("utf8"), { areFixed: idempotencyKey !== undefined })) {
      batches += 1;
      answer = await publish(batch, idempotencyKey === undefined ? randomUUID() : `${idempotencyKey}:${batches}`);
      count += batch.length;
    }
  } catch (error) {
    if (error instanceof CommandError) warn(`${counted(count)} published before this:`);
    throw error;
  }
  return { answer, count };
}

function report(terminal: Terminal, topic: string, { answer, count }: Published, { json }: PublishOptions): void {
  const { epoch, seq } = answer ?? {};
  const place = epoch === undefined || seq === undefined ? "" : `, ${count === 1 ? "at" : "up to"} ${epoch}:${seq}`;
  const line = `${counted(count)} published to ${topic}${place}`;
  terminal.print(json ? JSON.stringify({ topic, ...answer, count }) : line);
}

function counted(count: number): string {
  return count === 1 ? "1 message" : `${count} messages`;
}
