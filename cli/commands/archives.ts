import { createWriteStream } from "node:fs";
import { rm } from "node:fs/promises";
import path from "node:path";
import { pipeline } from "node:stream/promises";
import type { Builder } from "../../builder/builder.js";
import { importRootfs, loadArchive, saveImages } from "../../builder/image/archive.js";
import { imageId } from "../../cache/images.js";
import type { ImageArgs } from "../args/image.js";
import { imageName } from "../imageInfo.js";
import { usage } from "../usage.js";

type Save = ImageArgs & { readonly verb: "save" };
type Load = ImageArgs & { readonly verb: "load" };
type Import = ImageArgs & { readonly verb: "import" };
type ArchiveArgs = Save | Load | Import;
type Opts = { readonly signal: AbortSignal };

/** `tbuild image save|load|import`. Returns what is to be printed. @throws {TbuildError} usage, not_found, corrupt */
export async function archiveCommand(builder: Builder, args: ArchiveArgs, opts: Opts): Promise<string> {
  switch (args.verb) {
    case "save":
      return await save(builder, args, opts);
    case "load":
      return await load(builder, args, opts);
    case "import":
      return await importTar(builder, args, opts);
  }
}

async function save(builder: Builder, { names, output, format }: Save, opts: Opts): Promise<string> {
  if (output === "-" && process.stdout.isTTY) {
    throw usage("Refusing to write an archive to the terminal", "Use -o FILE, or redirect the output");
  }
  await saveImages(builder.store, names, output, format, { ...opts, refetch: (blob) => builder.fetchLayer(blob, opts) });
  return "";
}

async function load(builder: Builder, { input }: Load, opts: Opts): Promise<string> {
  await using file = await inputFile(builder, input, opts);
  const records = await loadArchive(builder.store, file.path, opts);
  return records.map((record) => `Loaded image: ${imageName(record) ?? imageId(record)}\n`).join("");
}

async function importTar(builder: Builder, { file: source, name, changes }: Import, opts: Opts): Promise<string> {
  await using file = await inputFile(builder, source, opts);
  const record = await importRootfs(builder.store, file.path, { ref: name, changes, ...opts });
  return `${imageId(record)}\n`;
}

/** A file as it is; standard input is kept in the store's scratch directory meanwhile. */
async function inputFile(builder: Builder, name: string, { signal }: Opts): Promise<AsyncDisposable & { readonly path: string }> {
  if (name !== "-") return { path: name, [Symbol.asyncDispose]: async () => {} };
  if (process.stdin.isTTY) {
    throw usage("Nothing to read: standard input is a terminal", "Name a file, or pipe an archive into the command");
  }
  const file = path.join(builder.store.scratch, "stdin.tar");
  await pipeline(process.stdin, createWriteStream(file), { signal });
  return { path: file, [Symbol.asyncDispose]: () => rm(file, { force: true }) };
}
