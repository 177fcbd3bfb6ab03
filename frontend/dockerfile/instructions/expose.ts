import { isIP } from "node:net";
import type { SourceRange } from "../../../cache/errors.js";
import { type StageContext, type StageState, configOf, withConfig } from "../convertState.js";
import { badValue, refused } from "../errors.js";
import { withHistory } from "../history.js";
import type { ExposeInstruction } from "../instruction.js";
import { violation } from "../lint.js";
import { expandMany } from "../scope.js";

/** First and last port. */
type Range = readonly [number, number];

const PROTOCOLS = ["tcp", "udp", "sctp"];
/** Every port of every protocol, twice over. */
const MOST_PORTS = 2 * 3 * 65536;
const HINT = "A port is written 8080, 8000-8010 or 53/udp, with a number up to 65535";

/** EXPOSE: ranges become one entry for each port; words are taken in the order of their bytes. */
export function applyExpose(s: StageState, ins: ExposeInstruction, c: StageContext): StageState {
  const ports: string[] = [];
  for (const word of [...ins.ports].sort(byBytes)) {
    const at = ins.where(word);
    for (const text of expandMany(word, s, c, ins.at)) ports.push(...parsePorts(text, at, ins.at, c));
    if (s.exposed + ports.length > MOST_PORTS) throw refused("Cannot expose more ports than there are, again and again", at);
  }
  const exposed = Object.fromEntries(ports.map((port) => [port, {}]));
  const changed = withConfig({ ...s, exposed: s.exposed + ports.length }, { ExposedPorts: { ...configOf(s).ExposedPorts, ...exposed } });
  return withHistory(changed, c, `EXPOSE [${ports.join(" ")}]`, "config");
}

/** Reads `[[ip:]host:]ports[/proto]`; ip and host ports have no meaning in an image. Checks are about the whole line. */
function parsePorts(word: string, at: SourceRange, line: SourceRange, c: StageContext): readonly string[] {
  const parts = word.split(":");
  const [ports, protocol = "tcp"] = splitOnce(parts.at(-1) ?? "", "/");
  const proto = protocol === "" ? "tcp" : protocol.toLowerCase();
  if (!PROTOCOLS.includes(proto)) throw badValue("a port", word, at, `The protocol is one of ${PROTOCOLS.join(", ")}`);
  if (protocol !== protocol.toLowerCase()) c.warn(violation("ExposeProtoCasing", line, word));
  const range = parseRange(ports, word, at);
  if (parts.length > 1) {
    c.warn(violation("ExposeInvalidFormat", line, word));
    checkMapping(parts, range, word, at);
  }
  return Array.from({ length: range[1] - range[0] + 1 }, (_, i) => `${range[0] + i}/${proto}`);
}

function checkMapping(parts: readonly string[], ports: Range, word: string, at: SourceRange): void {
  const ip = parts.slice(0, -2).join(":").replace(/^\[|\]$/g, "");
  if (ip !== "" && isIP(ip) === 0) throw badValue("a port", word, at, `"${ip}" is not an IP address`);
  const host = parts.at(-2) ?? "";
  if (host === "") return;
  const [first, last] = parseRange(host, word, at);
  const single = ports[0] === ports[1];
  const fits = single || last - first === ports[1] - ports[0];
  if (!fits) throw badValue("a port", word, at, "Both ranges must have the same length");
}

function parseRange(text: string, word: string, at: SourceRange): Range {
  const [start, end = start] = splitOnce(text, "-");
  const range = [parsePort(start, word, at), parsePort(end ?? "", word, at)] as const;
  if (range[1] < range[0]) throw badValue("a port", word, at, "The range ends before it starts");
  return range;
}

function parsePort(text: string | undefined, word: string, at: SourceRange): number {
  const port = /^\+?\d+$/.test(text ?? "") ? Number(text) : Number.NaN;
  if (!(port <= 65535)) throw badValue("a port", word, at, HINT);
  return port;
}

function byBytes(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}

function splitOnce(text: string, separator: string): readonly [string, string?] {
  const at = text.indexOf(separator);
  return at < 0 ? [text] : [text.slice(0, at), text.slice(at + 1)];
}
