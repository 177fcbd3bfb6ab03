import { renameSync, writeFileSync } from "node:fs";
import path from "node:path";
import { once } from "node:events";
import type { Builder } from "../../builder/builder.js";
import type { BuildRequest, BuildResult } from "../../builder/request.js";
import { parsePlatform } from "../../cache/oci/platform.js";
import { parseReference } from "../../cache/oci/reference.js";
import type { Progress } from "../../solver/progress.js";
import { type BuildArgs, usage } from "../args.js";
import { parseOutput } from "../outputs.js";
import type { Terminal } from "../terminal.js";
import { renderJson } from "../progress/json.js";
import { renderPlain } from "../progress/plain.js";
import { renderTty } from "../progress/tty.js";

/** Runs `tbuild build` and shows its progress. @throws {TbuildError} why the build failed */
export async function buildCommand(builder: Builder, args: BuildArgs, terminal: Terminal, signal: AbortSignal): Promise<BuildResult> {
  const request = buildRequest(args);
  const build = builder.build(request, { signal });
  await showProgress(build.progress, args, terminal);
  const result = await build.result;
  if (args.iidfile !== undefined && result.imageId !== null) writeWhole(args.iidfile, result.imageId);
  if (args.metadataFile !== undefined) writeWhole(args.metadataFile, `${JSON.stringify(readableMetadata(result.metadata), null, 2)}\n`);
  if (args.progress === "quiet" && result.imageId !== null) await print(terminal.stdout, `${result.imageId}\n`);
  return result;
}

/** The request that a command line stands for. @throws {TbuildError} usage, invalid_reference, invalid_argument */
export function buildRequest(args: BuildArgs): BuildRequest {
  for (const tag of args.tag) parseReference(tag);
  if (args.platform?.includes(",") === true) throw usage("Several platforms in one build are not supported yet", "Build one platform at a time");
  return {
    context: args.context,
    dockerfile: args.file,
    tags: args.tag,
    target: args.target,
    buildArgs: Object.fromEntries(args.buildArg.flatMap(fromEnvironment)),
    labels: Object.fromEntries(args.label.map((label) => keyValue(label, "--label"))),
    platform: args.platform === undefined ? undefined : parsePlatform(args.platform),
    noCache: args.noCache,
    pull: args.pull,
    outputs: args.output.map(parseOutput),
    network: args.network as BuildRequest["network"],
    extraHosts: args.addHost.map(extraHost),
  };
}

/** `NAME` alone takes the value of the environment, and is dropped when there is none. */
function fromEnvironment(text: string): readonly [string, string][] {
  if (text.includes("=")) return [keyValue(text, "--build-arg")];
  const value = process.env[text];
  return value === undefined ? [] : [[text, value]];
}

function keyValue(text: string, flag: string): [string, string] {
  const at = text.indexOf("=");
  const key = at < 0 ? text : text.slice(0, at);
  if (key === "") throw usage(`Cannot read ${flag} "${text}"`, `Write ${flag} NAME=VALUE`);
  return [key, at < 0 ? "" : text.slice(at + 1)];
}

function extraHost(text: string): { readonly host: string; readonly ip: string } {
  const match = /^([^:=]+)[:=](.+)$/.exec(text);
  if (match === null) throw usage(`Cannot read --add-host "${text}"`, "Write --add-host NAME:IP");
  return { host: match[1]!, ip: match[2]!.replace(/^\[(.*)\]$/, "$1") };
}

async function showProgress(events: AsyncIterable<Progress>, args: BuildArgs, terminal: Terminal): Promise<void> {
  const write = (text: string) => void terminal.stderr.write(text);
  const mode = args.progress === "auto" ? (terminal.interactive ? "tty" : "plain") : args.progress;
  switch (mode) {
    case "tty":
      return await renderTty(events, { write, columns: terminal.columns, rows: terminal.rows, colours: terminal.colours }, "Building");
    case "plain":
      return await renderPlain(events, write);
    case "rawjson":
      return await renderJson(events, write);
    case "quiet":
      for await (const _ of events);
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

function writeWhole(file: string, text: string): void {
  const temporary = path.join(path.dirname(file), `.${path.basename(file)}.${process.pid}`);
  writeFileSync(temporary, text);
  renameSync(temporary, file);
}

async function print(stream: NodeJS.WritableStream, text: string): Promise<void> {
  if (!stream.write(text)) await once(stream, "drain");
}
