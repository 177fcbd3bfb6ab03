import type { SourceRange } from "../../../cache/errors.js";
import type { ChownOpt, FileActionBody } from "../../../solver/llb/op.js";
import type { Output } from "../../../solver/llb/state.js";
import { destPath, rootedPath } from "../contextPaths.js";
import { type FileChange, fileStep, inlineFile } from "../convertNodes.js";
import { type StageContext, type StageState, workingDir } from "../convertState.js";
import { refused } from "../errors.js";
import { redacted } from "../gitUrl.js";
import { withHistory } from "../history.js";
import { nextStep, shownText } from "../historySteps.js";
import type { AddInstruction, CopyInstruction, Heredoc } from "../instruction.js";
import { plainPath } from "../platformWord.js";
import { expand, expandBody } from "../scope.js";
import { type CopyMode, parseMode } from "./copyMode.js";
import { isLinked, linkedCopy } from "./linkedCopy.js";

/** COPY or ADD with its variables filled in. */
export interface ExpandedCopy {
  readonly sources: readonly string[];
  readonly files: readonly InlineFile[];
  /** As the history shows it. */
  readonly dest: string;
  /** Absolute; "/" at the end means a directory. */
  readonly target: string;
  readonly chown: string;
  readonly chmod: string;
  readonly mode: CopyMode;
  readonly exclude: readonly string[];
}

interface InlineFile {
  readonly name: string;
  readonly content: string;
}

type CopyAction = Extract<FileActionBody, { kind: "copy" }>;
type OwnerLookup = (spec: string) => ChownOpt | null;

/** Expands words and checks what goes together. @throws {TbuildError} invalid_argument */
export function expandCopy(ins: CopyInstruction | AddInstruction, s: StageState, c: StageContext): ExpandedCopy {
  const word = (text: string | null): string => (text === null ? "" : expand(text, s, c, ins.at));
  const sources = ins.sources.map(word);
  const dest = word(ins.dest);
  const plain = (path: string): string => plainPath(path, c.platform, ins.where(ins.dest));
  const several = sources.length + ins.heredocs.length > 1;
  if (several && !isDirectory(plain(dest))) {
    const message = `Cannot copy several sources to "${dest}": it is not written as a directory`;
    throw refused(message, ins.where(ins.dest), `Write "${dest}/"`);
  }
  const chmod = word(ins.chmod);
  return {
    sources,
    files: ins.heredocs.map((file) => ({ name: file.name, content: bodyOf(file, s, c, ins.at) })),
    dest,
    target: destPath(plain(workingDir(s)), plain(dest)),
    chown: word(ins.chown),
    chmod,
    mode: parseMode(chmod, ins.where(ins.chmod ?? "")),
    exclude: ins.exclude,
  };
}

/** What a copy step is made of. */
export interface CopyParts {
  /** One change for each source; gets the step's name. */
  readonly changes: (name: string) => readonly FileChange[];
  /** Flags that the history shows before the others. */
  readonly flags: readonly string[];
}

/** One file step with all sources, then the inline files; with `--link` one of its own, merged with what is below. */
export function copyStep(
  s: StageState,
  ins: CopyInstruction | AddInstruction,
  c: StageContext,
  copy: ExpandedCopy,
  parts: CopyParts,
): StageState {
  const shown = withoutLogins(shownText(ins, s, c));
  const { name, state } = nextStep(s, c, shown);
  const changes = [...parts.changes(name), ...copy.files.map((file) => inlineCopy(file, copy, ins.at))];
  const info = { name, at: [ins.at], ignoreCache: c.ignoreCache, platform: null };
  const root = isLinked(ins, copy)
    ? linkedCopy(s.root, changes, info, nextStep(s, c, `LINK ${shown}`).name)
    : fileStep(s.root, changes, info);
  return withHistory({ ...state, root }, c, historyText(ins.name.toUpperCase(), copy, parts.flags), "layer");
}

/** Copies a path of `tree`, wildcards and all. */
export function localCopy(
  source: string,
  tree: Output | null,
  copy: ExpandedCopy,
  how: { readonly unpack: boolean; readonly parents: boolean },
): FileChange {
  const { src, includePatterns, requiredPaths } = how.parents ? splitParents(source) : plainSource(source);
  return {
    source: tree,
    action: (owner) => ({
      ...copyAction(src, copy, owner),
      followSymlink: true,
      dirCopyContents: true,
      attemptUnpack: how.unpack,
      allowWildcard: true,
      allowEmptyWildcard: true,
      includePatterns,
      requiredPaths,
    }),
  };
}

/** A copy of `src` to the instruction's target, with nothing special about it. */
export function copyAction(src: string, copy: ExpandedCopy, owner: OwnerLookup): CopyAction {
  return {
    kind: "copy",
    src,
    dest: copy.target,
    owner: owner(copy.chown),
    mode: copy.mode.mode,
    modeStr: copy.mode.modeStr,
    followSymlink: false,
    dirCopyContents: false,
    attemptUnpack: false,
    createDestPath: true,
    allowWildcard: false,
    allowEmptyWildcard: false,
    timestamp: -1n,
    includePatterns: [],
    excludePatterns: copy.exclude,
    alwaysReplaceExistingDestPaths: false,
    requiredPaths: [],
  };
}

function inlineCopy(file: InlineFile, copy: ExpandedCopy, at: SourceRange): FileChange {
  const path = rootedPath(file.name);
  return {
    source: inlineFile(path, 0o644, Buffer.from(file.content), at),
    action: (owner) => copyAction(path, copy, owner),
  };
}

interface SourcePattern {
  readonly src: string;
  readonly includePatterns: readonly string[];
  readonly requiredPaths: readonly string[];
}

function plainSource(source: string): SourcePattern {
  return { src: rootedPath(source), includePatterns: [], requiredPaths: [] };
}

/** `--parents`: what is after "/./" keeps its directories; it must exist unless it is a pattern. */
function splitParents(source: string): SourcePattern {
  const pivot = source.indexOf("/./");
  const [parent, kept] = pivot < 0 ? ["/", source] : [source.slice(0, pivot), source.slice(pivot + 3)];
  const pattern = rootedPath(kept);
  const exact = !/(?:^|[^\\])[*?[]/.test(`${parent}/${kept}`);
  return {
    src: rootedPath(parent),
    includePatterns: [pattern.slice(1)],
    requiredPaths: exact ? [rootedPath(`${parent}/${kept}`)] : [],
  };
}

function historyText(keyword: string, copy: ExpandedCopy, flags: readonly string[]): string {
  const owner = copy.chown === "" ? [] : [`--chown=${copy.chown}`];
  const mode = copy.chmod === "" ? [] : [`--chmod=${copy.chmod}`];
  const files = copy.files.map(({ name }) => `<<${name}`);
  return [keyword, ...flags, ...owner, ...mode, ...copy.sources.map(redacted), ...files, copy.dest, "# buildkit"].join(" ");
}

/** Text of an instruction without the logins in its URLs, which neither logs nor images may tell. */
function withoutLogins(text: string): string {
  return text.replaceAll(/[^\s"'[\],]+/g, redacted);
}

function bodyOf(file: Heredoc, s: StageState, c: StageContext, at: SourceRange): string {
  return file.expand ? expandBody(file.content, s, c, at) : file.content;
}

function isDirectory(dest: string): boolean {
  return dest === "" || /(?:^|\/)\.{0,2}$/.test(dest);
}
