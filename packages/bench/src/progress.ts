/** Says how a long command gets on. */
export interface Progress {
  /** A piece of work of a kind is beginning. */
  begin(text: string): void;
  /** It took so long. */
  end(): void;
}

/** What a piece is thought to take before one has been done. */
const UNKNOWN_SECONDS = 12;

/** `kinds` are those of all pieces, in their order: what is left is estimated by those of a kind that are done. `now` is in ms. */
export function createProgress(
  kinds: readonly string[],
  write: (line: string) => void,
  now: () => number = () => performance.now(),
): Progress {
  const taken = new Map<string, number[]>();
  let done = 0;
  let begunAt = now();

  function secondsOf(kind: string): number {
    const own = taken.get(kind) ?? [...taken.values()].flat();
    return own.length === 0 ? UNKNOWN_SECONDS : own.reduce((sum, seconds) => sum + seconds, 0) / own.length;
  }

  return {
    begin(text) {
      begunAt = now();
      const seconds = kinds.slice(done).reduce((sum, kind) => sum + secondsOf(kind), 0);
      const left = seconds < 60 ? `${Math.ceil(seconds)} s` : `${Math.ceil(seconds / 60)} min`;
      write(`${done + 1} of ${kinds.length}, about ${left} left: ${text}\n`);
    },
    end() {
      const kind = kinds[done] as string;
      taken.set(kind, [...(taken.get(kind) ?? []), (now() - begunAt) / 1_000]);
      done += 1;
    },
  };
}
