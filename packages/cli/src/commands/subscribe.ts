import { MAX_SUBSCRIBE_LAST, type Message, type Place, parseSince, parseTopic } from "@topicast/protocol";
import { Command, Option } from "commander";
import { CommandError, refusal, usageError } from "../command-error.ts";
import { examples, jsonOption } from "../command-help.ts";
import {
  type ConnectionOptions,
  keyOption,
  parseSecret,
  SECRETS_HELP,
  socketUrlOf,
  socketUrlOption,
  tokenOption,
  urlOption,
} from "../connection-options.ts";
import { createFeed, type Happening } from "../feed.ts";
import { follow } from "../follow.ts";
import { mint } from "../mint.ts";
import { wholeNumber } from "../option-parsers.ts";
import { printable, type Terminal } from "../terminal.ts";
import type { Start } from "../topic-feed.ts";

interface SubscribeOptions extends ConnectionOptions {
  readonly last?: number;
  readonly since?: Place;
  readonly count?: number;
  readonly json?: true;
}

/** A token that it makes itself is made anew for each connection. */
const TOKEN_LIFE_MS = 3_600_000;
/** A service that doesn't answer holds up nobody who wants to leave. */
const EXIT_AFTER_MS = 2_000;

export function subscribeCommand(terminal: Terminal): Command {
  return new Command("subscribe")
    .argument("<topic...>", "the topics")
    .summary("Print messages as they come")
    .description(
      "Prints messages as they come, each once and in order. It comes back by itself when the connection is lost, and gets what it missed. Ctrl-C ends it.",
    )
    .addOption(
      new Option("--last <number>", "begin with so many of the newest messages of each topic")
        .argParser(wholeNumber(1, MAX_SUBSCRIBE_LAST))
        .conflicts("since"),
    )
    .addOption(
      new Option("--since <epoch:seq>", "begin with what came after this place (one topic only)").argParser(parsePlace),
    )
    .addOption(
      new Option("--count <number>", "end after so many messages").argParser(wholeNumber(1, Number.MAX_SAFE_INTEGER)),
    )
    .addOption(jsonOption("print JSON lines, as in a pipe"))
    .addOption(urlOption())
    .addOption(socketUrlOption())
    .addOption(tokenOption())
    .addOption(keyOption())
    .addHelpText(
      "after",
      `
With a key and no token it makes itself a token for these topics.
In a pipe or with --json each message is a line {"topic","epoch","seq","payload","from","time"}; --since takes its epoch and seq.
${SECRETS_HELP}
${examples(
  "topicast subscribe room/1",
  "topicast subscribe room/1 room/2 --last 10",
  "topicast subscribe room/1 --since 65k1upim:17",
  "topicast subscribe orders --json | jq .payload",
  "topicast subscribe jobs/17 --count 1 && echo done",
)}`,
    )
    .action((topics: string[], options: SubscribeOptions) => run(terminal, topics, options));
}

function parsePlace(text: string): Place {
  const place = parseSince(text);
  if (place.ok) return place.value;
  throw usageError("--since must be the epoch and seq of the last message that came, such as 65k1upim:17.");
}

async function run(terminal: Terminal, names: string[], options: SubscribeOptions): Promise<void> {
  const topics = [...new Set(names)];
  for (const topic of topics) {
    const parsed = parseTopic(topic);
    if (!parsed.ok) throw usageError(parsed.fault.message);
  }
  if (options.since !== undefined && topics.length > 1) {
    throw usageError("--since is a place in one topic; subscribe to one, or use --last.");
  }
  const leaving = new AbortController();
  const leave = () => {
    leaving.abort();
    setTimeout(() => process.exit(0), EXIT_AFTER_MS).unref();
  };
  process.once("SIGINT", leave);
  process.once("SIGTERM", leave);
  await follow({
    url: socketUrlOf(options),
    feed: createFeed({ topics, start: startOf(options) }),
    token: tokenSource(options, topics),
    onHappening: createReporter(terminal, topics, options),
    note: terminal.note,
    signal: leaving.signal,
  });
}

function startOf({ since, last }: SubscribeOptions): Start {
  if (since !== undefined) return { since };
  return last === undefined ? {} : { last };
}

function tokenSource(options: SubscribeOptions, topics: readonly string[]) {
  const token = parseSecret(options.token, "--token");
  const key = parseSecret(options.key, "--key");
  const cap = Object.fromEntries(topics.map((topic) => [topic, ["subscribe", "history"]]));
  return async () => {
    if (token !== undefined || key === undefined) return token;
    return mint({ key, sub: "topicast-cli", cap, lifetimeMs: TOKEN_LIFE_MS });
  };
}

function createReporter(terminal: Terminal, topics: readonly string[], { count = Infinity, json }: SubscribeOptions) {
  const print = terminal.isWatched && !json ? printPretty : printJson;
  const following = new Set(topics);
  const greeted = new Set<string>();
  let printed = 0;

  function printAll({ topic, epoch, messages }: Extract<Happening, { kind: "messages" }>) {
    for (const message of messages) {
      if (printed === count) break;
      print(terminal, topic, epoch, message);
      printed += 1;
    }
    return printed === count ? "enough" : "more";
  }

  return (happening: Happening): "enough" | "more" => {
    switch (happening.kind) {
      case "messages":
        return printAll(happening);
      case "subscribed":
        if (!greeted.has(happening.topic)) terminal.note(`Subscribed to ${happening.topic}.`);
        greeted.add(happening.topic);
        return "more";
      case "lost":
        terminal.warn(lostLine(happening));
        return "more";
      case "refused":
        throw refusal(happening.fault);
      case "ended":
        following.delete(happening.topic ?? "");
        if (happening.topic !== undefined && following.size > 0) {
          terminal.warn(`The service ended the subscription to ${happening.topic}: ${happening.reason}.`);
          return "more";
        }
        throw new CommandError(`The service ended this ${happening.topic ? "subscription" : "connection"}`, {
          code: happening.reason,
        });
      default:
        return "more";
    }
  };
}

function lostLine({ topic, after, place }: Extract<Happening, { kind: "lost" }>): string {
  const from = `${after.epoch}:${after.seq}`;
  return `Messages of ${topic} after ${from} are lost: history holds them no more. It goes on after ${place.epoch}:${place.seq}.`;
}

function printJson(terminal: Terminal, topic: string, epoch: string | undefined, message: Message): void {
  const place = message.seq === undefined ? {} : { epoch, seq: message.seq };
  terminal.print(JSON.stringify({ topic, ...place, ...message }));
}

function printPretty({ colors, print }: Terminal, topic: string, _epoch: string | undefined, message: Message): void {
  const { payload, from = "–", time } = message;
  const at = new Date(time).toTimeString().slice(0, 8);
  print(
    `${colors.dim(at)}  ${colors.cyan(topic)}  ${colors.green(printable(from))}  ${printable(JSON.stringify(payload))}`,
  );
}
