import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { beforeAll, describe, expect, it } from "@jest/globals";
import { ALL_STACKS, type Bundle, type Packaged } from "./packaged.ts";

const MAX_BYTES = 600 * 1024;

const DYNAMODB = "@aws-sdk/client-dynamodb";
const GATEWAY = "@aws-sdk/client-apigatewaymanagementapi";
const SQS = "@aws-sdk/client-sqs";
const SSM = "@aws-sdk/client-ssm";

/** What each kind of function talks to; its bundle has the clients for that and no others. */
const CLIENTS_OF: Readonly<Record<string, readonly string[]>> = {
  AuthorizeRole: [DYNAMODB, SSM],
  AdminRole: [DYNAMODB, SSM],
  RefusalRole: [],
  SubscriptionRole: [DYNAMODB, GATEWAY],
  ConnectionRole: [DYNAMODB, GATEWAY],
  DisconnectionRole: [DYNAMODB, GATEWAY],
  PublishRole: [DYNAMODB, GATEWAY, SQS],
  HttpRole: [DYNAMODB, GATEWAY, SQS],
  DeliverRole: [DYNAMODB, GATEWAY, SQS],
};

/** What CloudFormation and Lambda would set. */
const DEPLOYED = {
  STORE: "dynamodb",
  TABLE_NAME: "table",
  FANOUT_QUEUE_URL: "https://sqs.us-east-1.amazonaws.com/123456789012/fanout",
  DEAD_LETTER_QUEUE_URL: "https://sqs.us-east-1.amazonaws.com/123456789012/dead-letters",
  APPLICATIONS_TABLE_NAME: "applications",
  ENCRYPTION_KEY_PARAMETER: "/topicast/dev/encryption-key",
  OPERATOR_KEY_HASH: "0".repeat(64),
  GATEWAY_ENDPOINT: "https://abc.execute-api.us-east-1.amazonaws.com/dev",
  AWS_REGION: "us-east-1",
  NODE_OPTIONS: "--enable-source-maps",
};

/** What is deployed of each function. */
export function describeBundles(packaged: () => Packaged): void {
  describe.each(ALL_STACKS)("a function of $service", ({ service, roles }) => {
    let bundles: ReadonlyMap<string, Bundle>;
    beforeAll(async () => {
      bundles = await packaged().bundles(service);
    });

    const codeOf = (name: string) => bundles.get(name)?.get(`src/handlers/${name}.cjs`) ?? Buffer.alloc(0);

    it("is one file and its source map", () => {
      expect([...bundles.keys()].sort()).toEqual(Object.keys(roles).sort());
      for (const [name, files] of bundles) {
        expect([...files.keys()]).toEqual([`src/handlers/${name}.cjs`, `src/handlers/${name}.cjs.map`]);
      }
    });

    it("is at most 600 KB", () => {
      for (const name of bundles.keys()) expect(codeOf(name).byteLength).toBeLessThanOrEqual(MAX_BYTES);
    });

    it.each(Object.entries(roles))("has only the clients that it uses: %s in %s", (name, role) => {
      const clients = [DYNAMODB, GATEWAY, SQS, SSM].filter((client) => codeOf(name).includes(`"${client}"`));
      expect(clients).toEqual(CLIENTS_OF[role]);
      // It prints so, and no other library does.
      expect(codeOf(name).includes("[ioredis]")).toBe(false);
    });

    it("exports its handler with nothing but Node around it", async () => {
      const folder = await mkdtemp(join(tmpdir(), "topicast-bundle-"));
      for (const name of bundles.keys()) await writeFile(join(folder, `${name}.cjs`), codeOf(name));
      const script = `for (const name of process.argv.slice(1)) console.log(name, typeof require("./" + name + ".cjs").handler)`;
      const options = { cwd: folder, env: { ...DEPLOYED, PATH: process.env.PATH } };
      const { stdout } = await promisify(execFile)(process.execPath, ["-e", script, ...bundles.keys()], options);
      await rm(folder, { recursive: true });
      expect(stdout.trim().split("\n")).toEqual([...bundles.keys()].map((name) => `${name} function`));
    });
  });
}
