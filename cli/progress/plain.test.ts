import assert from "node:assert/strict";
import test from "node:test";
import type { Progress } from "../../solver/progress.js";
import { lintWarning, stepEvents } from "./eventFixture.js";
import { plainPrinter } from "./plain.js";

function printer() {
  let text = "";
  const plain = plainPrinter((part) => void (text += part));
  return {
    text: () => text,
    tick: (now: number) => plain.tick(now),
    print: (...events: readonly Progress[]) => {
      for (const event of events) plain.print(event, "at" in event ? event.at : 0);
    },
    end: () => (plain.end(), text),
  };
}

const from = stepEvents("[1/2] FROM base");
const make = stepEvents("[2/2] RUN make");
const lint = stepEvents("[lint 1/1] RUN lint");

test("plainPrinter() numbers steps and divides them by blank lines", () => {
  const out = printer();
  out.print(from.announced(), make.announced(), from.started(0), from.cached(1), make.started(10), make.log(510, "one\ntwo\n"), make.done(1300));
  assert.equal(out.end(), "#1 [1/2] FROM base\n#1 CACHED\n\n#2 [2/2] RUN make\n#2 0.500 one\n#2 0.500 two\n#2 DONE 1.3s\n");
});

test("plainPrinter() joins lines that come in pieces and ends the last one", () => {
  const out = printer();
  out.print(make.announced(), make.started(0), make.log(0, "o"), make.log(0, "err\n", 2), make.log(0, "ne\nlast"), make.done(100));
  assert.equal(out.end(), "#1 [2/2] RUN make\n#1 0.000 err\n#1 0.000 one\n#1 0.100 last\n#1 DONE 0.1s\n");
});

test("plainPrinter() lets a step keep the word while others wait", () => {
  const out = printer();
  out.print(make.announced(), lint.announced(), make.started(0), lint.started(0), make.log(100, "m1\n"), lint.log(200, "l1\n"), make.log(300, "m2\n"));
  assert.equal(out.text(), "#1 [2/2] RUN make\n#1 0.100 m1\n#1 0.300 m2\n");
  out.print(make.done(400));
  assert.equal(out.text(), "#1 [2/2] RUN make\n#1 0.100 m1\n#1 0.300 m2\n#1 DONE 0.4s\n\n#2 [lint 1/1] RUN lint\n#2 0.200 l1\n");
});

test("plainPrinter() passes the word on when a step is quiet, and gives it back", () => {
  const out = printer();
  out.print(make.announced(), lint.announced(), make.started(0), lint.started(0), lint.log(200, "l1\n"));
  out.tick(900);
  assert.equal(out.text(), "#1 [2/2] RUN make\n");
  out.tick(1100);
  out.print(lint.done(1200), make.done(1300));
  assert.equal(
    out.end(),
    "#1 [2/2] RUN make\n#1 ...\n\n#2 [lint 1/1] RUN lint\n#2 0.200 l1\n#2 DONE 1.2s\n\n#1 [2/2] RUN make\n#1 DONE 1.3s\n",
  );
});

test("plainPrinter() passes the word on when a step talks without end", () => {
  const out = printer();
  out.print(make.announced(), lint.announced(), make.started(0), lint.started(0));
  for (let at = 0; at <= 6000; at += 500) out.print(make.log(at, "m\n"));
  assert.match(out.text(), /#1 5\.000 m\n#1 \.\.\.\n\n#2 \[lint/);
});

test("plainPrinter() shows errors and what was stopped because of them", () => {
  const out = printer();
  out.print(make.announced(), lint.announced(), make.started(0), lint.started(0), make.failed(100, "exit code: 2"), lint.failed(150, "context canceled"));
  assert.equal(out.end(), "#1 [2/2] RUN make\n#1 ERROR: exit code: 2\n\n#2 [lint 1/1] RUN lint\n#2 CANCELED\n");
});

test("plainPrinter() tells of sub-progress when it begins and when it ends", () => {
  const out = printer();
  const status = { id: "layer", current: 0, total: 2000, startedAt: 0, completedAt: null };
  out.print(from.announced(), from.started(0), from.status(status));
  for (const current of [500, 1000, 1500]) out.print(from.status({ ...status, current }));
  out.print(from.status({ ...status, current: 2000, completedAt: 300 }), from.done(400));
  assert.equal(out.end(), "#1 [1/2] FROM base\n#1 layer 500B / 2.00kB\n#1 layer 2.00kB / 2.00kB 0.3s done\n#1 DONE 0.4s\n");
});

test("plainPrinter() shows warnings with their place, and again at the end", () => {
  const out = printer();
  out.print(lintWarning, from.announced(), from.started(0), from.done(1));
  const first = "WARNING: JSONArgsRecommended: JSON arguments recommended (Dockerfile:4)\n#1 [1/2] FROM base\n#1 DONE 0.0s\n";
  assert.equal(out.end(), `${first}\n1 warning:\n - JSONArgsRecommended: Dockerfile:4:1: JSON arguments recommended\n`);
});

test("plainPrinter() shows no control characters of a step's name", () => {
  const out = printer();
  const odd = stepEvents("RUN \u001b[2Jprintf '\u0007'");
  out.print(odd.announced(), odd.started(0), odd.done(0));
  assert.equal(out.end(), "#1 RUN printf ''\n#1 DONE 0.0s\n");
});
