import type { Operation } from "./operation.ts";

const TOPIC = { service: "message-topic", security: "applicationKey" } as const;

export const TOPIC_OPERATIONS: readonly Operation[] = [
  {
    ...TOPIC,
    id: "publish",
    method: "post",
    path: "/topics/{topic}/messages",
    summary: "Publish to a topic",
    description: "Needs the right `publish`. All payloads together are at most 96 KB.",
    parameters: ["Topic", "IdempotencyKey"],
    body: { schema: "Publish" },
    success: { status: 202, description: "Numbered, kept, and on its way to every subscriber.", schema: "Published" },
    faults: ["bad_request", "invalid_topic", "payload_too_large"],
  },
  {
    ...TOPIC,
    id: "getHistory",
    method: "get",
    path: "/topics/{topic}/messages",
    summary: "Read a topic's history",
    description:
      "Needs the right `history`. Give `epoch` and `seq` for all after a place, or `last` for the newest messages.",
    parameters: ["Topic", "Epoch", "Seq", "Last", "Limit"],
    success: { status: 200, description: "What the history has of it.", schema: "History" },
    faults: ["bad_request", "invalid_topic"],
  },
  {
    ...TOPIC,
    id: "deleteTopic",
    method: "delete",
    path: "/topics/{topic}",
    summary: "Delete a topic",
    description:
      "Needs the right `admin`. Everyone is unsubscribed and told `closing`, the history is gone, and a new epoch begins.",
    parameters: ["Topic"],
    success: { status: 204, description: "It has begun anew." },
    faults: ["invalid_topic"],
  },
  {
    ...TOPIC,
    id: "publishToMany",
    method: "post",
    path: "/messages",
    summary: "Publish to several topics",
    description:
      "Each message needs the right `publish` for its topic, and has a result of its own. All payloads together are at most 96 KB.",
    body: { schema: "PublishMany" },
    success: { status: 202, description: "What became of each message.", schema: "PublishedMany" },
    faults: ["bad_request", "payload_too_large"],
  },
  {
    id: "getTopicHealth",
    service: "message-topic",
    method: "get",
    path: "/health",
    summary: "Check message-topic's health",
    success: { status: 200, description: "Store and queue answer.", schema: "Health" },
    faults: [],
    problem: "HealthProblem",
  },
];
