import { readFileSync } from "node:fs";
import type { Builder } from "../../builder/builder.js";
import type { CreateSource } from "../../builder/imageCreate.js";
import { TbuildError } from "../../cache/errors.js";
import type { Descriptor } from "../../cache/oci/descriptor.js";
import { isDigest } from "../../cache/oci/digest.js";
import { parsePlatform } from "../../cache/oci/platform.js";
import type { ImageCreateArgs } from "../args/imageCreate.js";
import { parseAnnotationFlag } from "../flags/annotation.js";
import { progressMode, showProgress } from "../progress/mode.js";
import type { Terminal } from "../terminal.js";

/**
 * `tbuild image create`: shows progress on stderr and returns each name with the digest, or with --dry-run the index.
 * @throws {TbuildError} usage, invalid_argument, not_found, unauthorized, unavailable
 */
export async function createImageCommand(builder: Builder, args: ImageCreateArgs, terminal: Terminal, signal: AbortSignal): Promise<string> {
  const { tag, append, dryRun, preferIndex } = args;
  const task = builder.createImage(
    {
      names: tag,
      sources: [...args.file.flatMap(sourcesOf), ...args.sources.map((name) => ({ name }))],
      append,
      dryRun,
      preferIndex,
      annotations: args.annotation.flatMap((text) => parseAnnotationFlag(text, "index")),
      platforms: args.platform.map((platform) => parsePlatform(platform)),
    },
    { signal },
  );
  await showProgress(task.progress, progressMode(args.progress, terminal), terminal, signal);
  const { names, digest, bytes } = await task.result;
  return dryRun ? `${bytes.toString("utf8")}\n` : names.map((name) => `${name}@${digest}\n`).join("");
}

/** A file of one descriptor, of several in an array, or of an index. */
function sourcesOf(file: string): readonly CreateSource[] {
  const value = readJson(file);
  const list = Array.isArray(value) ? (value as readonly unknown[]) : ((value as { manifests?: readonly unknown[] } | null)?.manifests ?? [value]);
  return list.map((one) => {
    const { digest, platform, annotations } = (one ?? {}) as Partial<Descriptor>;
    if (typeof digest === "string" && isDigest(digest)) return { name: digest, platform, annotations };
    throw new TbuildError("parse_failed", `Cannot read descriptors from "${file}": one has no digest`, { hint: 'Write {"digest": "sha256:…"}, or an array of such' });
  });
}

function readJson(file: string): unknown {
  try {
    return JSON.parse(readFileSync(file, "utf8")) as unknown;
  } catch (error) {
    const { syscall, code } = error as NodeJS.ErrnoException;
    if (syscall === undefined) throw new TbuildError("parse_failed", `Cannot read descriptors from "${file}": it is no JSON`, { cause: error });
    throw new TbuildError("not_found", `Cannot read descriptors from "${file}": ${code}`, { cause: error });
  }
}
