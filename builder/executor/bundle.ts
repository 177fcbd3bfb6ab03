import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import type { DeviceEdits } from "../cdi/edits.js";
import { ownCapabilities } from "./capabilities.js";
import type { ProcessSpec } from "./executor.js";
import { cgroupVersion } from "./host.js";
import { insecureDevices } from "./hostDevices.js";
import { hostsFile, resolvConfFile } from "./netFiles.js";
import { specJson } from "./rlimits.js";
import { runtimeSpec } from "./spec.js";
import { readAccounts, resolveUser } from "./user.js";

interface BundleOptions {
  readonly scratch: string;
  readonly architecture: string;
}

/** What the runtime is told of a container. Disposing removes it. */
export interface Bundle extends Disposable {
  readonly dir: string;
  /** File that the runtime writes its errors to, as JSON lines. */
  readonly log: string;
}

/** Writes the bundle of a process below `scratch`. `architecture` is the GOARCH of this machine. @throws {TbuildError} not_found for its user */
export function makeBundle({ scratch, architecture }: BundleOptions, process: ProcessSpec, edits: DeviceEdits): Bundle {
  const dir = path.join(scratch, "bundles", process.id);
  const hostNetwork = process.network !== "none";
  const user = resolveUser(process.user, readAccounts(process.rootfs));
  const facts = {
    architecture,
    cgroupVersion: cgroupVersion(),
    resolvConf: resolvConfFile(scratch, hostNetwork),
    hosts: hostsFile(scratch, process.hostname, process.extraHosts),
    capabilities: ownCapabilities(),
    insecureDevices: insecureDevices(),
  };
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  writeFileSync(path.join(dir, "config.json"), specJson(runtimeSpec(process, user, facts, edits)));
  return { dir, log: path.join(dir, "runtime.log"), [Symbol.dispose]: () => rmSync(dir, { recursive: true, force: true }) };
}
