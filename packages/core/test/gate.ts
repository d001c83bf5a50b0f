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
