import { StringDecoder } from "node:string_decoder";

/** Cuts a stream of bytes into lines. A line, and a character, may come in several pieces. */
export interface LineBuffer {
  /** Lines that are complete now, without their ends. */
  push(bytes: Uint8Array): readonly string[];
  /** The beginning of the line that is not complete yet. */
  rest(): string;
  /** What is left when nothing follows: no line, or one. */
  end(): readonly string[];
}

/** Characters after which a line ends by force: some programs never end one. */
const MAX_LINE = 16 * 1024;

/** An empty buffer. */
export function lineBuffer(): LineBuffer {
  const decoder = new StringDecoder("utf8");
  let rest = "";
  return {
    push(bytes) {
      const lines = (rest + decoder.write(bytes)).split(/\r?\n/);
      rest = lines.pop() ?? "";
      if (rest.length < MAX_LINE) return lines;
      lines.push(rest);
      rest = "";
      return lines;
    },
    rest: () => rest,
    end() {
      const last = rest + decoder.end();
      rest = "";
      return last === "" ? [] : [last];
    },
  };
}
