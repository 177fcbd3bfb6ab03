import { mkdir, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { randomUUID } from "node:crypto";
import { TbuildError } from "../../cache/errors.js";
import { formatPlatform, type Platform } from "../../cache/oci/platform.js";
import type { Store } from "../../cache/store.js";
import type { StepOpts } from "../../solver/opRunner.js";
import type { Attestation } from "../attest/attestation.js";
import { statementOf } from "../attest/statement.js";

/** Files that tell of one platform's tree. */
export interface AttestationFiles {
  readonly attestations: readonly Attestation[];
  readonly platform: Platform;
  /** Root of the tree that they tell of. */
  readonly root: string;
  /** Before the name of each file. */
  readonly prefix: string;
  /** Several platforms are in one directory: their files have its name in theirs. */
  readonly named: boolean;
}

/** A directory that holds what it says until it is disposed. */
export interface FilesDirectory extends AsyncDisposable {
  readonly path: string;
}

/**
 * Writes a directory of statements about a tree: each names all its files by their digests. Null when there are none to write.
 * Source: BuildKit, exporter/local/fs.go. @throws {TbuildError} invalid_argument for two of one name, corrupt
 */
export async function attestationFiles(store: Store, files: AttestationFiles, { signal }: StepOpts): Promise<FilesDirectory | null> {
  const wanted = files.attestations.filter(({ inlineOnly }) => !inlineOnly);
  if (wanted.length === 0) return null;
  const digests = await store.bulk.run("fileDigests", { path: files.root }, { signal });
  const subjects = digests.map((file) => ({ name: file.path, digest: { sha256: file.sha256 } }));
  const dir = path.join(store.scratch, `attestations-${randomUUID()}`);
  await mkdir(dir, { recursive: true });
  const remove = () => rm(dir, { recursive: true, force: true });
  try {
    for (const attestation of wanted) {
      const statement = statementOf(attestation, await attestation.content({ signal }), subjects);
      await writeStatement(path.join(dir, fileName(attestation, files)), statement);
    }
  } catch (error) {
    await remove();
    throw error;
  }
  return { path: dir, [Symbol.asyncDispose]: remove };
}

async function writeStatement(file: string, statement: object): Promise<void> {
  try {
    await writeFile(file, JSON.stringify(statement, null, 2), { mode: 0o600, flag: "wx" });
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== "EEXIST") throw cause;
    throw new TbuildError("invalid_argument", `duplicate attestation path name ${path.basename(file)}`, { cause });
  }
}

function fileName({ path: given }: Attestation, { prefix, named, platform }: AttestationFiles): string {
  const name = prefix + path.posix.basename(given);
  if (name.includes("/") || name === "." || name === "..") throw new TbuildError("invalid_argument", `Cannot write the attestation "${name}": it is no file name`);
  if (!named) return name;
  const { name: stem, ext } = path.posix.parse(name);
  return `${stem}.${formatPlatform(platform).replaceAll("/", "_")}${ext}`;
}
