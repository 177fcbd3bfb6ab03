import type { SourceRange } from "../cache/errors.js";
import { hostPlatform, type Platform } from "../cache/oci/platform.js";
import { toBytes } from "../cache/tree/names.js";
import { dockerfileToDefinition } from "../frontend/mod.js";
import { defaultFrontendOptions, type ImageResolver } from "../frontend/options.js";
import { loadGraph, topologicalOrder } from "../solver/graph.js";
import { contextReads } from "./contextReads.js";
import { type FoundEntry, walkContext } from "./contextWalk.js";
import { type BuildInputs, readInputs } from "./inputs.js";
import type { BuildRequest } from "./request.js";

/** What decides what a build reads of its context. */
export interface ContextListRequest extends Pick<BuildRequest, "context" | "dockerfile" | "target" | "buildArgs"> {
  /** Default: this machine's. */
  readonly platform?: Platform | undefined;
}

/** Everything in a build context, and what of it a build reads. */
export interface ContextList {
  /** Absolute path. */
  readonly context: string;
  /** Names as in {@link BuildInputs}. */
  readonly dockerfile: string;
  readonly ignoreFile: string | null;
  /**
   * In byte order of the directories' entries. A directory that is left out with all that is in it is one entry, as is an
   * empty one that is read.
   */
  readonly entries: readonly ContextEntry[];
  /** References of images that the build needs; what their ONBUILD triggers copy is not known here. */
  readonly images: readonly string[];
}

/** A file, link or device of the context, or a directory (see {@link ContextList.entries}). */
export interface ContextEntry {
  /** From the context; "/" at the end of a directory. Bytes that are not UTF-8 are U+FFFD. */
  readonly path: string;
  /** Of regular files, in bytes. */
  readonly size: number;
  /** Files that the entry stands for: more than 1, or 0, for a directory. */
  readonly files: number;
  readonly state: "read" | "excluded" | "unused";
  /** The rule that excludes the entry, or that takes it back (`!`); null when no rule does. */
  readonly rule: RuleLine | null;
  /** The first instruction that reads it; null when none does. */
  readonly instruction: InstructionLine | null;
}

/** A line of the ignore file. */
export interface RuleLine {
  readonly file: string;
  readonly line: number;
  readonly pattern: string;
}

/** The first line of an instruction. */
export interface InstructionLine {
  readonly file: string;
  readonly line: number;
  readonly text: string;
}

/**
 * Lists what a build would read of its context without building: of all sources that the target's instructions name,
 * what the ignore file keeps. Registries are not asked. @throws {TbuildError} as a build, for its Dockerfile and context
 */
export async function listContext(request: ContextListRequest): Promise<ContextList> {
  const inputs = readInputs(request);
  const images = new Set<string>();
  const root = loadGraph(await planned(request, inputs, images));
  const reads = contextReads(topologicalOrder(root)).filter(({ directory }) => directory === "context");
  const found = walkContext(toBytes(inputs.context), inputs.ignore, reads.map(({ selection }) => selection));
  const instructions = reads.map(({ at }) => (at === undefined ? null : instructionLine(at, inputs)));
  return {
    context: inputs.context,
    dockerfile: inputs.dockerfile.name,
    ignoreFile: inputs.ignoreFile?.name ?? null,
    entries: found.map((entry) => contextEntry(entry, inputs, instructions)),
    images: [...images],
  };
}

async function planned(request: ContextListRequest, inputs: BuildInputs, images: Set<string>) {
  const resolveImage: ImageResolver = async (reference, { os, architecture }) => {
    images.add(reference);
    return { reference, digest: null, config: { os, architecture, rootfs: { type: "layers", diff_ids: [] } } };
  };
  const { definition } = await dockerfileToDefinition(inputs.dockerfile.bytes, {
    ...defaultFrontendOptions,
    file: inputs.dockerfile.name,
    target: request.target ?? null,
    buildArgs: new Map(Object.entries(request.buildArgs ?? {})),
    platform: request.platform ?? hostPlatform(),
    buildPlatform: hostPlatform(),
    resolveImage,
  });
  return definition;
}

function instructionLine({ file, start }: SourceRange, { dockerfile }: BuildInputs): InstructionLine {
  const text = dockerfile.bytes.toString("utf8").split(/\r?\n/)[start.line - 1] ?? "";
  return { file, line: start.line, text: text.trim() };
}

function contextEntry(found: FoundEntry, { ignoreFile }: BuildInputs, instructions: readonly (InstructionLine | null)[]): ContextEntry {
  const { path, size, files, state, rule, read } = found;
  const decided = rule < 0 || ignoreFile === null ? null : { file: ignoreFile.name, line: ignoreFile.lines[rule]!, pattern: ignoreFile.rules[rule]! };
  return { path, size, files, state, rule: decided, instruction: read < 0 ? null : (instructions[read] ?? null) };
}
