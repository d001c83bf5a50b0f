import { isJsonObject, type JsonObject, parseJson } from "@topicast/protocol";
import { Command, Option } from "commander";
import { usageError } from "../command-error.ts";
import { examples, jsonOption } from "../command-help.ts";
import { type ConnectionOptions, keyOption, parseSecret, SECRETS_HELP } from "../connection-options.ts";
import { mint } from "../mint.ts";
import { commaList, parseDuration } from "../option-parsers.ts";
import type { Terminal } from "../terminal.ts";

interface TokenOptions extends ConnectionOptions {
  readonly sub: string;
  readonly cap?: string;
  readonly can?: readonly string[];
  readonly topic?: readonly string[];
  readonly expires: number;
  readonly json?: true;
}

const DEFAULT_LIFE_MS = 3_600_000;

export function tokenCommand(terminal: Terminal): Command {
  return new Command("token")
    .summary("Make a connection token for a client")
    .description("Makes a connection token for a client, signed with the application's key. Nothing is sent anywhere.")
    .requiredOption("--sub <name>", "whom it is for; others see this as `from`")
    .addOption(
      new Option("--cap <json>", "what it may do: a JSON object from topic patterns to operations").conflicts([
        "can",
        "topic",
      ]),
    )
    .addOption(
      new Option("--can <operations>", "shorter: subscribe, publish, history, presence, with commas").argParser(
        commaList,
      ),
    )
    .option("--topic <pattern...>", "where --can holds (default: *, everywhere)")
    .addOption(
      new Option("--expires <duration>", "how long it is good, such as 15m")
        .argParser(parseDuration)
        .default(DEFAULT_LIFE_MS, "1h"),
    )
    .addOption(keyOption())
    .addOption(jsonOption("print {token, sub, cap, expiresAt}"))
    .addHelpText(
      "after",
      `
Without --cap and --can the token may connect and do nothing. A token can do no more than the key that signs it.
${SECRETS_HELP}
${examples(
  `topicast token --sub alice --cap '{"room/*":["subscribe","publish"]}'`,
  "topicast token --sub alice --can subscribe,publish --topic 'room/*' --expires 15m",
  "TOPICAST_TOKEN=$(topicast token --sub bob --can subscribe) topicast subscribe room/1",
)}`,
    )
    .action((options: TokenOptions) => run(terminal, options));
}

async function run(terminal: Terminal, options: TokenOptions): Promise<void> {
  const { sub, expires, json } = options;
  const key = parseSecret(options.key, "--key");
  if (key === undefined) throw usageError("A token is signed with a key: set TOPICAST_KEY, or give --key.");
  const cap = capOf(options);
  const token = await mint({ key, sub, lifetimeMs: expires, ...(cap !== undefined && { cap }) });
  terminal.print(json ? JSON.stringify({ token, sub, ...(cap && { cap }), expiresAt: expiryOf(token) }) : token);
}

function capOf({ cap, can, topic }: TokenOptions): JsonObject | undefined {
  if (cap === undefined) {
    if (topic !== undefined && can === undefined) throw usageError("--topic needs --can, which says what for.");
    return can && Object.fromEntries((topic ?? ["*"]).map((pattern) => [pattern, can]));
  }
  const parsed = parseJson(cap);
  if (parsed.ok && isJsonObject(parsed.value)) return parsed.value;
  throw usageError(`--cap must be a JSON object, such as '{"room/*":["subscribe"]}'.`);
}

/** Unix ms, as it stands in the token. */
function expiryOf(token: string): number {
  const [, claims = ""] = token.split(".");
  const { exp } = JSON.parse(Buffer.from(claims, "base64url").toString("utf8"));
  return exp * 1_000;
}
