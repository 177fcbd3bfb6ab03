import { fromSystemError, isTbuildError, TbuildError, type ErrorCode } from "../errors.js";

/** The tar does not follow the format; `what` completes "Cannot read tar: …". */
export function malformedTar(what: string): TbuildError {
  return new TbuildError("parse_failed", `Cannot read tar: ${what}`);
}

/** The tar ends in the middle of an entry. */
export function truncatedTar(): TbuildError {
  return new TbuildError("corrupt", "Cannot read tar: it ends in the middle of an entry");
}

/** The compressed stream is damaged; `what` completes "Cannot decompress archive: …". */
export function damagedStream(what: string): TbuildError {
  return new TbuildError("corrupt", `Cannot decompress archive: ${what}`);
}

/** Entry `name` (latin1) would be written outside of the tree. */
export function escapingEntry(name: string): TbuildError {
  return new TbuildError("path_escape", `Cannot unpack ${quoteName(name)}: the name leaves the root`);
}

/** Entry `name` (latin1) cannot be unpacked; `why` completes the sentence. */
export function cannotUnpack(code: ErrorCode, name: string, why: string, cause?: unknown): TbuildError {
  return new TbuildError(code, `Cannot unpack ${quoteName(name)}: ${why}`, { cause });
}

/** The file at `name` (latin1) changed under the reader. */
export function changedWhileReading(name: string): TbuildError {
  return new TbuildError("corrupt", `Cannot pack ${quoteName(name)}: the file changed while it was read`);
}

/** `name` (latin1) cannot be put in a layer; `why` completes the sentence. */
export function cannotPack(name: string, why: string): TbuildError {
  return new TbuildError("unsupported", `Cannot pack ${quoteName(name)}: ${why}`);
}

/** A latin1 name as the user sees it: quoted, UTF-8 where it is UTF-8. */
export function quoteName(name: string): string {
  return `"${Buffer.from(name, "latin1").toString("utf8")}"`;
}

const refusals: Readonly<Record<string, { code: ErrorCode; why: string }>> = {
  EPERM: { code: "permission_denied", why: "operation not permitted" },
  EACCES: { code: "permission_denied", why: "permission denied" },
  EROFS: { code: "permission_denied", why: "read-only file system" },
  ENAMETOOLONG: { code: "unsupported", why: "the name is too long for this file system" },
  ENOTSUP: { code: "unsupported", why: "not supported by this file system" },
  EOPNOTSUPP: { code: "unsupported", why: "not supported by this file system" },
  EINVAL: { code: "unsupported", why: "the system refuses its metadata" },
  E2BIG: { code: "unsupported", why: "an extended attribute is too large" },
  ERANGE: { code: "unsupported", why: "an extended attribute is too large" },
  EMLINK: { code: "resource_exhausted", why: "too many hard links" },
  EFBIG: { code: "resource_exhausted", why: "the file is too large for this file system" },
  EILSEQ: { code: "unsupported", why: "the name is not allowed on this file system" },
};

/** Turns what the file system refuses to do for entry `name` (latin1) into a named error; others stay as they are. */
export function unpackError(error: unknown, name: string): unknown {
  const known = fromSystemError(error, Buffer.from(name, "latin1").toString("utf8"));
  if (isTbuildError(known)) return known;
  const refusal = refusals[(error as NodeJS.ErrnoException | null)?.code ?? ""];
  return refusal === undefined ? error : cannotUnpack(refusal.code, name, refusal.why, error);
}
