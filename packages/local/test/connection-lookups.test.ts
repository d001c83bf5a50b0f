import { describe, expect, it } from "@jest/globals";
import { createLookups } from "../src/connection-lookups.ts";
import type { OpenConnection } from "../src/connection-registry.ts";

function create(count: number) {
  const targets = Array.from({ length: count }, (_, index) => ({ id: `c${index}` }));
  const connections = new Map(targets.map(({ id }) => [id, { id } as OpenConnection]));
  return { targets, connections, lookups: createLookups(connections) };
}

describe.each([3, 200])("the connections of a list of %i targets", (count) => {
  it("are found in its order", () => {
    const { targets, connections, lookups } = create(count);
    expect(lookups.find(targets)).toEqual([...connections.values()]);
    expect(lookups.find([...targets].reverse())).toEqual([...connections.values()].reverse());
  });

  it("are gone or there as they come and go", () => {
    const { targets, connections, lookups } = create(count);
    const [{ id }] = targets as [{ id: string }];
    const [connection] = lookups.find(targets) as [OpenConnection];
    connections.delete(id);
    lookups.forget();
    expect(lookups.find(targets)[0]).toBe("gone");
    connections.set(id, connection);
    lookups.forget();
    expect(lookups.find(targets)[0]).toBe(connection);
  });
});

it("a long list is looked up once while nobody comes or goes", () => {
  const { targets, lookups } = create(200);
  expect(lookups.find(targets)).toBe(lookups.find(targets));
});
