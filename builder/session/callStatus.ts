import { type ErrorCode, TbuildError } from "../../cache/errors.js";

/** How a call ended, as the other end says it. */
export interface CallStatus {
  /** A number of gRPC's table of status codes. */
  readonly code: number;
  readonly message: string;
  /** Bytes of a google.rpc.Status that says more, or null. */
  readonly details: Uint8Array | null;
}

/** Code of success. */
export const OK = 0;

// Source: gRPC, doc/statuscodes.md. What is not here is a failure of the client's that it has no name for.
const codes: Readonly<Record<number, ErrorCode>> = {
  1: "cancelled",
  3: "invalid_argument",
  5: "not_found",
  6: "already_exists",
  7: "permission_denied",
  8: "resource_exhausted",
  9: "unavailable",
  11: "invalid_argument",
  12: "unsupported",
  15: "corrupt",
  16: "unauthorized",
};

/** The error for a call of `path` that did not end well; its cause is a plain Error that {@link callStatusOf} looks into. */
export function callError(path: string, status: CallStatus): TbuildError {
  const why = status.message === "" ? `status ${status.code}` : status.message;
  return new TbuildError(codes[status.code] ?? "unavailable", `Cannot call "${path}" of the client: ${why}`, {
    cause: Object.assign(new Error(status.message), { callStatus: status }),
  });
}

/** The error for a connection or call that broke off. */
export function brokenCall(path: string, why: string, cause?: unknown): TbuildError {
  return new TbuildError("unavailable", `Cannot call "${path}" of the client: ${why}`, { cause });
}

/** The status behind an error of {@link callError}, or null: all other errors, also of a connection that broke off. */
export function callStatusOf(error: unknown): CallStatus | null {
  const cause = (error as { cause?: { callStatus?: CallStatus } } | null)?.cause;
  return cause?.callStatus ?? null;
}

type Headers = Readonly<Record<string, string | readonly string[] | number | boolean | undefined>>;

/** The status in headers or trailers, or null when there is none. Source: gRPC, doc/PROTOCOL-HTTP2.md. */
export function statusIn(headers: Headers): CallStatus | null {
  const code = headers["grpc-status"];
  if (code === undefined) return null;
  const details = headers["grpc-status-details-bin"];
  return {
    code: /^\d+$/.test(String(code)) ? Number(code) : 2,
    message: percentDecoded(String(headers["grpc-message"] ?? "")),
    details: typeof details === "string" ? Buffer.from(details, "base64") : null,
  };
}

/** Text that is not well encoded is shown as it came. */
function percentDecoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
