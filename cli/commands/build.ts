import type { Builder } from "../../builder/builder.js";
import type { BuildRequest, BuildResult } from "../../builder/request.js";
import { asksForGc } from "../../builder/gc/asks.js";
import { isForEngine } from "../../builder/exportSpecs.js";
import type { ExportSpec } from "../../builder/exporter/exporter.js";
import { isDangling } from "../../cache/images.js";
import { hexOf } from "../../cache/oci/digest.js";
import { familiarReference, parseReference } from "../../cache/oci/reference.js";
import type { BuildArgs } from "../args/build.js";
import { type BackgroundBuild, stdinOf } from "../background.js";
import { imageSize } from "../imageInfo.js";
import { formatBytes } from "../../cache/formatBytes.js";
import { formatSeconds } from "../progress/format.js";
import { progressMode, showProgress } from "../progress/mode.js";
import { buildRequest, type LoadTarget } from "../request.js";
import { resultFile } from "../resultFile.js";
import type { Terminal } from "../terminal.js";
import { usage } from "../usage.js";

/**
 * Runs `tbuild build`, shows its progress on stderr and returns what goes to stdout. @throws {TbuildError} why the build
 * failed
 */
export async function buildCommand(builder: Builder, args: BuildArgs, terminal: Terminal, signal: AbortSignal, background: BackgroundBuild | null): Promise<string> {
  const startedAt = Date.now();
  const request = buildRequest(args, args.load ? await loadTarget() : "store");
  refuseConsole(request.outputs ?? []);
  const iidfile = args.iidfile === undefined ? null : resultFile(args.iidfile);
  const metadataFile = args.metadataFile === undefined ? null : resultFile(args.metadataFile);
  const mode = progressMode(args.progress, terminal);
  const build = builder.build(request, { signal, ref: background?.ref });
  await showProgress(background?.watch(build.progress, stdinOf(args)) ?? build.progress, mode, terminal, signal);
  const result = await build.result;
  background?.letGo();
  if (asksForGc(builder.gcConfig)) await collected(builder, terminal, signal);
  if (result.imageId !== null) iidfile?.write(result.imageId);
  metadataFile?.write(`${JSON.stringify(readableMetadata(result.metadata), null, 2)}\n`);
  if (mode === "quiet") return result.imageId === null ? "" : `${result.imageId}\n`;
  const took = formatSeconds((Date.now() - startedAt) / 1000);
  if (mode !== "rawjson") terminal.stderr.write(closing(builder, request, result, took));
  return "";
}

/** A build that is done has not failed because of what is left to do. */
async function collected({ store, gcConfig }: Builder, { stderr }: Terminal, signal: AbortSignal): Promise<void> {
  const { collectAfterBuild } = await import("../../builder/gc/afterBuild.js");
  await collectAfterBuild(store, gcConfig, { signal }).catch((error: unknown) => void stderr.write(`WARNING: Cannot collect: ${(error as Error).message}\n`));
}

async function loadTarget(): Promise<LoadTarget> {
  const { findEngine } = await import("../../builder/engine/client.js");
  return (await findEngine()) === null ? "store" : "engine";
}

function refuseConsole(outputs: readonly ExportSpec[]): void {
  const toStdout = outputs.some(({ attrs }) => attrs["dest"] === "-");
  if (toStdout && process.stdout.isTTY) {
    throw usage("Refusing to write a tar to the terminal", "Name a file, or redirect the output");
  }
}

/** Descriptors are base64 on the wire and JSON in the file, as buildx writes it. */
function readableMetadata(metadata: Readonly<Record<string, string>>): Readonly<Record<string, unknown>> {
  return Object.fromEntries(
    Object.entries(metadata).map(([key, value]) => [
      key,
      key === "containerimage.descriptor" ? (JSON.parse(Buffer.from(value, "base64").toString("utf8")) as unknown) : value,
    ]),
  );
}

/** What there is now, on one line for each output. */
function closing(builder: Builder, { outputs = [] }: BuildRequest, result: BuildResult, took: string): string {
  const files = outputs.flatMap(({ attrs }) => attrs["dest"] ?? []);
  const written = files.map((dest) => `Wrote ${dest === "-" ? "to standard output" : dest} in ${took}\n`);
  const isImage = outputs.length === 0 || outputs.some(({ type }) => type === "image" || type === "registry");
  const pushed = outputs.some(isPushed) ? pushedLine(result) : "";
  const loaded = outputs.some(isForEngine) ? `Loaded ${shownNames(result.metadata) || "it"} into Docker\n` : "";
  return `\n${isImage ? builtLine(builder, result, took) : ""}${pushed}${loaded}${written.join("")}`;
}

function isPushed({ type, attrs: { push = "false" } }: ExportSpec): boolean {
  return type === "registry" || /^(?:true|1|t|)$/i.test(push);
}

function pushedLine({ metadata }: BuildResult): string {
  return `Pushed ${shownNames(metadata)} as ${metadata["containerimage.digest"] ?? ""}\n`;
}

function shownNames(metadata: BuildResult["metadata"]): string {
  const names = (metadata["image.name"] ?? "").split(",").filter((name) => name !== "");
  return names.map((name) => familiarReference(parseReference(name))).join(", ");
}

function builtLine({ store }: Builder, { imageId, metadata }: BuildResult, took: string): string {
  if (imageId === null) return "";
  const [record] = store.images.byId(imageId);
  const size = record === undefined ? "" : `, ${formatBytes(imageSize(store, record))}`;
  const shown = shownNames(metadata);
  const named = shown === "" ? "an image without a name" : shown;
  const hint = shown === "" && (record === undefined || isDangling(record)) ? "; name it with -t" : "";
  return `Built ${named} (ID ${hexOf(imageId).slice(0, 12)}${size}) in ${took}${hint}\n`;
}
