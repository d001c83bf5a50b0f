import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import JSZip from "jszip";
import { createCheckout } from "./serverless.ts";
import { readTemplate, type Template } from "./template.ts";

/** Packaging takes some seconds; more where other tests run beside it. */
export const PACKAGING_MS = 120_000;

export const REFUSAL = "RefusalRole";
export const PING = "PingRole";
export const SUBSCRIPTION = "SubscriptionRole";
export const CONNECTION = "ConnectionRole";
export const PUBLISH = "PublishRole";
export const HTTP = "HttpRole";
export const DELIVER = "DeliverRole";

/** What each stack must have. A route answers where what its function returns reaches the client. */
export const STACKS = [
  {
    service: "message-broadcast",
    answering: ["$default"],
    silent: ["$connect", "$disconnect"],
    http: ["POST /messages", "GET /rooms/{proxy+}", "GET /connections/{id}", "DELETE /connections/{id}", "GET /health"],
    roles: { connect: PUBLISH, disconnect: PUBLISH, default: PUBLISH, http: HTTP, deliver: DELIVER },
  },
  {
    service: "message-topic",
    answering: ["subscribe", "unsubscribe", "publish", "history", "ping", "$default"],
    silent: ["$connect", "$disconnect"],
    http: [
      "POST /topics/{proxy+}",
      "GET /topics/{proxy+}",
      "DELETE /topics/{proxy+}",
      "POST /messages",
      "POST /users/{proxy+}",
      "DELETE /users/{proxy+}",
      "POST /connections/{id}/messages",
      "GET /connections/{id}",
      "DELETE /connections/{id}",
      "GET /health",
    ],
    roles: {
      connect: CONNECTION,
      disconnect: CONNECTION,
      subscribe: SUBSCRIPTION,
      unsubscribe: SUBSCRIPTION,
      history: SUBSCRIPTION,
      ping: PING,
      default: REFUSAL,
      publish: PUBLISH,
      http: HTTP,
      deliver: DELIVER,
    },
  },
];

/** What is in a function's zip, by path. */
export type Bundle = ReadonlyMap<string, Buffer>;

/** All stacks, packaged at the root as for a deployment. */
export interface Packaged {
  template(service: string): Promise<Template>;
  /** By the function's name. */
  bundles(service: string): Promise<ReadonlyMap<string, Bundle>>;
  remove(): Promise<void>;
}

export async function packageStacks(
  environment: Readonly<Record<string, string>>,
  args: readonly string[] = [],
): Promise<Packaged> {
  const checkout = await createCheckout();
  const { status, output } = await checkout.run(["package", ...args], { OPEN: "yes", ...environment });
  if (status !== 0) throw new Error(output);
  const folderOf = (service: string) => join(checkout.folder, "services", service, ".serverless");
  return {
    template: (service) => readTemplate(join(folderOf(service), "cloudformation-template-update-stack.json")),
    async bundles(service) {
      const folder = folderOf(service);
      const zips = (await readdir(folder)).filter((file) => file.endsWith(".zip"));
      const read = async (file: string) => [file.replace(".zip", ""), await unzip(join(folder, file))] as const;
      return new Map(await Promise.all(zips.map(read)));
    },
    remove: checkout.remove,
  };
}

async function unzip(file: string): Promise<Bundle> {
  const { files } = await JSZip.loadAsync(await readFile(file));
  const read = async (path: string) => [path, (await files[path]?.async("nodebuffer")) ?? Buffer.alloc(0)] as const;
  return new Map(await Promise.all(Object.keys(files).map(read)));
}
