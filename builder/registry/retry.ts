import { setTimeout as delay } from "node:timers/promises";
import { cancelled, type TbuildError } from "../../cache/errors.js";
import type { Opts } from "../../cache/content/store.js";
import type { StepReporter } from "../../solver/progress.js";

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
  /** A server that asks for a longer wait is not waited for; default five minutes. */
  readonly longestWaitMs?: number | undefined;
}

/** Options of work whose retries a step's output tells of. */
export interface ReportedOpts extends Opts {
  readonly report?: Pick<StepReporter, "log"> | undefined;
}

/** Hears of an attempt that failed and of how long we wait before the next, in milliseconds. */
export type OnRetry = (error: TbuildError, waitMs: number) => void;

const FIRST_WAIT_MS = 250;
const LONGEST_OWN_WAIT_MS = 30_000;
const LONGEST_WAIT_MS = 300_000;

/**
 * First value that an attempt yields. Waits as long as the server asks, else twice as long before each further attempt.
 * @throws the last error
 */
export async function withRetries<T>(attempt: () => Promise<Outcome<T>>, options: RetryOptions): Promise<T> {
  for (let made = 1; ; made++) {
    if (options.signal?.aborted) throw cancelled(options.signal);
    const outcome = await attempt();
    if (outcome.kind === "done") return outcome.value;
    const isTooLong = (outcome.afterMs ?? 0) > (options.longestWaitMs ?? LONGEST_WAIT_MS);
    if (made >= options.attempts || isTooLong) throw outcome.error;
    await setback(outcome, made, options);
  }
}

/** Tells of the attempt number `made` (from 1) that failed, and waits until it is time for the next. @throws {TbuildError} cancelled */
export async function setback(
  { error, afterMs }: Outcome<never> & { readonly kind: "again" },
  made: number,
  { signal, onRetry }: Pick<RetryOptions, "signal" | "onRetry">,
): Promise<void> {
  const waitMs = afterMs ?? Math.min(FIRST_WAIT_MS * 2 ** (made - 1), LONGEST_OWN_WAIT_MS);
  onRetry?.(error, waitMs);
  await wait(waitMs, signal);
}

/** Options with which retries are told in the step's output. */
export function retrying({ signal, report }: ReportedOpts): { readonly signal: AbortSignal | undefined; readonly onRetry: OnRetry } {
  const onRetry: OnRetry = ({ message }, waitMs) => {
    report?.log(2, Buffer.from(`${message}; trying again in ${(waitMs / 1000).toFixed(1)} s\n`));
  };
  return { signal, onRetry };
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
