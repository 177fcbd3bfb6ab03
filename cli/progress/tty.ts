import type { Progress } from "../../solver/progress.js";
import { hideCursor, showCursor } from "../terminal.js";
import { frame, type FrameOptions, redraw } from "./frame.js";
import { applyProgress, buildView } from "./model.js";
import type { Write } from "./plain.js";
import { warningSummary } from "./warnings.js";

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
  screen.write(warningSummary(view.warnings));
}
