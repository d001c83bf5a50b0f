import { Command, InvalidArgumentError } from "commander";
import { BenchError } from "./bench-error.ts";
import { benchChurn } from "./churn/command.ts";
import { benchColdStart } from "./cold-start.ts";
import { benchComparison, type ComparisonOptions } from "./comparison.ts";
import { CONTESTANTS } from "./contestants/index.ts";
import { benchCosts } from "./costs.ts";
import { benchHttpPublish } from "./http-publish.ts";
import { benchPostConcurrency } from "./post-concurrency.ts";
import { benchRecovery } from "./recovery.ts";
import { SCENARIOS } from "./scenarios.ts";
import { benchSoak } from "./soak/command.ts";
import { benchStart } from "./start.ts";

const program = new Command("npm run bench --").description("Measures Topicast; each command prints a table.");

program
  .command("compare", { isDefault: true })
  .description(
    "the local host's whole path beside other servers: fan-out, latency, memory, connects and CPU time; writes docs/benchmarks.md",
  )
  .option("--runs <n>", "interleaved runs of each scenario", wholeNumber, 5)
  .option("--seconds <n>", "how long each run publishes", wholeNumber, 2)
  .option(
    "--only <scenario...>",
    `of ${SCENARIOS.map(({ id }) => id).join(", ")}, or their first words, such as fan-out`,
  )
  .option("--contestants <name...>", `of ${CONTESTANTS.map(({ id }) => id).join(", ")}`)
  .option("--profile-folder <folder>", "where CPU profiles of servers of Node are written to")
  .option("--no-write", "leave docs/benchmarks.md as it is")
  .action((options: ComparisonOptions) => benchComparison(options));

program
  .command("http-publish")
  .description("acknowledged publishes a second over HTTP with keys checked, one by one and in batches of 100")
  .option("--runs <n>", "interleaved runs of each scenario", wholeNumber, 5)
  .option("--seconds <n>", "how long each run publishes", wholeNumber, 5)
  .action(({ runs, seconds }) => benchHttpPublish(runs, seconds));

program
  .command("cold-start")
  .description("size and load time of each handler's bundle, as it is deployed")
  .option("--runs <n>", "loads of each", wholeNumber, 5)
  .action(({ runs }) => benchColdStart(runs));

program
  .command("start")
  .description("how long the local host takes to start; it should be under three seconds")
  .option("--runs <n>", "starts", wholeNumber, 5)
  .action(({ runs }) => benchStart(runs));

program
  .command("costs")
  .description(
    "read and write units, SQS requests and posts of each operation, counted on the wire; writes docs/costs.md",
  )
  .action(() => benchCosts());

program
  .command("post-concurrency")
  .description(
    "posts a second to a stub of @connections for different POST_CONCURRENCY; writes docs/post-concurrency.md",
  )
  .option("--runs <n>", "interleaved runs of each", wholeNumber, 5)
  .option("--seconds <n>", "how long each run posts", wholeNumber, 1)
  .action(({ runs, seconds }) => benchPostConcurrency(runs, seconds));

program
  .command("recovery")
  .description("time, requests and read units of a client that comes back and replays 10, 100 and 1,000 messages")
  .option("--runs <n>", "replays of each", wholeNumber, 9)
  .action(({ runs }) => benchRecovery(runs));

program
  .command("churn")
  .description(
    "clients that connect, subscribe, publish once and leave: Redis, DynamoDB and memory, and their bills; writes docs/churn.md",
  )
  .option("--runs <n>", "interleaved runs of each", wholeNumber, 5)
  .option("--seconds <n>", "how long each runs", wholeNumber, 4)
  .action(({ runs, seconds }) => benchChurn(runs, seconds));

program
  .command("soak")
  .description(
    "2,000 clients that come and go, 20,000 deliveries a second: nothing lost, memory flat; writes docs/benchmarks.md",
  )
  .option("--minutes <n>", "how long", wholeNumber, 10)
  .option("--no-write", "leave docs/benchmarks.md as it is")
  .action((options: { readonly minutes: number; readonly write: boolean }) => benchSoak(options));

try {
  await program.parseAsync();
} catch (error) {
  if (error instanceof BenchError) program.error(`error: ${error.message}`);
  throw error;
}

function wholeNumber(text: string): number {
  if (!/^[1-9]\d{0,4}$/.test(text)) throw new InvalidArgumentError("It must be a whole number from 1 to 99999.");
  return Number(text);
}
