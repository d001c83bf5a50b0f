import type { HostFaults } from "../faults.ts";
import { type AwsJsonClient, createAwsJsonClient } from "./aws-json.ts";
import type { WireMeter } from "./counts.ts";
import { startEmulators } from "./emulators.ts";
import { startProxy } from "./proxy.ts";
import { createQueueExchange } from "./queue-exchange.ts";
import { createStoreExchange } from "./store-exchange.ts";

export interface InfrastructureOptions {
  readonly region: string;
  readonly meter: WireMeter;
  readonly faults: HostFaults;
  readonly log: (line: string) => void;
}

/** DynamoDB and SQS on this machine, each behind a proxy that counts and spoils. */
export interface Infrastructure {
  readonly dynamodbUrl: string;
  readonly sqsUrl: string;
  /** Past the proxies: making tables and queues is the deployment, no request of a service. */
  readonly deployment: { readonly dynamodb: AwsJsonClient; readonly sqs: AwsJsonClient };
  /** Through the proxy. */
  readonly sqs: AwsJsonClient;
  close(): Promise<void>;
}

export async function startInfrastructure({
  region,
  meter,
  faults,
  log,
}: InfrastructureOptions): Promise<Infrastructure> {
  const emulators = await startEmulators((error) => log(`DynamoDB and SQS have stopped: ${error.stack}`));
  const { dynamodbPort, sqsPort } = emulators;
  const emulatorOrigin = `http://sqs.${region}.localhost:${sqsPort}`;
  const dynamodbProxy = await startProxy({
    upstreamPort: dynamodbPort,
    log,
    answerExchange: createStoreExchange({ faults, meter }),
  });
  const sqsProxy = await startProxy({
    upstreamPort: sqsPort,
    log,
    answerExchange: createQueueExchange({ faults, meter, emulatorOrigin }),
  });
  const deployment = {
    dynamodb: createAwsJsonClient({ port: dynamodbPort, service: "dynamodb", region }),
    sqs: createAwsJsonClient({ port: sqsPort, service: "sqs", region }),
  };
  const sqs = createAwsJsonClient({ port: sqsProxy.port, service: "sqs", region });
  return {
    dynamodbUrl: dynamodbProxy.url,
    sqsUrl: sqsProxy.url,
    deployment,
    sqs,
    async close() {
      for (const client of [deployment.dynamodb, deployment.sqs, sqs]) client.close();
      await Promise.all([dynamodbProxy.close(), sqsProxy.close()]);
      await emulators.close();
    },
  };
}
