import type { Progress } from "../../solver/progress.js";
import { hideCursor, showCursor } from "../terminal.js";
import { frame, type FrameOptions, redraw } from "./frame.js";
import { applyProgress, type BuildView, buildView, warningLine } from "./model.js";
import type { Write } from "./plain.js";
import { printable } from "./format.js";

/** The terminal that the view is drawn on. */
export interface Screen {
  readonly write: Write;
  readonly columns: () => number;
  readonly rows: () => number;
  /** False under NO_COLOR. */
  readonly colours: boolean;
}

const FRAME_MS = 100;

/**
 * A live table of steps: running ones with elapsed time, the end of their output and bytes moved, ten times a second; at
 * last every step, and the warnings. `signal` tells when the user has asked to cancel.
 */
export async function renderTty(events: AsyncIterable<Progress>, screen: Screen, signal: AbortSignal): Promise<void> {
  const view = buildView(Date.now());
  let drawn: readonly string[] = [];
  const draw = (phase: FrameOptions["phase"]) => {
    const columns = screen.columns();
    const rows = phase === "final" ? Infinity : screen.rows();
    const lines = frame(view, { now: Date.now(), columns, rows, colours: screen.colours, phase });
    screen.write(redraw(drawn, lines, columns));
    drawn = lines;
  };
  const timer = setInterval(() => draw(signal.aborted ? "cancelling" : "running"), FRAME_MS);
  screen.write(hideCursor);
  try {
    for await (const event of events) applyProgress(view, event);
    draw("final");
  } finally {
    clearInterval(timer);
    screen.write(showCursor);
  }
  screen.write(warnings(view));
}

function warnings(view: BuildView): string {
  const lines = view.warnings.map((warning) => ` - ${printable(warningLine(warning))}\n`);
  return lines.length === 0 ? "" : `\n${lines.length} ${lines.length === 1 ? "warning" : "warnings"}:\n${lines.join("")}`;
}
