import path from "node:path";
import type { ContainerConfig } from "../../cache/oci/descriptor.js";
import type { Platform } from "../../cache/oci/platform.js";
import { TbuildError } from "../../cache/errors.js";
import { defaultPath } from "../../frontend/dockerfile/configImage.js";
import type { Definition } from "../../solver/llb/definition.js";
import { marshal } from "../../solver/llb/marshal.js";
import { exec, type Output, output, source } from "../../solver/llb/state.js";

/** An image that makes SBOMs. */
export interface Generator {
  /** Full reference, with the digest if that is known. */
  readonly reference: string;
  readonly platform: Platform;
  readonly config: ContainerConfig;
  readonly params: Readonly<Record<string, string>>;
}

/** Name of the scan of the result itself, whose file begins so. */
export const CORE = "sbom";

const SOURCES = "/run/src";
const OUT = "/run/out/";

/**
 * The graph of one run of a generator over a tree and others by name; its result is what the generator has written.
 * Source: BuildKit, docs/attestations/sbom-protocol.md. @throws {TbuildError} invalid_argument for an image without a command
 */
export function generatorGraph(generator: Generator, shown: string, core: Output | null, extras: ReadonlyMap<string, Output | null>): Definition {
  const { reference, platform, config, params } = generator;
  const args = [...(config.Entrypoint ?? []), ...(config.Cmd ?? [])];
  if (args.length === 0) throw new TbuildError("invalid_argument", `Cannot make an SBOM: scanner ${reference} does not have cmd`);
  const coreDir = path.posix.join(SOURCES, "core", CORE);
  const own = config.Env ?? [];
  const env = [
    ...(own.some((line) => line.startsWith("PATH=")) ? [] : [`PATH=${defaultPath}`]),
    ...own,
    `BUILDKIT_SCAN_DESTINATION=${OUT}`,
    `BUILDKIT_SCAN_SOURCE=${coreDir}`,
    ...(extras.size === 0 ? [] : [`BUILDKIT_SCAN_SOURCE_EXTRAS=${SOURCES}/extras/`]),
    ...Object.entries(params).map(([name, value]) => `BUILDKIT_SCAN_${name}=${value}`),
  ];
  const mounts = [
    { dest: "/", from: source(`docker-image://${reference}`, {}, { platform }) },
    { dest: "/tmp", type: { kind: "tmpfs", size: 0 } as const },
    { dest: coreDir, from: core, readonly: true },
    ...[...extras].map(([name, from]) => ({ dest: path.posix.join(SOURCES, "extras", `${CORE}-${name}`), from, readonly: true })),
    { dest: OUT, keep: true },
  ];
  const meta = { args, env, cwd: path.posix.resolve("/", config.WorkingDir ?? "/") };
  const metadata = { description: { "llb.customname": `[${shown}] generating sbom using ${reference}` } };
  return marshal(output(exec({ meta, mounts }, { platform, metadata })), []);
}
