import { GetParameterCommand, SSMClient, type SSMClientConfig } from "@aws-sdk/client-ssm";
import { createSealer, type Sealer } from "../application-key.ts";
import type { EncryptionKey } from "../doors.ts";
import { UnavailableError } from "../errors.ts";

/** Bound of fetching it, with its one retry. */
const CALL_TIMEOUT_MS = 2_000;
const ATTEMPT_TIMEOUT_MS = 1_000;
/** As `ENCRYPTION_KEY` itself must have. */
const MIN_LENGTH = 32;

/** What encrypts and decrypts signing keys. The key is fetched once, when it is asked for first. Throws `UnavailableError`. */
export function sealerOf(
  encryptionKey: EncryptionKey,
  createClient: () => SSMClient = createSsmClient,
): () => Promise<Sealer> {
  if ("value" in encryptionKey) {
    const sealer = createSealer(encryptionKey.value);
    return async () => sealer;
  }
  const { parameter } = encryptionKey;
  let fetched: Promise<Sealer> | undefined;
  return () => {
    fetched ??= fetchParameter(createClient(), parameter).then(createSealer, (error: unknown) => {
      // The next who asks tries again.
      fetched = undefined;
      throw error;
    });
    return fetched;
  };
}

async function fetchParameter(client: SSMClient, name: string): Promise<string> {
  const command = new GetParameterCommand({ Name: name, WithDecryption: true });
  let value: string | undefined;
  try {
    const { Parameter } = await client.send(command, { abortSignal: AbortSignal.timeout(CALL_TIMEOUT_MS) });
    value = Parameter?.Value;
  } catch (cause) {
    // Also where there is no such parameter, or it may not be read: somebody may be about to put that right.
    throw new UnavailableError("key source", `SSM did not give the parameter ${name}.`, { cause });
  } finally {
    client.destroy();
  }
  if (value === undefined || value.length < MIN_LENGTH) {
    throw new UnavailableError("key source", `The SSM parameter ${name} must have at least ${MIN_LENGTH} characters.`);
  }
  return value;
}

export interface SsmClientOptions extends Pick<SSMClientConfig, "endpoint" | "region" | "credentials"> {
  /** Bound of one attempt; the same again for connecting. */
  readonly attemptTimeoutMs?: number;
}

/** A client that gives up soon. */
export function createSsmClient(options: SsmClientOptions = {}): SSMClient {
  const { attemptTimeoutMs = ATTEMPT_TIMEOUT_MS, ...config } = options;
  return new SSMClient({
    ...config,
    maxAttempts: 2,
    requestHandler: {
      connectionTimeout: attemptTimeoutMs,
      requestTimeout: attemptTimeoutMs,
      // Without it the SDK only warns.
      throwOnRequestTimeout: true,
    },
  });
}
