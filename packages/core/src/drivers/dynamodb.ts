export { createDynamoDbAppStore } from "./app-store/dynamodb.ts";
export { createDynamoDbConnectionStore } from "./connection-store/dynamodb.ts";
export { createDynamoDbClient, type DynamoDbClientOptions } from "./dynamodb/client.ts";
export { createDynamoDbTopicLog } from "./topic-log/dynamodb.ts";
