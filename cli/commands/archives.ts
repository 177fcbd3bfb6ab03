import { createWriteStream } from "node:fs";
import { rm } from "node:fs/promises";
import path from "node:path";
import { pipeline } from "node:stream/promises";
import type { Builder } from "../../builder/builder.js";
import { importRootfs, loadArchive, saveImages } from "../../builder/image/archive.js";
import { imageId, isDangling } from "../../cache/images.js";
import { familiarReference, parseReference } from "../../cache/oci/reference.js";
import { type OtherArgs, usage } from "../args.js";
import { needNames, type ImageCommandOpts } from "./image.js";

/** `tbuild image save|load|import`. Returns what is to be printed. @throws {TbuildError} usage, not_found, corrupt */
export async function archiveCommand(builder: Builder, args: OtherArgs, opts: ImageCommandOpts): Promise<string> {
  switch (args.verb) {
    case "save":
      return await save(builder, args, opts);
    case "load":
      return await load(builder, args, opts);
    case "import":
      return await importTar(builder, args, opts);
    default:
      throw usage(`Unknown image command "${args.verb}"`, "See tbuild image --help");
  }
}

async function save(builder: Builder, args: OtherArgs, opts: ImageCommandOpts): Promise<string> {
  needNames(args, 1, "image save -o FILE NAME…");
  const dest = text(args, "output") ?? "-";
  if (dest === "-" && process.stdout.isTTY) throw usage("Refusing to write an archive to the terminal", "Use -o FILE, or redirect the output");
  await saveImages(builder.store, args.names, dest, text(args, "format") === "oci" ? "oci" : "docker", { signal: opts.signal });
  return "";
}

async function load(builder: Builder, args: OtherArgs, opts: ImageCommandOpts): Promise<string> {
  await using file = await inputFile(builder, text(args, "input") ?? args.names[0] ?? "-");
  const records = await loadArchive(builder.store, file.path, { signal: opts.signal });
  return records.map((record) => `Loaded image: ${isDangling(record) ? imageId(record) : familiarReference(parseReference(record.name))}\n`).join("");
}

async function importTar(builder: Builder, args: OtherArgs, opts: ImageCommandOpts): Promise<string> {
  const [source = "", name] = needNames(args, 1, "image import FILE [NAME]");
  const change = args.options["change"];
  const changes = change === undefined ? [] : [change].flat().map(String);
  await using file = await inputFile(builder, source);
  const record = await importRootfs(builder.store, file.path, { ref: name ?? null, changes, signal: opts.signal });
  return `${imageId(record)}\n`;
}

/** A file as it is; standard input is kept in the store's scratch directory meanwhile. */
async function inputFile(builder: Builder, name: string): Promise<AsyncDisposable & { readonly path: string }> {
  if (name !== "-") return { path: name, [Symbol.asyncDispose]: async () => {} };
  if (process.stdin.isTTY) throw usage("Nothing to read: standard input is a terminal", "Name a file, or pipe an archive into the command");
  const file = path.join(builder.store.scratch, "stdin.tar");
  await pipeline(process.stdin, createWriteStream(file));
  return { path: file, [Symbol.asyncDispose]: () => rm(file, { force: true }) };
}

function text(args: OtherArgs, name: string): string | undefined {
  const value = args.options[name];
  return typeof value === "string" ? value : undefined;
}
