import { createHash, timingSafeEqual } from "node:crypto";
import type { IncomingMessage } from "node:http";
import { Sha256Node } from "@smithy/core/checksum";
import { SignatureV4 } from "@smithy/signature-v4";
import type { Credentials } from "./credentials.ts";

/** Why API Gateway refuses a request that isn't signed as it must be. The status is always 403. */
export interface SignatureFault {
  readonly errorType:
    | "MissingAuthenticationTokenException"
    | "IncompleteSignatureException"
    | "UnrecognizedClientException"
    | "InvalidSignatureException";
  readonly message: string;
}

/** What a request says of its signature; whether it holds is known only with the body. */
export interface ClaimedSignature {
  /** `undefined` where the signature is right. */
  check(body: Buffer): Promise<SignatureFault | undefined>;
}

/** Verifies requests that are signed with SigV4 in their headers. */
export interface SignatureVerifier {
  /** Finds all that is wrong ahead of the body, so that no stranger's body is read. */
  open(request: IncomingMessage): SignatureFault | ClaimedSignature;
}

export interface SignatureVerifierOptions {
  readonly credentials: Credentials;
  readonly region: string;
  /** Unix ms. */
  readonly now: () => number;
}

const SERVICE = "execute-api";
const ALGORITHM = "AWS4-HMAC-SHA256";
const MAX_SKEW_MINUTES = 5;
const MAX_SKEW_MS = MAX_SKEW_MINUTES * 60_000;

export function createSignatureVerifier({ credentials, region, now }: SignatureVerifierOptions): SignatureVerifier {
  const signer = new SignatureV4({ credentials, region, service: SERVICE, sha256: Sha256Node, applyChecksum: false });

  return {
    open(request) {
      const { authorization, "x-amz-date": date, "x-amz-security-token": token } = request.headers;
      if (authorization === undefined) {
        return { errorType: "MissingAuthenticationTokenException", message: "Missing Authentication Token" };
      }
      const claim = parseAuthorization(authorization);
      if (typeof claim === "string") return incomplete(claim);
      const time = typeof date === "string" ? parseDate(date) : undefined;
      if (time === undefined || typeof date !== "string") {
        return incomplete("Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header.");
      }
      const fault = findScopeFault(claim, date, region) ?? findTimeFault(date, time, now());
      if (fault !== undefined) return invalid(fault);
      const isKnown = claim.accessKeyId === credentials.accessKeyId && isSame(String(token), credentials.sessionToken);
      if (!isKnown) {
        const message = "The security token included in the request is invalid.";
        return { errorType: "UnrecognizedClientException", message };
      }
      return {
        async check(body) {
          if (!isHashOf(body, claim, request)) return invalid(MISMATCH);
          const signed = await signer.sign(readSigned(request, claim, body), {
            signableHeaders: claim.signableHeaders,
            signingDate: new Date(time),
          });
          const own = parseAuthorization(signed.headers.authorization ?? "");
          if (typeof own === "object" && isSame(own.signature, claim.signature)) return undefined;
          return invalid(MISMATCH);
        },
      };
    },
  };
}

const MISMATCH =
  "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details.";

function incomplete(message: string): SignatureFault {
  return { errorType: "IncompleteSignatureException", message };
}

function invalid(message: string): SignatureFault {
  return { errorType: "InvalidSignatureException", message };
}

interface Claim {
  readonly accessKeyId: string;
  /** Date, region, service and `aws4_request`. */
  readonly scope: readonly string[];
  /** Names in lower case. */
  readonly signableHeaders: Set<string>;
  /** In hex. */
  readonly signature: string;
}

/** The header's parts, or what is missing of them. AWS repeats the header there; it may be a token that somebody sent by mistake. */
function parseAuthorization(header: string): Claim | string {
  const isSigned = header.startsWith(`${ALGORITHM} `);
  const readParameter = (name: string) =>
    (isSigned && new RegExp(`[ ,]${name}=([^ ,]+)`).exec(header)?.[1]) || undefined;
  const [credential, signature, signedHeaders] = PARAMETERS.map(readParameter);
  if (credential === undefined || signature === undefined || signedHeaders === undefined) {
    const missing = PARAMETERS.filter((name) => readParameter(name) === undefined);
    return missing.map((name) => `Authorization header requires '${name}' parameter.`).join(" ");
  }
  const [accessKeyId = "", ...scope] = credential.split("/");
  return { accessKeyId, scope, signature, signableHeaders: new Set(signedHeaders.toLowerCase().split(";")) };
}

const PARAMETERS = ["Credential", "Signature", "SignedHeaders"] as const;

/** Unix ms of `20261126T221301Z`. */
function parseDate(date: string): number | undefined {
  const [, ...parts] = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(date) ?? [];
  const [year = "", month = "", day = "", hour = "", minute = "", second = ""] = parts;
  const time = Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
  return Number.isNaN(time) ? undefined : time;
}

function formatDate(time: number): string {
  return new Date(time).toISOString().replace(/[-:]|\.\d+/g, "");
}

function findScopeFault({ scope, signableHeaders }: Claim, date: string, ownRegion: string): string | undefined {
  const [day, region, service, terminator, ...more] = scope;
  if (!signableHeaders.has("host")) return "'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization.";
  if (region !== ownRegion) return "Credential should be scoped to a valid region.";
  if (service !== SERVICE) return `Credential should be scoped to correct service: '${SERVICE}'.`;
  if (terminator !== "aws4_request" || more.length > 0)
    return "Credential should be scoped with a valid terminator: 'aws4_request'.";
  if (day !== date.slice(0, 8)) {
    return "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP.";
  }
  return undefined;
}

function findTimeFault(date: string, time: number, now: number): string | undefined {
  if (Math.abs(now - time) <= MAX_SKEW_MS) return undefined;
  const skew = `${MAX_SKEW_MINUTES} min.`;
  return time < now
    ? `Signature expired: ${date} is now earlier than ${formatDate(now - MAX_SKEW_MS)} (${formatDate(now)} - ${skew})`
    : `Signature not yet current: ${date} is still later than ${formatDate(now + MAX_SKEW_MS)} (${formatDate(now)} + ${skew})`;
}

/** The request as its sender signed it, with those headers alone that were, and with the hash of the body that came. */
function readSigned(request: IncomingMessage, { signableHeaders }: Claim, body: Buffer) {
  const { pathname, searchParams } = splitUrl(request.url ?? "/");
  const headers = Object.fromEntries(
    [...signableHeaders].flatMap((name) => {
      const values = request.headersDistinct[name];
      return values === undefined ? [] : [[name, values.join(",")] as const];
    }),
  );
  const query = Object.fromEntries([...new Set(searchParams.keys())].map((name) => [name, searchParams.getAll(name)]));
  return { method: request.method ?? "", protocol: "http:", hostname: "", path: pathname, query, headers, body };
}

const CONTENT_HASH = "x-amz-content-sha256";

/** The library believes the header, where there is one. An unsigned payload has no hash there, and isn't taken. */
function isHashOf(body: Buffer, { signableHeaders }: Claim, { headers }: IncomingMessage): boolean {
  if (!signableHeaders.has(CONTENT_HASH)) return true;
  return isSame(String(headers[CONTENT_HASH]), createHash("sha256").update(body).digest("hex"));
}

/** The path stays as it was sent. */
function splitUrl(url: string) {
  const at = url.indexOf("?");
  if (at === -1) return { pathname: url, searchParams: new URLSearchParams() };
  return { pathname: url.slice(0, at), searchParams: new URLSearchParams(url.slice(at)) };
}

/** Takes as long whatever differs. */
function isSame(a: string, b: string): boolean {
  const [hashA, hashB] = [a, b].map((text) => createHash("sha256").update(text).digest()) as [Buffer, Buffer];
  return timingSafeEqual(hashA, hashB);
}
