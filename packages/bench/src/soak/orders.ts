import type { SoakPlan } from "./plan.ts";
import type { Churn } from "./population.ts";

export interface SoakOrder {
  readonly url: string;
  readonly plan: SoakPlan;
  readonly seconds: number;
}

/** Since the clients were there. */
export interface SoakTotals extends Churn {
  readonly seconds: number;
  readonly published: number;
  readonly deliveries: number;
  readonly doubled: number;
  /** 0 before it is complete: what is under way isn't lost. */
  readonly lost: number;
}

export type SoakAnswer =
  /** About once a second; `ended` when nothing more is published, `complete` when everything has come or was given up. */
  | { readonly type: "progress" | "ended" | "complete"; readonly totals: SoakTotals }
  | { readonly type: "failed"; readonly message: string };
