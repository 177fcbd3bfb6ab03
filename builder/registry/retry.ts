import { setTimeout as delay } from "node:timers/promises";
import { cancelled, type TbuildError } from "../../cache/errors.js";

/** How an attempt ended: with a value, or with an error that may pass. Lasting errors are thrown. */
export type Outcome<T> =
  | { readonly kind: "done"; readonly value: T }
  /** `afterMs` is what the server asked us to wait; null leaves it to us. */
  | { readonly kind: "again"; readonly error: TbuildError; readonly afterMs: number | null };

/** Options of {@link withRetries}. */
export interface RetryOptions {
  readonly attempts: number;
  readonly signal?: AbortSignal | undefined;
  /** Told before each wait. */
  readonly onRetry?: OnRetry | undefined;
}

/** Hears of an attempt that failed and of how long we wait before the next, in milliseconds. */
export type OnRetry = (error: TbuildError, waitMs: number) => void;

const FIRST_WAIT_MS = 250;
const LONGEST_WAIT_MS = 30_000;

/** First value that an attempt yields; waits twice as long before each further attempt. @throws the last error */
export async function withRetries<T>(attempt: () => Promise<Outcome<T>>, options: RetryOptions): Promise<T> {
  for (let made = 1; ; made++) {
    if (options.signal?.aborted) throw cancelled(options.signal);
    const outcome = await attempt();
    if (outcome.kind === "done") return outcome.value;
    if (made >= options.attempts) throw outcome.error;
    const waitMs = Math.min(outcome.afterMs ?? FIRST_WAIT_MS * 2 ** (made - 1), LONGEST_WAIT_MS);
    options.onRetry?.(outcome.error, waitMs);
    await wait(waitMs, options.signal);
  }
}

/** Milliseconds that a Retry-After header asks for, in seconds or as a date; null when there is none. Source: RFC 9110 10.2.3. */
export function retryAfterMs(header: string | undefined, now: number = Date.now()): number | null {
  if (header === undefined) return null;
  if (/^\d+$/.test(header.trim())) return Number(header) * 1000;
  const date = Date.parse(header);
  return Number.isNaN(date) ? null : Math.max(0, date - now);
}

async function wait(ms: number, signal: AbortSignal | undefined): Promise<void> {
  try {
    await delay(ms, undefined, signal === undefined ? {} : { signal });
  } catch {
    throw cancelled(signal);
  }
}
