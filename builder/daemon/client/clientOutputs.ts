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
export function clientExporter({ type, attrs: given }: TypeAndAttrs, id: number, session: Session | null, deps: ExporterDeps): Exporter {
  const attrs = Object.fromEntries(Object.entries(given).filter(([key]) => KNOWN.test(key)));
  switch (type) {
    case "image":
      return createExporter({ type, attrs }, deps);
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
  const file = lateWritable((signal) => openClientFile(session, { exporterId }, { signal }));
  const exporter = createExporter(spec, { ...deps, stdout: file.stream });
  return {
    ...exporter,
    async export(output, opts) {
      file.open(opts.signal);
      const exported = await exporter.export(output, opts);
      file.stream.end();
      await finished(file.stream);
      return exported;
    },
  };
}

/** A stream that begins when it is opened: the client is told of a file when there is one. */
function lateWritable(make: (signal: AbortSignal) => Writable): { readonly stream: Writable; open(signal: AbortSignal): void } {
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
    open(signal) {
      inner = make(signal);
      inner.on("error", (error) => stream.destroy(error));
    },
  };
}

function directoryExporter(given: ExportSpec["attrs"], exporterId: number, session: Session, { store }: ExporterDeps): Exporter {
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
      for (const some of sends) await sendTrees(session, { exporterId, parts: some, whole: mode === "delete", onProgress }, store.bulk, opts);
      opts.report.statusDone("copying files");
      return { metadata: {}, descriptor: null };
    },
  };
}
