import type { Builder } from "../../builder/builder.js";
import type { CallResult } from "../../builder/call.js";
import type { BuildArgs } from "../args/build.js";
import { type ExcerptOptions, excerpt } from "../excerpt.js";
import type { CallOptions } from "../flags/call.js";
import { createPaint } from "../paint.js";
import { printable } from "../progress/format.js";
import { buildRequest } from "../request.js";
import { formatTable } from "../table.js";
import { print, type Terminal } from "../terminal.js";

/**
 * Asks a Dockerfile something, writes the answer to stdout and returns the exit status: 1 when a check found something,
 * as buildx has it. @throws {TbuildError} what is wrong with the file, located
 */
export async function callCommand(
  builder: Builder,
  args: BuildArgs,
  call: CallOptions,
  terminal: Terminal,
  signal: AbortSignal,
): Promise<number> {
  const request = buildRequest(args, "store");
  if (call.kind === "check") {
    const { result, error } = await builder.call(request, call.kind, { signal });
    const failed = error !== null;
    await print(terminal.stdout, call.format === "json" ? json(result) : checkText(result, failed));
    if (failed) throw error;
    return result.warnings.length > 0 && !call.ignoreStatus ? 1 : 0;
  }
  const answer = await builder.call(request, call.kind, { signal });
  await print(terminal.stdout, call.format === "json" ? json(answer) : answerText(answer));
  return 0;
}

function json(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}

function answerText(answer: CallResult<"outline" | "targets" | "subrequests.describe">): string {
  if ("targets" in answer) return targetsText(answer);
  return "sources" in answer ? outlineText(answer) : describeText(answer);
}

/** Warnings with their lines; a failed check is reported as an error after them. */
function checkText({ warnings, sources }: CallResult<"check">["result"], failed: boolean): string {
  if (warnings.length === 0) return failed ? "" : "Check complete, no warnings found.\n";
  const [source] = sources;
  const text = Buffer.from(source?.data ?? "", "base64").toString("utf8");
  const count = warnings.length === 1 ? "1 warning has been found!" : `${warnings.length} warnings have been found!`;
  const shown = warnings.map((warning) => warningText(warning, source?.filename ?? "", text));
  return `Check complete, ${count}\n${shown.join("")}`;
}

type LintWarning = CallResult<"check">["result"]["warnings"][number];

const LINE = "--------------------";
const PLAIN: ExcerptOptions = { columns: 120, paint: createPaint(false) };

function warningText({ ruleName, url, detail, location }: LintWarning, file: string, text: string): string {
  const head = `\nWARNING: ${ruleName}${url === "" ? "" : ` - ${url}`}\n${printable(detail)}\n`;
  const [range] = location.ranges;
  if (range === undefined) return head;
  const { start, end } = range;
  const at = { file, start: { line: start.line, column: start.character + 1 }, end: { line: end.line, column: end.character } };
  return `${head}${file}:${start.line}\n${LINE}\n${excerpt(text, at, PLAIN)}\n${LINE}\n`;
}

function outlineText({ name, description, args = [], secrets = [], ssh = [] }: CallResult<"outline">): string {
  const tables: string[] = [];
  const about = description === undefined ? [] : [["DESCRIPTION:", printable(description)]];
  if (name !== undefined) tables.push(formatTable(["TARGET:", name], about, 1));
  const mounts = (what: string, rows: typeof secrets): void => {
    const lines = rows.map((row) => [printable(row.name), row.required === true ? "true" : ""]);
    if (rows.length > 0) tables.push(formatTable([what, "REQUIRED"], lines));
  };
  if (args.length > 0) {
    const rows = args.map((arg) => [arg.name, printable(arg.value ?? ""), printable(arg.description ?? "")]);
    tables.push(formatTable(["BUILD ARG", "VALUE", "DESCRIPTION"], rows));
  }
  mounts("SECRET", secrets);
  mounts("SSH", ssh);
  return tables.map((table) => `${table}\n`).join("");
}

function targetsText({ targets }: CallResult<"targets">): string {
  const shownName = (name: string | undefined, isDefault: boolean): string => {
    if (!isDefault) return name ?? "";
    return name === undefined ? "(default)" : `${name} (default)`;
  };
  const rows = targets.map((target) => [shownName(target.name, target.default === true), printable(target.description ?? "")]);
  return formatTable(["TARGET", "DESCRIPTION"], rows, 1);
}

function describeText(known: CallResult<"subrequests.describe">): string {
  const rows = known.map(({ name, version, description }) => [name.replace(/^frontend\./, ""), version, description]);
  return formatTable(["NAME", "VERSION", "DESCRIPTION"], rows, 1);
}
