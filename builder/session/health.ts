import { setTimeout as delay } from "node:timers/promises";
import { TbuildError } from "../../cache/errors.js";
import { checkHealth } from "../api/session.js";
import { ask, type Callee } from "./calls.js";
import type { HealthPolicy } from "./sessionHeaders.js";

/**
 * Asks again and again whether the client is there, until `closed`; calls `onDead` once when it is not. A client that is
 * busy, or far away, is given longer the next time. Source: BuildKit, session/grpc.go "monitorHealth".
 */
export async function watchHealth(
  callee: Callee,
  policy: HealthPolicy,
  closed: AbortSignal,
  onDead: (error: TbuildError) => void,
): Promise<void> {
  let failures = 0;
  let lastMs = 0;
  for (;;) {
    await delay(policy.intervalMs, null, { signal: closed }).catch(() => {});
    if (closed.aborted) return;
    const started = performance.now();
    const timeoutMs = Math.max(policy.timeoutMs, 1.5 * lastMs);
    const error = await ask(callee, checkHealth, {}, { timeoutMs, signal: closed }).then(() => null, (cause: unknown) => ({ cause }));
    if (closed.aborted) return;
    lastMs = performance.now() - started;
    failures = error === null ? 0 : failures + 1;
    if (failures >= policy.failures) return onDead(dead(error?.cause));
  }
}

function dead(cause: unknown): TbuildError {
  const why = cause instanceof Error ? `: ${cause.message}` : "";
  return new TbuildError("unavailable", `The session was closed, because its health check failed${why}`, { cause });
}
