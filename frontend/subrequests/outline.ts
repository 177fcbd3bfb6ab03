import type { SourceRange } from "../../cache/errors.js";
import { descriptionOf } from "../dockerfile/checks/descriptions.js";
import { cleanPath } from "../dockerfile/contextPaths.js";
import { type Examined, examine } from "../dockerfile/convert.js";
import { combine } from "../dockerfile/errors.js";
import { expandWord } from "../dockerfile/expand.js";
import { noFindings } from "../dockerfile/findings.js";
import type { ArgInstruction } from "../dockerfile/instruction.js";
import { type MountOptions, parseMount } from "../dockerfile/instructions/mountOptions.js";
import { secretId } from "../dockerfile/instructions/runMounts.js";
import type { Stage } from "../dockerfile/stages.js";
import type { FrontendOptions } from "../options.js";
import { lenientImages } from "./lenientImages.js";
import { type Location, locationOf } from "./location.js";
import { usedGlobals } from "./usedGlobals.js";

/** What a target can be built with, in the form of BuildKit's `frontend.outline`. What there is not is left out. */
export interface Outline {
  readonly name?: string;
  readonly description?: string;
  /** These in the order of the file. */
  readonly args?: readonly OutlineArg[];
  readonly secrets?: readonly OutlineMount[];
  readonly ssh?: readonly OutlineMount[];
  readonly cache?: readonly { readonly ID: string; readonly location: Location }[];
  /** The file's bytes in base64. */
  readonly sources: readonly string[];
}

/** An ARG that has an effect. */
export interface OutlineArg {
  readonly name: string;
  readonly description?: string;
  /** With the build arguments that were given. */
  readonly value?: string;
  readonly location: Location;
}

/** A secret or an agent that RUN mounts. */
export interface OutlineMount {
  readonly name: string;
  readonly required?: true;
  readonly location: Location;
}

/**
 * Lists the arguments, secrets, agents and caches of a target and the stages that it needs. An image that cannot be had
 * counts as empty. @throws {TbuildError} what is wrong with the file, located
 */
export async function outlineDockerfile(text: string | Uint8Array, options: FrontendOptions): Promise<Outline> {
  const findings = noFindings();
  const examined = await examine(text, lenientImages(options).options, "target", findings);
  if (findings.errors.length > 0) throw combine(findings.errors);
  const { target } = examined;
  const mounts = mountsOf(examined);
  return {
    ...(target.name === null ? {} : { name: target.name }),
    ...some("description", descriptionOf(target.name, target.from.comments)),
    ...some("args", outlineArgs(examined, options)),
    ...some("secrets", mounts.filter(({ kind }) => kind === "secret").map(outlineMount)),
    ...some("ssh", mounts.filter(({ kind }) => kind === "ssh").map(outlineMount)),
    ...some("cache", mounts.filter(({ kind }) => kind === "cache").map(outlineCache)),
    sources: [Buffer.from(text).toString("base64")],
  };
}

/** One field, unless its value is empty. */
function some<K extends string, V extends { readonly length: number }>(key: K, value: V): { readonly [P in K]?: V } {
  return (value.length === 0 ? {} : { [key]: value }) as { readonly [P in K]?: V };
}

/** ARGs of the stages, and the global ones that a FROM or an ARG of a stage uses. The first stage to name one wins. */
function outlineArgs({ sections, target, build, done }: Examined, { buildArgs }: FrontendOptions): readonly OutlineArg[] {
  const stages = [target, ...build.needs.stages.filter((stage) => stage !== target).reverse()];
  const found = new Map<string, { readonly arg: OutlineArg; readonly at: SourceRange }>();
  const add = (ins: ArgInstruction, key: string, value: string | null): void => {
    if (found.has(key)) return;
    const told = { ...some("description", descriptionOf(key, ins.comments)), ...some("value", value ?? "") };
    found.set(key, { arg: { name: key, ...told, location: locationOf(ins.at) }, at: ins.at });
  };
  const inherited = new Set<string>();
  for (const stage of stages) {
    const values = new Map(done.get(stage)?.state.args.map(({ key, value }) => [key, value]));
    for (const { ins, key, value } of stageArgs(stage).reverse()) {
      if (value === null && !buildArgs.has(key) && build.globals.has(key)) inherited.add(key);
      else add(ins, key, values.get(key) ?? null);
    }
  }
  const used = usedGlobals(sections, stages, inherited, build);
  for (const ins of [...sections.globals].reverse()) {
    for (const { key } of ins.args) if (used.has(key)) add(ins, key, build.globals.get(key) ?? null);
  }
  return [...found.values()].sort((a, b) => byPlace(a.at, b.at)).map(({ arg }) => arg);
}

function stageArgs({ body }: Stage): { readonly ins: ArgInstruction; readonly key: string; readonly value: string | null }[] {
  return body.flatMap((ins) => (ins.name === "arg" ? ins.args.map(({ key, value }) => ({ ins, key, value })) : []));
}

interface NamedMount {
  readonly kind: MountOptions["kind"];
  readonly name: string;
  readonly required: boolean;
  readonly at: SourceRange;
}

/** Each id once: the first in the file. */
function mountsOf({ build, done }: Examined): readonly NamedMount[] {
  const found = new Map<string, NamedMount>();
  for (const stage of build.needs.stages) {
    const env = done.get(stage)!.state.env;
    for (const ins of stage.body) {
      if (ins.name !== "run") continue;
      for (const word of ins.mounts) {
        const mount = parseMount(word, ins.where, (value) => expandWord(value, env, build.parsed.escape, ins.at).text);
        const named = { kind: mount.kind, name: idOf(mount), required: mount.required, at: ins.at };
        const key = `${named.kind} ${named.name}`;
        if (!found.has(key)) found.set(key, named);
      }
    }
  }
  return [...found.values()];
}

function idOf(mount: MountOptions): string {
  if (mount.kind === "secret") return secretId(mount);
  return mount.id || (mount.kind === "ssh" ? "default" : cleanPath(mount.target));
}

function outlineMount({ name, required, at }: NamedMount): OutlineMount {
  return { name, ...(required ? { required } : {}), location: locationOf(at) };
}

function outlineCache({ name, at }: NamedMount): { readonly ID: string; readonly location: Location } {
  return { ID: name, location: locationOf(at) };
}

function byPlace(a: SourceRange, b: SourceRange): number {
  return a.start.line - b.start.line || a.start.column - b.start.column;
}
