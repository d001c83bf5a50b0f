import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import JSZip from "jszip";
import { type Checkout, createCheckout } from "./serverless.ts";
import { readTemplate, type Template } from "./template.ts";

/** Packaging takes some seconds; more where other tests run beside it. */
export const PACKAGING_MS = 300_000;

export const AUTHORIZE = "AuthorizeRole";
export const ADMIN = "AdminRole";
export const REFUSAL = "RefusalRole";
export const SUBSCRIPTION = "SubscriptionRole";
export const CONNECTION = "ConnectionRole";
export const DISCONNECTION = "DisconnectionRole";
export const PUBLISH = "PublishRole";
export const HTTP = "HttpRole";
export const DELIVER = "DeliverRole";

/** What each stack that passes messages on must have. A route answers where what its function returns reaches the client. */
export const STACKS = [
  {
    service: "message-broadcast",
    answering: ["$default"],
    silent: ["$connect", "$disconnect"],
    http: [
      "POST /messages",
      "GET /rooms/{proxy+}",
      "GET /connections/{id}",
      "DELETE /connections/{id}",
      "GET /health",
      "OPTIONS /{proxy+}",
    ],
    roles: {
      authorize: AUTHORIZE,
      connect: PUBLISH,
      disconnect: PUBLISH,
      default: PUBLISH,
      http: HTTP,
      deliver: DELIVER,
    },
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
      "OPTIONS /{proxy+}",
    ],
    roles: {
      authorize: AUTHORIZE,
      connect: CONNECTION,
      disconnect: DISCONNECTION,
      subscribe: SUBSCRIPTION,
      unsubscribe: SUBSCRIPTION,
      history: SUBSCRIPTION,
      ping: SUBSCRIPTION,
      default: REFUSAL,
      publish: PUBLISH,
      http: HTTP,
      deliver: DELIVER,
    },
  },
];

/** The stack that keeps the applications. */
export const APPLICATIONS = {
  service: "applications",
  http: [
    "POST /apps",
    "GET /apps",
    "GET /apps/{app}",
    "PATCH /apps/{app}",
    "DELETE /apps/{app}",
    "GET /apps/{app}/keys",
    "POST /apps/{app}/keys",
    "DELETE /apps/{app}/keys/{keyId}",
    "GET /health",
    "OPTIONS /{proxy+}",
  ],
  roles: { http: ADMIN },
};

export const ALL_STACKS: readonly {
  readonly service: string;
  /** Of its functions, by their names. */
  readonly roles: Readonly<Record<string, string>>;
}[] = [APPLICATIONS, ...STACKS];

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
  const { status, output } = await checkout.run(["package", ...args], environment);
  if (status !== 0) throw new Error(output);
  return {
    template: (service) => readTemplate(templateOf(checkout, service)),
    async bundles(service) {
      const folder = folderOf(checkout, service);
      const zips = (await readdir(folder)).filter((file) => file.endsWith(".zip"));
      const read = async (file: string) => [file.replace(".zip", ""), await unzip(join(folder, file))] as const;
      return new Map(await Promise.all(zips.map(read)));
    },
    remove: checkout.remove,
  };
}

function folderOf({ folder }: Checkout, service: string): string {
  return join(folder, "services", service, ".serverless");
}

/** The file of a stack that was packaged. */
export function templateOf(checkout: Checkout, service: string): string {
  return join(folderOf(checkout, service), "cloudformation-template-update-stack.json");
}

async function unzip(file: string): Promise<Bundle> {
  const { files } = await JSZip.loadAsync(await readFile(file));
  const read = async (path: string) => [path, (await files[path]?.async("nodebuffer")) ?? Buffer.alloc(0)] as const;
  return new Map(await Promise.all(Object.keys(files).map(read)));
}
