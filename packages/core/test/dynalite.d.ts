declare module "dynalite" {
  import type { Server } from "node:http";

  /** An HTTP server that answers as DynamoDB does, from memory. */
  export default function dynalite(options?: { readonly createTableMs?: number }): Server;
}
