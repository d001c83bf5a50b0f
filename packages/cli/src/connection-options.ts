import { Option } from "commander";
import { usageError } from "./command-error.ts";

const DEFAULT_URL = "http://localhost:4000";

/** Where the services are, and who asks. An environment name that is empty counts as not set. */
export interface ConnectionOptions {
  readonly url?: string;
  readonly topicUrl?: string;
  readonly socketUrl?: string;
  readonly applicationsUrl?: string;
  readonly key?: string;
  readonly operatorKey?: string;
  readonly token?: string;
}

export const urlOption = () =>
  new Option("--url <url>", `the local host's address (default: ${DEFAULT_URL})`).env("TOPICAST_URL");
export const topicUrlOption = () =>
  new Option("--topic-url <url>", "the topic service's HTTP address, where it has its own, as on AWS").env(
    "TOPICAST_TOPIC_URL",
  );
export const socketUrlOption = () =>
  new Option("--socket-url <url>", "the topic service's WebSocket address, where it has its own, as on AWS").env(
    "TOPICAST_SOCKET_URL",
  );
export const applicationsUrlOption = () =>
  new Option("--applications-url <url>", "the applications service's address, where it has its own, as on AWS").env(
    "TOPICAST_APPLICATIONS_URL",
  );
export const keyOption = () => new Option("--key <key>", "the application's key").env("TOPICAST_KEY");
export const operatorKeyOption = () =>
  new Option("--operator-key <key>", "the operator's key").env("TOPICAST_OPERATOR_KEY");
export const tokenOption = () => new Option("--token <token>", "a connection token").env("TOPICAST_TOKEN");

/** Said wherever a secret may be given. */
export const SECRETS_HELP =
  "Give keys and tokens by the environment: others on this machine can see the options of a running command.";

/** An address without a slash at its end. */
export function topicUrlOf({ url, topicUrl }: ConnectionOptions): string {
  return topicUrl ? parseUrl(topicUrl, "--topic-url", HTTP) : `${hostOf(url)}/message-topic`;
}

export function applicationsUrlOf({ url, applicationsUrl }: ConnectionOptions): string {
  return applicationsUrl ? parseUrl(applicationsUrl, "--applications-url", HTTP) : `${hostOf(url)}/applications`;
}

export function socketUrlOf({ url, socketUrl }: ConnectionOptions): string {
  if (socketUrl) return parseUrl(socketUrl, "--socket-url", ["ws:", "wss:"]);
  return `${hostOf(url).replace(/^http/, "ws")}/message-topic`;
}

const HTTP = ["http:", "https:"];

function hostOf(url: string | undefined): string {
  return parseUrl(url || DEFAULT_URL, "--url", HTTP);
}

function parseUrl(text: string, name: string, protocols: readonly string[]): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !protocols.includes(url.protocol)) {
    const wanted = protocols.map((protocol) => `${protocol}//`).join(" or ");
    throw usageError(`${name} must be an address that begins with ${wanted}.`);
  }
  if (url.username !== "" || url.password !== "" || url.search !== "" || url.hash !== "") {
    throw usageError(`${name} must hold nothing but protocol, host and path.`);
  }
  return url.href.replace(/\/+$/, "");
}

/** A key or token as it goes into a header. What is wrong with one is said without showing it. */
export function parseSecret(text: string | undefined, name: string): string | undefined {
  const secret = text?.trim();
  if (!secret) return undefined;
  if (/^[\x21-\x7e]+$/.test(secret)) return secret;
  throw usageError(`${name} holds a space or a character that no key and no token has.`);
}
