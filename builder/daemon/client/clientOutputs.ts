import { Writable } from "node:stream";
import { finished } from "node:stream/promises";
import { TbuildError } from "../../../cache/errors.js";
import type { SolveRequest } from "../../api/control.js";
import type { TypeAndAttrs } from "../../api/common.js";
import { readAttrs } from "../../exporter/attrs.js";
import type { ExporterDeps } from "../../exporter/deps.js";
import type { Exporter, ExportSpec } from "../../exporter/exporter.js";
import { createExporter } from "../../exporter/mod.js";
import { openTrees } from "../../exporter/platformTrees.js";
import { readTreeOptions, readLocalMode } from "../../exporter/rootfs.js";
import { openClientFile } from "../../session/clientFile.js";
import { clientContent } from "../../session/content.js";
import { contentSink } from "../../session/contentSink.js";
import { sendTrees } from "../../session/sendTrees.js";
import type { Session } from "../../session/session.js";
import { dated, exportTimes } from "./exportTimes.js";

/** What a client asks to be written; older clients name one. */
export function outputsOf({ exporters, exporterDeprecated, exporterAttrsDeprecated }: SolveRequest): readonly TypeAndAttrs[] {
  if (exporters.length > 0) return exporters;
  return exporterDeprecated === "" ? [] : [{ type: exporterDeprecated, attrs: exporterAttrsDeprecated }];
}

/** Attributes that mean something here. Others, of newer or older engines, are passed over as BuildKit does. */
const KNOWN = new RegExp(
  [
    "name|push|push-by-digest|name-canonical|registry\\.insecure|store|unpack|oci-mediatypes|rewrite-timestamp|prefer-nondist-layers",
    "compression|compression-level|force-compression|platform-split|mode|tar|oci-artifact|attestation-inline|attestation-prefix",
  ].map((names) => `^(?:${names})$`).join("|") + "|^annotation",
);

const WITH_MANIFEST = new Set(["image", "oci", "docker"]);

/** An image's output with the annotations that a frontend's result asks for; the client's own win. */
export function withAnnotations({ type, attrs }: TypeAndAttrs, metadata: Readonly<Record<string, Uint8Array>>): TypeAndAttrs {
  if (!WITH_MANIFEST.has(type)) return { type, attrs };
  const own = Object.entries(metadata).filter(([key]) => /^annotation[-[.]/.test(key));
  return { type, attrs: { ...Object.fromEntries(own.map(([key, value]) => [key, Buffer.from(value).toString("utf8")])), ...attrs } };
}

/**
 * The exporter of a client's output: files and directories go to the client. @throws {TbuildError} invalid_argument, unsupported
 */
export function clientExporter(output: TypeAndAttrs, id: number, session: Session | null, deps: ClientExporterDeps): Exporter {
  const exporter = exporterOf(output, id, session, deps);
  if (deps.epochs === null) return exporter;
  const times = exportTimes(output.attrs["source-date-epoch"], deps.epochs);
  return {
    ...exporter,
    export: async (result, opts) => await exporter.export(await dated(deps.store, result, times), opts),
  };
}

/** What exporters of clients work with. */
export interface ClientExporterDeps extends ExporterDeps {
  /** SOURCE_DATE_EPOCH of each platform in seconds, null when it has none; null for images that are dated as they are to be. */
  readonly epochs: readonly (number | null)[] | null;
}

function exporterOf({ type, attrs: given }: TypeAndAttrs, id: number, session: Session | null, deps: ExporterDeps): Exporter {
  const attrs = Object.fromEntries(Object.entries(given).filter(([key]) => KNOWN.test(key)));
  switch (type) {
    case "image":
      return createExporter({ type, attrs: { store: String(isKept(attrs)), ...attrs } }, deps);
    case "local":
      return directoryExporter(attrs, id, required(session), deps);
    case "oci":
    case "docker":
      return archiveExporter({ type, attrs: { ...attrs, dest: "-" } }, id, required(session), deps);
    case "tar":
      return fileExporter({ type, attrs: { ...attrs, dest: "-" } }, id, required(session), deps);
    default:
      throw new TbuildError("not_found", `exporter "${type}" could not be found`);
  }
}

/** As without an image store, which is what most clients expect: what is in a registry need not be here as well. */
function isKept({ name = "", push = "false" }: Readonly<Record<string, string>>): boolean {
  return name !== "" && !/^(?:1|t|true)$/i.test(push);
}

function required(session: Session | null): Session {
  if (session !== null) return session;
  throw new TbuildError("invalid_argument", "Cannot send the result: the build has no session");
}

/** Without a tar, blobs go into the client's store of this name; the client itself names them in the index of its layout. */
const STORE = "export";

function archiveExporter(spec: ExportSpec, id: number, session: Session, deps: ExporterDeps): Exporter {
  if (readAttrs(spec).bool("tar", true)) return fileExporter(spec, id, session, deps);
  return createExporter(spec, { ...deps, layout: (opts) => contentSink(clientContent(session, STORE), opts) });
}

function fileExporter(spec: ExportSpec, exporterId: number, session: Session, deps: ExporterDeps): Exporter {
  const file = lateWritable((signal, metadata) => openClientFile(session, { exporterId, metadata }, { signal }));
  let { signal } = new AbortController();
  const exporter = createExporter(spec, { ...deps, stdout: file.stream, announce: (metadata) => file.open(signal, metadata) });
  return {
    ...exporter,
    async export(output, opts) {
      ({ signal } = opts);
      // Of files there is nothing to be told.
      if (spec.type === "tar") file.open(signal, {});
      const exported = await exporter.export(output, opts);
      file.stream.end();
      await finished(file.stream);
      return exported;
    },
  };
}

type ExportMetadata = Readonly<Record<string, string>>;

/** A stream that begins when it is opened: the client is told of a file when there is one. */
function lateWritable(make: (signal: AbortSignal, metadata: ExportMetadata) => Writable): { readonly stream: Writable; open(signal: AbortSignal, metadata: ExportMetadata): void } {
  let inner: Writable | null = null;
  const stream = new Writable({
    write: (chunk: Buffer, _encoding, done) => void inner?.write(chunk, done),
    final(done) {
      inner?.once("error", done);
      inner?.end(() => done());
    },
    destroy(error, done) {
      inner?.destroy();
      done(error);
    },
  });
  // Whoever writes hears of it.
  stream.on("error", () => {});
  return {
    stream,
    open(signal, metadata) {
      inner = make(signal, metadata);
      inner.on("error", (error) => stream.destroy(error));
    },
  };
}

function directoryExporter(given: ExportSpec["attrs"], exporterId: number, session: Session, { store, clampMtime = null }: ExporterDeps): Exporter {
  const attrs = readAttrs({ type: "local", attrs: given });
  const layout = readTreeOptions(attrs);
  const mode = readLocalMode(attrs);
  attrs.finish();
  return {
    name: "exporting to client directory",
    needs: { kind: "nothing" },
    readsFiles: true,
    async export(output, opts) {
      await using trees = await openTrees(store, output, layout, opts);
      const onProgress = (bytes: number) => opts.report.status("copying files", bytes, 0);
      const parts = trees.list.map(({ root, under }) => ({ root, under }));
      const sends = mode === "delete" ? [parts] : parts.map((part) => [part]);
      for (const some of sends) await sendTrees(session, { exporterId, parts: some, whole: mode === "delete", clampMtime, onProgress }, store.bulk, opts);
      opts.report.statusDone("copying files");
      return { metadata: {}, descriptor: null };
    },
  };
}
