/** What a client says of its session when it opens it. */
export interface SessionOffer {
  readonly id: string;
  readonly name: string;
  /** Who may share copies of directories: directories of equal names and keys are taken for the same. */
  readonly sharedKey: string;
  /** "/package.Service/Method", lower case. */
  readonly methods: ReadonlySet<string>;
  readonly health: HealthPolicy;
}

/** How a session is watched. */
export interface HealthPolicy {
  readonly intervalMs: number;
  /** Least time for an answer; it grows with what the last one took. */
  readonly timeoutMs: number;
  /** So many failures in a row end the session. */
  readonly failures: number;
}

const usual: HealthPolicy = { intervalMs: 5_000, timeoutMs: 15_000, failures: 2 };
/** No client is watched more closely than this. */
const LEAST_MS = 1_000;

/**
 * Reads the headers of a Control.Session call; `valuesOf` gives those of a name in lower case. Source: BuildKit,
 * session/session.go and session/grpc.go.
 */
export function readSessionHeaders(valuesOf: (name: string) => readonly string[]): SessionOffer {
  const [id = ""] = valuesOf("x-docker-expose-session-uuid");
  const [name = ""] = valuesOf("x-docker-expose-session-name");
  const [sharedKey = ""] = valuesOf("x-docker-expose-session-sharedkey");
  const [timeout = ""] = valuesOf("x-buildkit-session-health-custom-timeout");
  // Several headers of one name may have been joined on their way.
  const methods = valuesOf("x-docker-expose-session-grpc-method").flatMap((value) => value.split(/,\s*/));
  return { id, name, sharedKey, methods: new Set(methods.map((path) => path.toLowerCase())), health: healthPolicy(timeout) };
}

function healthPolicy(timeout: string): HealthPolicy {
  const ms = /^\d+$/.test(timeout) ? Number(timeout) : 0;
  if (ms === 0) return usual;
  const closely = Math.max(ms, LEAST_MS);
  return { intervalMs: closely, timeoutMs: closely, failures: 1 };
}
