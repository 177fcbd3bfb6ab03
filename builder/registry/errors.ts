import { TbuildError, type ErrorCode } from "../../cache/errors.js";
import type { Digest } from "../../cache/oci/digest.js";
import { formatReference, type Reference } from "../../cache/oci/reference.js";

/** What a request to a registry was for; messages name it. */
export interface RegistryTarget {
  readonly reference: Reference;
  /** Host that was asked, which may be a mirror's. */
  readonly host: string;
  /** Default "get". */
  readonly doing?: "get" | "push" | "login";
}

/** Whether a login was shown to the registry: that says what to do when it lets nobody in. */
export type LoginShown = "none" | "shown";

/** The registry answered `status`, and not with what was asked for. `detail` is the server's own message, without secrets. */
export function badStatus(target: RegistryTarget, what: string, status: number, detail: string, login: LoginShown = "none"): TbuildError {
  const said = detail === "" ? "" : `: ${detail}`;
  return failure(codeOf(status), target, what, `registry answered ${status}${said}`, hintOf(status, target, login));
}

/** No answer came: the connection failed, or broke off too often. */
export function unreachableRegistry(target: RegistryTarget, what: string, cause: unknown): TbuildError {
  const code = (cause as NodeJS.ErrnoException | null)?.code;
  const reason = cause instanceof Error && cause.message !== "" ? cause.message : (code ?? String(cause));
  return failure("unavailable", target, what, reason, connectionHint(code, target.host), cause);
}

/** The bytes that came are not those of the digest. */
export function wrongDigest(target: RegistryTarget, what: string, wanted: Digest, got: string): TbuildError {
  return failure("digest_mismatch", target, what, `expected ${wanted}, got ${got}`);
}

/** The registry refuses the credentials, or wants some where there are none. */
export function unauthorized(target: RegistryTarget, what: string, reason: string, login: LoginShown): TbuildError {
  return failure("unauthorized", target, what, reason, loginHint(target, login));
}

/** The answer cannot be understood, or is larger than anything honest. */
export function badAnswer(target: RegistryTarget, what: string, reason: string): TbuildError {
  return failure("corrupt", target, what, reason);
}

/** An image of a kind that tbuild does not read. */
export function unsupportedImage(target: RegistryTarget, reason: string): TbuildError {
  return failure("unsupported", target, "image", reason);
}

function failure(
  code: ErrorCode,
  { reference, host, doing = "get" }: RegistryTarget,
  what: string,
  reason: string,
  hint?: string,
  cause?: unknown,
): TbuildError {
  const way = doing === "push" ? "to" : "from";
  const attempt = doing === "login" ? `log in to ${reference.registry}` : `${doing} ${what} of "${formatReference(reference)}" ${way} ${host}`;
  return new TbuildError(code, `Cannot ${attempt}: ${reason}`, { hint, cause });
}

function codeOf(status: number): ErrorCode {
  if (status === 404) return "not_found";
  if (status === 401 || status === 403) return "unauthorized";
  return "unavailable";
}

function hintOf(status: number, target: RegistryTarget, login: LoginShown): string | undefined {
  if (status === 404) return target.doing === "push" ? "The repository may have to be made first" : "Check the name and the tag";
  if (status === 401) return loginHint(target, login);
  if (status === 403) return loginHint(target, "none");
  return status === 429 ? "The registry limits the rate of requests; log in or use a mirror" : undefined;
}

function loginHint({ host, doing }: RegistryTarget, login: LoginShown): string {
  if (doing === "login") return "Check the user name and the password";
  const name = host === "registry-1.docker.io" ? "" : ` ${host}`;
  if (login === "shown") return `The login that is kept may be wrong or have expired: \`tbuild login${name}\``;
  const why = doing === "push" ? "A push needs a login that may write" : "The repository may not exist or may need a login";
  return `${why}: \`tbuild login${name}\``;
}

function connectionHint(code: string | undefined, host: string): string | undefined {
  if (code === undefined) return undefined;
  if (/EXPIRED|NOT_YET_VALID/.test(code)) return "Have the certificate renewed, or check this machine's clock";
  if (/ALTNAME/.test(code)) return `Use the name that the certificate is for, or set [registry."${host}"] insecure = true in tbuild.toml`;
  if (/CERT|SELF_SIGNED|ISSUER|LEAF_SIGNATURE/.test(code)) {
    return `Name the authority in tbuild.toml: [registry."${host}"] ca = ["/path/ca.pem"]`;
  }
  return code === "EPROTO" ? `If the registry speaks plain HTTP, set [registry."${host}"] http = true in tbuild.toml` : undefined;
}
