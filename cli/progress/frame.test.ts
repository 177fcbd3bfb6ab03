import assert from "node:assert/strict";
import test from "node:test";
import { stripVTControlCharacters } from "node:util";
import type { Progress } from "../../solver/progress.js";
import { stepEvents } from "./eventFixture.js";
import { frame, type FrameOptions, redraw } from "./frame.js";
import { applyProgress, buildView } from "./model.js";
import { displayWidth } from "./width.js";

function picture(events: readonly Progress[], options: Partial<FrameOptions> = {}): string {
  const view = buildView(0);
  for (const event of events) applyProgress(view, event);
  const lines = frame(view, { now: 2500, columns: 60, rows: 24, colours: false, phase: "running", ...options });
  for (const line of lines) assert.ok(displayWidth(stripVTControlCharacters(line)) < (options.columns ?? 60), line);
  return `\n${lines.join("\n")}\n`;
}

const from = stepEvents("[1/3] FROM base");
const make = stepEvents("[2/3] RUN make");
const lint = stepEvents("[lint 1/1] RUN lint");
const numbered = (count: number, prefix: string) => Array.from({ length: count }, (_, index) => `${prefix}${index + 1}\n`).join("");

const running = [from.announced(), make.announced(), lint.announced(), from.started(0), from.cached(0), make.started(500), make.log(600, numbered(9, "line "))];

test("frame() shows steps, elapsed time and the last lines of output", () => {
  assert.equal(
    picture(running),
    `
[+] Building 2.5s (1/3)
 => CACHED [1/3] FROM base                             0.0s
 => [2/3] RUN make                                     2.0s
 => => # line 4
 => => # line 5
 => => # line 6
 => => # line 7
 => => # line 8
 => => # line 9
`,
  );
});

test("frame() shows a line before its end, and the last state of one that is overwritten", () => {
  assert.equal(
    picture([make.announced(), make.started(500), make.log(600, "10%\r20%\r30%")]),
    `
[+] Building 2.5s (0/1)
 => [2/3] RUN make                                     2.0s
 => => # 30%
`,
  );
});

test("frame() shows bytes moved, with a bar where the total is known", () => {
  const status = { id: "sha256:0123", current: 500_000, total: 2_000_000, startedAt: 500, completedAt: null };
  assert.equal(
    picture([
      from.announced(),
      from.started(500),
      from.status(status),
      from.status({ ...status, id: "other", current: 7, total: 0 }),
      from.status({ ...status, id: "ready", current: 2_000_000, completedAt: 1500 }),
    ], { columns: 80 }),
    `
[+] Building 2.5s (0/1)
 => [1/3] FROM base                                                        2.0s
 => => sha256:0123 500.0kB / 2.00MB [=====>              ]                 2.0s
 => => other 7B                                                            2.0s
 => => ready 2.00MB / 2.00MB                                               1.0s
`,
  );
});

test("frame() makes room: less output first under many steps, finished steps from the top", () => {
  const many = [...running, lint.started(700), lint.log(800, numbered(9, "lint "))];
  assert.equal(
    picture(many, { rows: 10 }),
    `
[+] Building 2.5s (1/3)
 => [2/3] RUN make                                     2.0s
 => => # line 7
 => => # line 8
 => => # line 9
 => [lint 1/1] RUN lint                                1.8s
 => => # lint 7
 => => # lint 8
 => => # lint 9
`,
  );
  assert.equal(
    picture(many, { rows: 4 }),
    `
[+] Building 2.5s (1/3)
 => [2/3] RUN make                                     2.0s
 => [lint 1/1] RUN lint                                1.8s
`,
  );
});

test("frame() fits a narrow terminal", () => {
  assert.equal(
    picture([from.announced(), from.started(0), make.announced(), make.started(500), make.log(600, "0123456789012345678901234567890\n")], { columns: 24 }),
    `
[+] Building 2.5s (0/2)
 => [1/3] FROM ba… 2.5s
 => [2/3] RUN make 2.0s
 => => # 0123456789012…
`,
  );
});

test("frame() counts the columns of wide characters and lets no step move the cursor", () => {
  const odd = stepEvents("RUN echo \u001b[2J日本語日本語日本語日本語");
  assert.equal(
    picture([odd.announced(), odd.started(500), odd.log(500, "\u001b[5Aü😀\ttab\u0007\n")], { columns: 40 }),
    `
[+] Building 2.5s (0/1)
 => RUN echo 日本語日本語日本語日… 2.0s
 => => # ü😀    tab
`,
  );
});

test("frame() ends with every step and without output", () => {
  const ended = [...running, make.failed(2000, "exit code: 1"), lint.started(600), lint.failed(2100, "context canceled")];
  assert.equal(
    picture(ended, { phase: "final", rows: Infinity }),
    `
[+] Building 2.5s (3/3) FAILED
 => CACHED [1/3] FROM base                             0.0s
 => ERROR [2/3] RUN make                               1.5s
 => CANCELED [lint 1/1] RUN lint                       1.5s
`,
  );
  assert.match(picture([from.announced(), from.started(0), from.done(1)], { phase: "final" }), /\(1\/1\) FINISHED\n/);
  assert.match(picture([from.announced(), from.started(0), from.failed(1, "context canceled")], { phase: "final" }), /\(1\/1\) CANCELLED\n/);
  assert.match(picture(running, { phase: "cancelling" }), /\(1\/3\) cancelling, press/);
});

test("frame() paints only where colours are wanted", () => {
  const painted = picture([...running, lint.started(0), lint.failed(1, "x")], { colours: true, columns: 80 });
  const visible = painted.replaceAll("\u001b", "ESC");
  assert.match(visible, /ESC\[1m\[\+\] Building/);
  assert.match(visible, /ESC\[34m => CACHED .*ESC\[0m/);
  assert.match(visible, /ESC\[31m => ERROR .*ESC\[0m/);
});

test("redraw() goes back to the top of the old picture, clears the rest of lines and what is below", () => {
  assert.equal(redraw([], ["a"], 80), "\ra\u001b[K\n\u001b[J");
  assert.equal(redraw(["a", "b"], ["c"], 80), "\r\u001b[2Ac\u001b[K\n\u001b[J");
});

test("redraw() counts the rows into which a narrower terminal has wrapped the old picture", () => {
  assert.equal(redraw(["\u001b[34m123456789\u001b[0m", "x"], ["c"], 4), "\r\u001b[4Ac\u001b[K\n\u001b[J");
});
