import assert from "node:assert/strict";
import test from "node:test";
import { chompTabs, heredocMarkers } from "./heredoc.js";

const show = (line: string) =>
  heredocMarkers(line, "\\").map(({ name, expand, chomp, fd }) => `${fd}${chomp ? "-" : ""}${expand ? "" : "'"}${name}`);

const rows: readonly [string, readonly string[]][] = [
  ["RUN <<EOF", ["0EOF"]],
  ["run <<-EOF", ["0-EOF"]],
  ["RUN <<- EOF", ["0-EOF"]],
  ["RUN << -EOF", ["0-EOF"]], // no chomping: the name is -EOF
  ["RUN <<'EOF'", ["0'EOF"]],
  ['RUN <<"A B"', ["0'A B"]],
  ['RUN <<EO"F"', ["0'EOF"]],
  ["RUN <<eo\\'f", ["0eo'f"]],
  ["RUN <<'e'o\\'f", ["0'eo'f"]],
  ["RUN 4<<EOF", ["4EOF"]],
  ["RUN <<EOF <<EOF2", ["0EOF", "0EOF2"]],
  ["RUN <<-A <<B", ["0-A", "0B"]],
  ["RUN <<  EOF  > foo", ["0EOF"]],
  ["RUN <<$EOF", ["0$EOF"]],
  ["RUN --mount=type=cache,target=/x <<EOF python3", ["0EOF"]],
  ["RUN cat <<EOF | sh", ["0EOF"]],
  ["RUN '<<EOF'", []],
  ['RUN "<<EOF"', []],
  ["RUN sh -c 'cat <<EOF'", []],
  ["RUN it's <<EOF", []],
  ['RUN ["<<EOF"]', []],
  ["RUN <<<EOF", []],
  ["RUN <<", []],
  ["RUN <<-", []],
  ["RUN <EOF", []],
  ["RUN a<<EOF", []],
  ["RUN <<''", []],
  ["RUN echo $((1<<2))", []],
  ["COPY <<file.txt /dest", ["0file.txt"]],
  ["ADD <<a <<b /dest/", ["0a", "0b"]],
  ["ONBUILD RUN <<EOF", ["0EOF"]],
  ['ONBUILD COPY ["a", "<<b"]', []],
  ["USER <<EOF", []],
  ["CMD cat <<EOF", []],
  ["ONBUILD ENV a=<<b", []],
];

for (const [line, expected] of rows) test(`heredocMarkers(${line})`, () => assert.deepEqual(show(line), expected));

test("heredocMarkers() says where a marker is", () => {
  const line = 'COPY a <<"A B" /dest';
  assert.deepEqual(heredocMarkers(line, "\\").map(({ start, end }) => line.slice(start, end)), ['<<"A B"']);
});

test("chompTabs() removes leading tabs only", () => {
  assert.equal(chompTabs("\thello\n\t\t world\n a\t\n"), "hello\n world\n a\t\n");
});
