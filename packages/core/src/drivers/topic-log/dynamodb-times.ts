import { VOID_AFTER_MS } from "../../ports/topic-log.ts";
import { CALL_TIMEOUT_MS } from "../dynamodb/client.ts";

/*
 * A number's age counts from its publisher's clock just before it was taken. Clocks of two publishers or readers may differ by
 * CLOCK_SKEW_MS; AWS keeps those of Lambda within milliseconds.
 */
export const CLOCK_SKEW_MS = 2_000;

/**
 * By this age a number is written, or its publisher does not acknowledge it: the write begins before VOID_AFTER_MS and is bounded by the
 * call's timeout. Only a process that was frozen in between is later; where it has a key, it withdraws what it wrote and takes new numbers.
 */
export const LAST_WRITE_MS = VOID_AFTER_MS + CALL_TIMEOUT_MS;

/**
 * What was taken longer ago is settled: a number of that age that isn't written never will be, even if the call that took it was as slow as
 * calls may be. Readers need not look at it again, nor make it void.
 */
export const SETTLED_AFTER_MS = LAST_WRITE_MS + CALL_TIMEOUT_MS + CLOCK_SKEW_MS;

/** How long a topic may lie still before it, and its epoch, are forgotten. */
export const TOPIC_LIFE_MS = 24 * 3_600_000;

/** A topic that is read keeps at least this much of its life: longer than any connection lives, so that no place outlives its epoch. */
export const TOPIC_LIFE_LEFT_MS = 3 * 3_600_000;

/**
 * Rows of the log outlive a topic that isn't used after them. One that is only read may live on for longer, so that a number without a row
 * doesn't prove that it was never written, unless its epoch is younger than this: a reader of history asks for proof.
 */
export const LOG_ROW_LIFE_MS = TOPIC_LIFE_MS + 3_600_000;
