import type { ContentDifference, EntryDifference, LayerReport, PlatformReport, ValueDifference, VerifyReport } from "../builder/verify/report.js";
import type { Paint } from "./paint.js";
import { printable } from "./progress/format.js";

/** What `tbuild verify` has found, for people. `from` is what the image was built anew from. Pure. */
export function verifyText({ image, same, platforms, skipped }: VerifyReport, from: string, paint: Paint): string {
  const head = same ? `${paint.strong(printable(image))} is what ${printable(from)} builds` : `${paint.bad(printable(image))} is not what ${printable(from)} builds`;
  const several = platforms.length > 1 || skipped.length > 0;
  const parts = platforms.map((platform) => `${several ? `\n${paint.strong(platform.platform)}${platform.same ? ": the same" : ""}\n` : ""}${platformText(platform, paint)}`);
  const left = skipped.map((platform) => `\n${platform} was not built: its programs do not run here\n`);
  return `${head}\n${parts.join("")}${left.join("")}`;
}

function platformText(report: PlatformReport, paint: Paint): string {
  const notes = report.notes.map((note) => `  ${paint.help("note")}: ${printable(note)}\n`);
  const hints = report.hints.map((hint) => `  ${paint.help("hint")}: ${hint}\n`);
  const gap = hints.length === 0 ? "" : "\n";
  return report.same ? sameText(report) + notes.join("") : `${notes.join("")}${differencesText(report, paint)}${gap}${hints.join("")}`;
}

function sameText({ config, diffIds, compressed, layers }: PlatformReport): string {
  const other = config.image === config.rebuilt ? "" : ", with the same fields in other bytes";
  const packed = (compressed ?? []).map(({ layer, image, rebuilt }) => `  layer ${layer} is compressed otherwise: ${image}, here ${rebuilt}\n`);
  const forms = layers.map(({ image, kind }) => `  layer ${image.join()} has ${alike(kind)}\n`);
  return `  config ${config.image}${other}\n${diffIds.map((digest) => `  layer  ${digest}\n`).join("")}${forms.join("")}${packed.join("")}`;
}

function differencesText(report: PlatformReport, paint: Paint): string {
  const { config, layerCount, layers } = report;
  const counts = layerCount.image === layerCount.rebuilt ? "" : `\n  ${paint.strong("layers")}: ${layerCount.image} in the image, ${layerCount.rebuilt} built\n`;
  const fields = config.total === 0 ? "" : `\n  ${paint.strong("config")}\n${config.differences.map((one) => `    ${valueText(one)}\n`).join("")}${more(config.total - config.differences.length)}`;
  return fields + counts + layers.map((layer) => layerText(layer, layerCount, paint)).join("");
}

function layerText(layer: LayerReport, count: PlatformReport["layerCount"], paint: Paint): string {
  const made = [layer.at, layer.step].flatMap((part) => (part === null ? [] : [printable(part)])).join(": ");
  const head = `\n  ${paint.strong(placeText(layer, count))}${made === "" ? "" : ` ${made}`}\n`;
  if (layer.kind === "base") return `${head}    of the base image, which is another one now\n`;
  if (layer.kind !== "entries") return `${head}    ${alike(layer.kind)}\n`;
  const shown = layer.differences.map((one) => entryText(one, paint)).join("");
  return `${head}${shown}${more(layer.total - layer.differences.length, layer.timesOnly)}`;
}

function alike(kind: LayerReport["kind"]): string {
  return kind === "times" ? "the same entries but for their times" : "the same entries in another order, or with other headers";
}

/** "layer 3 of 4"; of several that are compared as one "layers 2 to 3 of the image, 2 to 5 built". */
function placeText({ image, rebuilt }: LayerReport, count: PlatformReport["layerCount"]): string {
  if (image.length === 1 && rebuilt.length === 1 && count.image === count.rebuilt) return `layer ${image[0]} of ${count.image}`;
  const range = (places: readonly number[]) => (places.length === 0 ? "none" : places.length === 1 ? String(places[0]) : `${places[0]} to ${places.at(-1)}`);
  return `layers ${range(image)} of the image, ${range(rebuilt)} built, together`;
}

function more(count: number, timesOnly = 0): string {
  if (count <= 0) return "";
  const times = timesOnly === 0 ? "" : ` (${timesOnly} of all of times alone)`;
  return `    … and ${count} more${times}; -n shows more\n`;
}

const missing = { "only-image": "only in the image", "only-rebuilt": "only in what was built" } as const;

function entryText({ path, type, kind, fields, content }: EntryDifference, paint: Paint): string {
  const name = paint.bad(printable(path));
  if (kind !== "changed") return `    ${name} (${type}) is ${missing[kind]}\n`;
  const bytes = content === null ? [] : contentLines(content, fields);
  const values = fields.filter(({ field }) => content === null || field !== "size").map(valueText);
  const [only, another] = [...bytes, ...values];
  if (another === undefined) return `    ${name} ${only}\n`;
  return `    ${name}\n${[...bytes, ...values].map((line) => `      ${line}\n`).join("")}`;
}

function valueText({ field, image, rebuilt }: ValueDifference): string {
  return `${printable(field)}: ${shown(image)} → ${shown(rebuilt)}`;
}

function shown(value: string | null): string {
  return value === null ? "none" : printable(value);
}

function contentLines({ at, start, image, rebuilt }: ContentDifference, fields: readonly ValueDifference[]): readonly string[] {
  const size = fields.find(({ field }) => field === "size");
  const sizes = size === undefined ? "" : ` (${size.image} → ${size.rebuilt} bytes)`;
  return [`differs from byte ${at} on${sizes}`, `  image  ${hexText(image, at - start)}`, `  built  ${hexText(rebuilt, at - start)}`];
}

const BEFORE = 8;
const AFTER = 8;

/** A few bytes around the one at `at`, which is in brackets, in hex and as text. */
function hexText(hex: string, at: number): string {
  const bytes = Buffer.from(hex, "hex");
  const from = Math.max(0, at - BEFORE);
  const piece = [...bytes.subarray(from, at + AFTER)];
  const cells = piece.map((byte, index) => (from + index === at ? `[${byte.toString(16).padStart(2, "0")}]` : byte.toString(16).padStart(2, "0")));
  const text = [...bytes].map((byte) => (byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : ".")).join("");
  return `${at >= bytes.length ? [...cells, "[end]"].join(" ") : cells.join(" ")}  ${JSON.stringify(text)}`;
}
