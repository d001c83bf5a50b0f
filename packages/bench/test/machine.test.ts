import { describe, expect, it } from "@jest/globals";
import { BenchError } from "../src/bench-error.ts";
import { installedVersion } from "../src/contestants/installed.ts";
import { describeLoad, describeMachine, requireOpenFiles } from "../src/machine.ts";

describe("the machine", () => {
  it("is described with its Node", () => {
    expect(describeMachine()).toMatch(/^\d+ cores \(.+\), \d+ GiB, .*Node \d+\.\d+\.\d+$/);
  });

  it("is refused where it may not hold the connections, in words", () => {
    expect(() => requireOpenFiles(10)).not.toThrow();
    expect(() => requireOpenFiles(5_000, () => 5_100)).not.toThrow();
    // Where nothing tells, it is tried.
    expect(() => requireOpenFiles(5_000, () => undefined)).not.toThrow();
    expect(() => requireOpenFiles(5_000, () => 5_099)).toThrow(BenchError);
    expect(() => requireOpenFiles(5_000, () => 1_024)).toThrow("ulimit -n 5100");
  });

  it("is said to be busy where it is", () => {
    expect(describeLoad([0.99, 5, 5])).toBeUndefined();
    expect(describeLoad([3.14, 0, 0])).toContain("a load of 3.1");
  });

  it("tells which servers are installed", () => {
    expect(installedVersion(process.execPath, ["--version"])).toBe(process.versions.node);
    expect(installedVersion("no-such-server", ["--version"])).toBeUndefined();
  });
});
