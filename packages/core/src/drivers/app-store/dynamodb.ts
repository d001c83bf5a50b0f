import type { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import type { Clock } from "../../clock.ts";
import type { AppStore } from "../../ports/app-store.ts";

export interface DynamoDbAppStoreOptions {
  readonly client: DynamoDBClient;
  readonly tableName: string;
  readonly clock: Clock;
}

export function createDynamoDbAppStore(_options: DynamoDbAppStoreOptions): AppStore {
  throw new Error("not built yet");
}
