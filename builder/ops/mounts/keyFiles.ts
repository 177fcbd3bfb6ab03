import { chmodSync, chownSync, mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { TbuildError } from "../../../cache/errors.js";
import { mount as mountSync, MNT_DETACH, MS_NODEV, MS_NOEXEC, MS_NOSUID, umount2 } from "../../../cache/sys/mount.js";
import type { ExecMount, ExecOp, KeyFile } from "../../../solver/llb/op.js";
import type { BindMount } from "../../executor/executor.js";
import type { SecretStore } from "../../secrets/secretStore.js";
import { newName } from "../snapshotStep.js";
import type { MountContext } from "./context.js";

/** A secret's value in a file of its own, which is in memory only; null for an optional one that the build was not given. */
export function openSecret({ dest }: ExecMount, file: KeyFile, { deps, stack }: MountContext): BindMount | null {
  const value = deps.secrets.get(file.id);
  if (value === null) return leftOut("secret", file);
  const dir = path.join(deps.store.scratch, "secrets", newName());
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  mountSync("tmpfs", dir, "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, "mode=0700,size=1m");
  stack.use({ [Symbol.asyncDispose]: async () => umount2(dir, MNT_DETACH) });
  const source = path.join(dir, "secret");
  writeFileSync(source, value, { mode: 0o600 });
  chownSync(source, file.uid, file.gid);
  chmodSync(source, file.mode);
  return { kind: "bind", source, dest, readonly: true, isFile: true };
}

/** The socket of an ssh agent; null for an optional one that the build was not given. */
export async function openAgent({ dest }: ExecMount, file: KeyFile, { deps, stack }: MountContext): Promise<BindMount | null> {
  const dir = path.join(deps.store.scratch, "ssh");
  mkdirSync(dir, { recursive: true, mode: 0o711 });
  const { uid, gid, mode } = file;
  const socket = await deps.agents.open(file.id, { path: path.join(dir, newName()), uid, gid, mode });
  if (socket === null) return leftOut("ssh agent", file);
  stack.use(socket);
  return { kind: "bind", source: socket.path, dest, readonly: true, isFile: true };
}

function leftOut(what: string, { id, optional }: KeyFile): null {
  if (optional) return null;
  throw new TbuildError("not_found", `Cannot mount the ${what} "${id}": the build was given none`);
}

/** `NAME=value` of each secret that a step wants in its environment; optional ones that are not there are left out. */
export function secretVariables(secrets: SecretStore, wanted: ExecOp["secretEnv"]): readonly string[] {
  return wanted.flatMap(({ id, name }) => {
    const value = secrets.get(id);
    return value === null ? [] : [`${name}=${value.toString("utf8")}`];
  });
}
