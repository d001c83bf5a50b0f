import type { DynamoDBClient } from "@aws-sdk/client-dynamodb";

/** A process dies once it made this many more calls: those it would make after never reach DynamoDB, and nobody hears of it again. */
export function killAfter(client: DynamoDBClient, calls: number): void {
  let left = calls;
  client.middlewareStack.add(
    (next) => async (args) => {
      if (left-- <= 0) throw new Error("The process was killed.");
      return next(args);
    },
    { step: "initialize", name: "killAfter" },
  );
}

/** One call of a process, before it reaches DynamoDB. */
export interface PendingCall {
  proceed(): void;
  /** It never reaches DynamoDB. */
  fail(): void;
  /** It does, and its answer is lost. */
  loseAnswer(): void;
}

/** Collects the calls of clients until a test says how each goes on. */
export function collectCalls(clients: readonly DynamoDBClient[]) {
  let pending: PendingCall[] = [];
  let isOver = false;
  let wake = () => {};

  function decision(): Promise<"proceed" | "fail" | "loseAnswer"> {
    return new Promise((resolve) => {
      pending.push({
        proceed: () => resolve("proceed"),
        fail: () => resolve("fail"),
        loseAnswer: () => resolve("loseAnswer"),
      });
      wake();
    });
  }

  for (const client of clients) {
    client.middlewareStack.add(
      (next) => async (args) => {
        const decided = isOver ? "proceed" : await decision();
        if (decided === "fail") throw new Error("The call failed.");
        const answer = await next(args);
        if (decided === "loseAnswer") throw new Error("The answer was lost.");
        return answer;
      },
      { step: "initialize", name: "collectCalls" },
    );
  }

  return {
    /** Waits until as many calls are pending as there are busy processes, and takes one; undefined where there are none any more. */
    async take(which: number, busy: () => number): Promise<PendingCall | undefined> {
      while (pending.length < busy()) {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
      return pending.splice(which % Math.max(1, pending.length), 1)[0];
    },
    /** A process is no longer busy. */
    leave: () => wake(),
    /** All calls go on from now on. */
    end(): void {
      isOver = true;
      for (const call of pending) call.proceed();
      pending = [];
    },
  };
}
