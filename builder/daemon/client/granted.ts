import { TbuildError } from "../../../cache/errors.js";

/** Those that are the daemon's to give; clients also tell of what they allow themselves. @throws {TbuildError} permission_denied */
export function granted(asked: readonly string[], allowed: readonly string[]): readonly string[] {
  const ours = asked.filter((name) => /^(?:network\.host|security\.insecure|device)/.test(name));
  const refused = ours.find((name) => !allowed.some((one) => name.startsWith(one)));
  if (refused === undefined) return ours;
  throw new TbuildError("permission_denied", `Cannot allow ${refused}`, { hint: `Start the daemon with --allow-insecure-entitlement ${refused}` });
}
