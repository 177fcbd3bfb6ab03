import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { rename, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import type { Platform } from "../../cache/oci/platform.js";
import type { WorkerRecordInput } from "../api/worker.js";
import type { WorkerConfig } from "../config.js";
import { gcPolicies, spaceBytes } from "../gc/rules.js";

/** What BuildKit's clients are told that they talk to. `version` is ours. */
export interface Version {
  readonly package: string;
  readonly version: string;
  readonly revision: string;
  readonly dockerfileVersion: string;
}

/** The version that a daemon of this version of tbuild answers. */
export function versionOf(version: string): Version {
  return { package: "tbuild", version: `v${version}`, revision: "", dockerfileVersion: "" };
}

const LABEL = "org.mobyproject.buildkit.worker.";

/** What {@link workerRecord} tells of. */
export interface WorkerParts {
  readonly id: string;
  readonly root: string;
  readonly config: WorkerConfig;
  readonly platforms: readonly Platform[];
  readonly labels: Readonly<Record<string, string>>;
  readonly version: Version;
}

/** The one worker of a daemon as clients list it. */
export function workerRecord({ id, root, config, platforms, labels, version }: WorkerParts): WorkerRecordInput {
  return {
    id,
    labels: {
      [`${LABEL}executor`]: "oci",
      [`${LABEL}hostname`]: os.hostname(),
      [`${LABEL}network`]: "host",
      [`${LABEL}oci.process-mode`]: "sandbox",
      [`${LABEL}selinux.enabled`]: "false",
      [`${LABEL}snapshotter`]: config.snapshotter ?? "overlayfs",
      ...labels,
    },
    platforms,
    gcPolicy: gcPolicies(config, root).map((policy) => ({
      all: policy.all,
      filters: policy.filters,
      keepDuration: (policy.keepDurationMs ?? 0) * 1e6,
      reservedSpace: spaceBytes(policy.reserved, root),
      maxUsedSpace: spaceBytes(policy.maxUsed, root),
      minFreeSpace: spaceBytes(policy.minFree, root),
    })),
    buildkitVersion: version,
  };
}

/** The name of the store at `root` as a worker: made at the first call, and the same ever after. */
export async function workerId(root: string): Promise<string> {
  const file = path.join(root, "workerid");
  try {
    return readFileSync(file, "utf8").trim();
  } catch {
    const id = randomBytes(16).toString("hex");
    await writeFile(`${file}.${id}`, `${id}\n`);
    await rename(`${file}.${id}`, file);
    return id;
  }
}
