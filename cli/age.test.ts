import assert from "node:assert/strict";
import test from "node:test";
import { formatAge, formatCreated, parseDuration } from "./age.js";

test("formatAge() uses the largest unit that fits", () => {
  const ages = [0, 1, 59, 60, 3599, 7200, 86_400, 8 * 86_400, 45 * 86_400, 800 * 86_400].map((seconds) => formatAge(0, seconds * 1000));
  assert.deepEqual(ages, [
    "0 seconds ago",
    "1 second ago",
    "59 seconds ago",
    "1 minute ago",
    "59 minutes ago",
    "2 hours ago",
    "1 day ago",
    "1 week ago",
    "1 month ago",
    "2 years ago",
  ]);
});

test("formatAge() takes a clock that ran back for now", () => {
  assert.equal(formatAge(5000, 0), "0 seconds ago");
});

test("formatCreated() has no age for no time", () => {
  assert.deepEqual([null, undefined, "", "1970-01-01T00:00:00Z"].map(formatCreated), ["N/A", "N/A", "N/A", "N/A"]);
  assert.match(formatCreated("2001-01-01T00:00:00Z"), /^\d+ years ago$/);
});

test("parseDuration() adds up units", () => {
  assert.deepEqual(["48h", "1h30m", "7d", "1.5s", "10ms"].map(parseDuration), [172_800_000, 5_400_000, 604_800_000, 1500, 10]);
  assert.deepEqual(["", "5", "h", "-1h", "1 h", "1w"].map(parseDuration), [null, null, null, null, null, null]);
});
