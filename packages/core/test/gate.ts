import type { HeldWrite } from "@topicast/testing";

export interface Gate extends HeldWrite {
  /** Arrives at the gate and waits for it to open. */
  pass(): Promise<void>;
}

export function createGate(): Gate {
  let arrive = () => {};
  let open = () => {};
  let shut = (_: Error) => {};
  const held = new Promise<void>((resolve) => {
    arrive = resolve;
  });
  const opened = new Promise<void>((resolve, reject) => {
    open = resolve;
    shut = reject;
  });
  return {
    held,
    release: () => open(),
    fail: () => shut(new Error("The write failed.")),
    pass() {
      arrive();
      return opened;
    },
  };
}

/** Gates that appends meet, one each, where a test holds the next of them. */
export function createGates() {
  const waiting: Gate[] = [];
  return {
    pass: () => waiting.shift()?.pass(),
    holdNext() {
      const gate = createGate();
      waiting.push(gate);
      return gate;
    },
  };
}
