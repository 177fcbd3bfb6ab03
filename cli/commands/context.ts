import { type ContextEntry, type ContextList, listContext } from "../../builder/contextList.js";
import { parsePlatform } from "../../cache/oci/platform.js";
import type { ContextArgs } from "../args/context.js";
import { contextTotals, type Totals } from "../contextTotals.js";
import { keyValue } from "../flags/keyValue.js";
import { formatBytes } from "../../cache/formatBytes.js";
import { printable } from "../progress/format.js";
import { formatTable } from "../table.js";

/** `tbuild context ls`: what a build reads of its context, and with `--all` or `--why` what it does not. */
export async function contextCommand(args: ContextArgs): Promise<string> {
  const found = await listContext({
    context: args.context,
    dockerfile: args.file,
    target: args.target,
    buildArgs: Object.fromEntries(args.buildArg.map((text) => keyValue(text, "--build-arg"))),
    platform: args.platform === undefined ? undefined : parsePlatform(args.platform),
  });
  const entries = args.all || args.why ? found.entries : found.entries.filter(({ state }) => state === "read");
  if (args.quiet) return entries.map(({ path }) => `${path}\n`).join("");
  if (args.format === "json") return `${JSON.stringify({ ...found, entries, totals: contextTotals(found.entries) }, null, 2)}\n`;
  return [listing(entries, args), totals(contextTotals(found.entries)), notes(found)].filter((part) => part !== "").join("\n");
}

function listing(entries: readonly ContextEntry[], { all, why }: ContextArgs): string {
  if (entries.length === 0) return "";
  const headings = [...(all || why ? ["STATE"] : []), "SIZE", "PATH", ...(why ? ["WHY"] : [])];
  const rows = entries.map((entry) => [
    ...(all || why ? [entry.state] : []),
    formatBytes(entry.size),
    printable(entry.path),
    ...(why ? [reason(entry)] : []),
  ]);
  return formatTable(headings, rows);
}

function reason({ state, rule, instruction }: ContextEntry): string {
  const ruled = rule === null ? "" : `${rule.file}:${rule.line} ${rule.pattern}`;
  if (state === "excluded") return ruled;
  if (state === "unused") return "no instruction reads it";
  const read = instruction === null ? "" : `${instruction.file}:${instruction.line} ${printable(instruction.text)}`;
  return ruled === "" ? read : `${read}, kept by ${ruled}`;
}

function totals({ directories, total }: { readonly directories: readonly Totals[]; readonly total: Totals }): string {
  const amount = ({ files, size }: Totals["read"]) => (files === 0 ? "-" : `${formatBytes(size)} (${files})`);
  const row = (name: string, { read, excluded, unused }: Totals) => [name, amount(read), amount(excluded), amount(unused)];
  const rows = directories.map((one) => row(printable(one.directory), one));
  return formatTable(["DIRECTORY", "READ (FILES)", "EXCLUDED", "UNUSED"], [...rows, row("Total", total)]);
}

function notes({ images, dockerfile, ignoreFile }: ContextList): string {
  const rules = ignoreFile === null ? "no ignore file" : ignoreFile;
  const from = `For ${dockerfile} with ${rules}`;
  if (images.length === 0) return `${from}\n`;
  return `${from}; images are not looked at, nor what their ONBUILD instructions copy\n`;
}
