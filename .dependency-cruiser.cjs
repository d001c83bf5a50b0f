/** Which way imports may point; the map of the house is in the README. */
const outside = (path) => ({ pathNot: path });

/** @type {import('dependency-cruiser').IConfiguration} */
module.exports = {
  forbidden: [
    {
      name: "no-circles",
      severity: "error",
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ["type-only"] } },
    },
    { name: "no-unresolvable", severity: "error", from: {}, to: { couldNotResolve: true } },
    {
      name: "protocol-stands-alone",
      comment: "The SDK bundles it: no other package of ours, nothing of Node, one library that validates.",
      severity: "error",
      from: { path: "^packages/protocol/src" },
      to: outside("^packages/protocol/src|node_modules/valibot"),
    },
    {
      name: "client-stands-alone",
      comment: "Every page carries it: of ours the protocol, and no library but React, by whom that is asked for.",
      severity: "error",
      from: { path: "^packages/client/src", pathNot: "/react\\.ts$" },
      to: outside("^packages/(client|protocol)/src"),
    },
    {
      name: "core-knows-only-protocol",
      severity: "error",
      from: { path: "^packages/core/src" },
      to: { path: "^(packages|services)/", pathNot: "^packages/(core|protocol)/src|node_modules" },
    },
    {
      name: "ports-import-no-driver",
      severity: "error",
      from: { path: "^packages/core/src/(ports/|model|topic-rules|service|clock|errors)" },
      to: {
        pathNot:
          "^packages/core/src/(ports/|access|applications|model|topic-rules|service|clock|errors)|^packages/protocol/src",
      },
    },
    {
      name: "use-cases-import-ports",
      severity: "error",
      from: { path: "^packages/core/src/use-cases" },
      to: { path: "^packages/core/src/(drivers|lambda|embedded|config)|aws-lambda|@aws-sdk|ioredis" },
    },
    {
      name: "only-drivers-import-sdks",
      comment: "And what signs as they do, and verifies it.",
      severity: "error",
      from: { pathNot: "^packages/core/src/drivers|^packages/local/src/request-sign(ature|er)\\.ts$|/test/" },
      to: { path: "node_modules/(@aws-sdk|@smithy|ioredis)" },
    },
    {
      name: "memory-drivers-reach-no-sdk",
      severity: "error",
      from: { path: "^packages/core/src/drivers/.*memory|^packages/client/src" },
      to: { path: "node_modules/(@aws-sdk|@smithy|ioredis)", reachable: true },
    },
    {
      name: "only-the-lambda-edge-knows-events",
      severity: "error",
      from: { path: "^packages/core/src", pathNot: "^packages/core/src/lambda" },
      to: { path: "aws-lambda" },
    },
    {
      name: "only-app-picks-drivers",
      severity: "error",
      from: { path: "^services/[^/]+/src", pathNot: "/src/app\\.ts$" },
      to: { path: "^packages/core/src/(drivers|embedded)" },
    },
    {
      name: "services-import-core-and-protocol",
      severity: "error",
      from: { path: "^services/([^/]+)/src" },
      to: { path: "^(packages|services)/", pathNot: "^packages/(core|protocol)/src|^services/$1/src" },
    },
    {
      name: "local-imports-core-for-its-ports",
      comment: "It runs the services by their serverless.yml and imports none of them.",
      severity: "error",
      from: { path: "^packages/local/src" },
      to: {
        path: "^(packages|services)/",
        pathNot:
          "node_modules|^packages/(local|protocol)/src|^packages/core/src/(index|embedded|drivers/(memory|redis))\\.ts$",
      },
    },
    {
      name: "cli-speaks-the-protocol",
      comment: "A client of the services like any other. Of core it has what makes tokens, which reaches no driver.",
      severity: "error",
      from: { path: "^packages/cli/src" },
      to: {
        path: "^(packages|services)/",
        pathNot: "node_modules|^packages/(cli|protocol)/src|^packages/core/src/mint-token\\.ts$",
      },
    },
    {
      name: "nobody-imports-the-cli",
      severity: "error",
      from: { pathNot: "^packages/cli/" },
      to: { path: "^packages/cli/" },
    },
    {
      name: "testing-is-for-tests",
      severity: "error",
      from: { pathNot: "/test/|^packages/(testing|bench)/" },
      to: { path: "^packages/testing" },
    },
    {
      name: "nobody-imports-tests",
      severity: "error",
      from: { pathNot: "/test/" },
      to: { path: "/test/" },
    },
    {
      name: "declared-dependencies-only",
      severity: "error",
      from: { pathNot: "/test/|^packages/client/build/" },
      to: { dependencyTypes: ["npm-no-pkg", "npm-unknown", "npm-dev"], dependencyTypesNot: ["type-only", "npm-peer"] },
    },
  ],
  options: {
    tsPreCompilationDeps: true,
    tsConfig: { fileName: "tsconfig.json" },
    doNotFollow: { path: "node_modules" },
    exclude: { path: "^packages/client/dist/" },
    enhancedResolveOptions: {
      exportsFields: ["exports"],
      conditionNames: ["import", "require", "node", "default", "types"],
    },
    combinedDependencies: false,
  },
};
