/** Thrown where someone has to do something, or what was measured is not good enough: its message says all, a stack would only hide it. */
export class BenchError extends Error {}
