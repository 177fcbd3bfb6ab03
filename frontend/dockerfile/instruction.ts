import type { SourceRange } from "../../cache/errors.js";

/** What every instruction carries. */
export interface InstructionBase {
  /** From the keyword to the end of its last line, heredoc bodies included. */
  readonly at: SourceRange;
  /** The instruction on one line as the history shows it: continuations joined, comments dropped, keyword as written. */
  readonly original: string;
  /** Keyword exactly as written. */
  readonly keyword: string;
  /** Comment lines directly above, without "#", in order. */
  readonly comments: readonly string[];
  /** Where a word of the instruction is first, written so; `at` when it is not there as such. For errors about it. */
  readonly where: (word: Word) => SourceRange;
}

/** What an instruction has beside what every one carries. */
export type Own<I extends InstructionBase> = Omit<I, keyof InstructionBase>;

/** A word of the source, not yet expanded: quotes, escapes and `$` are as written. */
export type Word = string;

/** Shell form keeps its text (continuations joined, escapes as written); exec form is the decoded JSON array. */
export type Command =
  | { readonly form: "shell"; readonly text: string }
  | { readonly form: "exec"; readonly args: readonly string[] };

/** A here-document. */
export interface Heredoc {
  /** Delimiter without quotes. */
  readonly name: string;
  /** Body with its newlines; leading tabs already removed when `chomp`. */
  readonly content: string;
  /** False when the delimiter was quoted: the builder must not expand variables. */
  readonly expand: boolean;
  /** `<<-` */
  readonly chomp: boolean;
  readonly fd: number;
}

/** `key` and `value` are words as written; a legacy `ENV k v` value is the rest of the line. */
export interface KeyValue {
  readonly key: Word;
  readonly value: Word;
}

/** `FROM`. */
export interface FromInstruction extends InstructionBase {
  readonly name: "from";
  readonly image: Word;
  readonly platform: Word | null;
  /** Lower-cased and validated stage name. */
  readonly as: string | null;
  /** Stage name and "AS" as written, for checks. */
  readonly asWritten: { readonly keyword: string; readonly name: string } | null;
}

/** `ARG`. */
export interface ArgInstruction extends InstructionBase {
  readonly name: "arg";
  readonly args: readonly { readonly key: Word; readonly value: Word | null }[];
}

/** `ENV`. */
export interface EnvInstruction extends InstructionBase {
  readonly name: "env";
  readonly pairs: readonly KeyValue[];
  /** `ENV k v` */
  readonly legacy: boolean;
}

/** `LABEL`. */
export interface LabelInstruction extends InstructionBase {
  readonly name: "label";
  readonly pairs: readonly KeyValue[];
  readonly legacy: boolean;
}

/** `RUN`. */
export interface RunInstruction extends InstructionBase {
  readonly name: "run";
  readonly command: Command;
  readonly heredocs: readonly Heredoc[];
  /** Values of --mount as written, in order. */
  readonly mounts: readonly Word[];
  readonly network: Word | null;
  readonly security: Word | null;
  /** CDI devices, in order; an optional one may be missing. */
  readonly devices: readonly { readonly name: string; readonly optional: boolean }[];
}

/** `CMD`. */
export interface CmdInstruction extends InstructionBase {
  readonly name: "cmd";
  readonly command: Command;
}

/** `ENTRYPOINT`. */
export interface EntrypointInstruction extends InstructionBase {
  readonly name: "entrypoint";
  readonly command: Command;
}

/** COPY and ADD share everything but what the flags allow. */
interface CopyBase extends InstructionBase {
  /** Sources as written, heredocs left out. */
  readonly sources: readonly Word[];
  readonly dest: Word;
  /** Inline files. `path` is the delimiter name, the file's name when dest is a directory. */
  readonly heredocs: readonly Heredoc[];
  readonly chown: Word | null;
  readonly chmod: Word | null;
  readonly link: boolean;
  readonly exclude: readonly Word[];
}

/** `COPY`. */
export interface CopyInstruction extends CopyBase {
  readonly name: "copy";
  readonly from: Word | null;
  readonly parents: boolean;
}

/** `ADD`. */
export interface AddInstruction extends CopyBase {
  readonly name: "add";
  readonly checksum: Word | null;
  /** Null: as the URL says, else it is left out. */
  readonly keepGitDir: boolean | null;
  /** Null: archives of the context are unpacked, downloads are not. */
  readonly unpack: boolean | null;
}

/** `EXPOSE`. */
export interface ExposeInstruction extends InstructionBase {
  readonly name: "expose";
  readonly ports: readonly Word[];
}

/** `VOLUME`. */
export interface VolumeInstruction extends InstructionBase {
  readonly name: "volume";
  readonly paths: readonly Word[];
}

/** `USER`. */
export interface UserInstruction extends InstructionBase {
  readonly name: "user";
  readonly user: Word;
}

/** `WORKDIR`. */
export interface WorkdirInstruction extends InstructionBase {
  readonly name: "workdir";
  readonly path: Word;
}

/** `STOPSIGNAL`. */
export interface StopsignalInstruction extends InstructionBase {
  readonly name: "stopsignal";
  readonly signal: Word;
}

/** `MAINTAINER`. */
export interface MaintainerInstruction extends InstructionBase {
  readonly name: "maintainer";
  readonly maintainer: Word;
}

/** `SHELL`. */
export interface ShellInstruction extends InstructionBase {
  readonly name: "shell";
  readonly args: readonly string[];
}

/** Durations in nanoseconds; 0 means inherit. */
export interface HealthcheckInstruction extends InstructionBase {
  readonly name: "healthcheck";
  /** Null is `HEALTHCHECK NONE`. */
  readonly command: Command | null;
  readonly interval: number;
  readonly timeout: number;
  readonly startPeriod: number;
  readonly startInterval: number;
  readonly retries: number;
}

/** `ONBUILD`. */
export interface OnbuildInstruction extends InstructionBase {
  readonly name: "onbuild";
  /** The trigger as the config stores it, "RUN make". */
  readonly trigger: string;
}

/** One instruction of a Dockerfile: syntax checked, variables not yet expanded. */
export type Instruction =
  | FromInstruction
  | ArgInstruction
  | EnvInstruction
  | LabelInstruction
  | RunInstruction
  | CmdInstruction
  | EntrypointInstruction
  | CopyInstruction
  | AddInstruction
  | ExposeInstruction
  | VolumeInstruction
  | UserInstruction
  | WorkdirInstruction
  | StopsignalInstruction
  | MaintainerInstruction
  | ShellInstruction
  | HealthcheckInstruction
  | OnbuildInstruction;

/** A parsed file. */
export interface ParsedDockerfile {
  readonly file: string;
  /** Continuation and escape character. */
  readonly escape: "\\" | "`";
  /** Parser directives, keys lower-cased: syntax, escape, check. */
  readonly directives: ReadonlyMap<string, { readonly value: string; readonly at: SourceRange }>;
  readonly instructions: readonly Instruction[];
  /** For a check: where continuations end that have blank lines in them, in order. */
  readonly emptyContinuations: readonly SourceRange[];
}
