import { formatPlatform, type Platform } from "../../cache/oci/platform.js";
import type { ExecOp, FileOp } from "../../solver/llb/op.js";
import { actionName } from "../../solver/vertexName.js";

/** Readable form of what identifies a RUN step; secrets have no values in an op. */
export function execAttributes(op: ExecOp, platform: Platform | null): Readonly<Record<string, string>> {
  const attributes: Record<string, string> = {
    command: JSON.stringify(op.meta.args),
    cwd: op.meta.cwd,
    user: op.meta.user,
    network: op.network,
    platform: platform === null ? "" : formatPlatform(platform),
  };
  for (const pair of op.meta.env) {
    const at = pair.indexOf("=");
    attributes[`env.${pair.slice(0, at)}`] = pair.slice(at + 1);
  }
  for (const mount of op.mounts) attributes[`mount.${mount.dest}`] = `${mount.type.kind} ${mount.selector}`.trim();
  return attributes;
}

/** Readable form of what identifies a file step. */
export function fileAttributes(op: FileOp): Readonly<Record<string, string>> {
  return Object.fromEntries(op.actions.map((action, index) => [`action.${index}`, actionName(action)]));
}
