import type { Plugin } from "esbuild";

/**
 * Leaves the AWS SDK and the client of Redis out of bundles whose handlers have the host's ports: they would be most of each bundle, and most of
 * the time that the host takes to start. A handler that uses them all the same throws.
 */
export const sdkStub: Plugin = {
  name: "sdk-stub",
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^(@(aws-sdk|smithy)\/|ioredis$)/ }, ({ path }) => ({ path, namespace: "sdk-stub" }));
    onLoad({ filter: /^/, namespace: "sdk-stub" }, ({ path }) => ({ contents: stubOf(path), loader: "js" }));
  },
};

// An importer gets an object of esbuild's, with the prototype of these exports: there each name is looked up when it is used.
function stubOf(path: string): string {
  const message = `${path} is not there in memory; start the host with --aws`;
  return `module.exports = Object.create(new Proxy({}, {
    get(_, name) {
      if (name === "__esModule") return true;
      throw new Error(${JSON.stringify(message)});
    },
  }));`;
}
