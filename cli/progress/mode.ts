import type { Progress } from "../../solver/progress.js";
import type { Terminal } from "../terminal.js";

/** A way to show progress. */
export type ProgressMode = "tty" | "plain" | "rawjson" | "quiet";

/** What "auto" means on this terminal; everything else means itself. */
export function progressMode(asked: ProgressMode | "auto", terminal: Pick<Terminal, "interactive">): ProgressMode {
  if (asked !== "auto") return asked;
  return terminal.interactive ? "tty" : "plain";
}

/** Shows events on stderr until they end; loads only the renderer that it needs. */
export async function showProgress(
  events: AsyncIterable<Progress>,
  mode: ProgressMode,
  terminal: Terminal,
  signal: AbortSignal,
): Promise<void> {
  const write = (text: string) => void terminal.stderr.write(text);
  switch (mode) {
    case "tty": {
      const { renderTty } = await import("./tty.js");
      const { columns, rows, colours } = terminal;
      return await renderTty(events, { write, columns, rows, colours }, signal);
    }
    case "plain": {
      const { renderPlain } = await import("./plain.js");
      return await renderPlain(events, write);
    }
    case "rawjson": {
      const { renderJson } = await import("./json.js");
      return await renderJson(events, write);
    }
    case "quiet":
      for await (const _ of events);
  }
}
