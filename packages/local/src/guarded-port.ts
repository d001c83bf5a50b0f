type AsyncFunction = (...parameters: never[]) => Promise<unknown>;

/** The same port, whose methods do nothing and reject while there is something that `findFault` gives. */
export function guardPort<T extends object>(port: T, findFault: () => Error | undefined): T {
  const guarded = Object.entries(port).map(([name, method]) => [name, guard(method as AsyncFunction, findFault)]);
  return Object.fromEntries(guarded) as T;
}

function guard(call: AsyncFunction, findFault: () => Error | undefined): AsyncFunction {
  return (...parameters) => {
    const fault = findFault();
    return fault === undefined ? call(...parameters) : Promise.reject(fault);
  };
}
