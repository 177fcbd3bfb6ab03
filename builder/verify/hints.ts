import type { ContentDifference, EntryDifference } from "./report.js";

/** A difference, and what a cause is seen by. */
export interface Evidence extends EntryDifference {
  /** Of the instruction that made the layer, in capitals; "" when it is not known. */
  readonly keyword: string;
  /** First bytes of the file, hex; "" when they are not known. */
  readonly head: string;
}

interface Cause {
  readonly fits: (difference: Evidence) => boolean;
  readonly hint: string;
}

const byPath = (pattern: RegExp) => ({ path, kind, content }: Evidence): boolean => pattern.test(path) && (kind !== "changed" || content !== null);

const causes: readonly Cause[] = [
  {
    fits: (difference) => isTime(difference) && !writesFiles(difference),
    hint: "Files that RUN writes keep the time of the build: --build-arg SOURCE_DATE_EPOCH=… with -o …,rewrite-timestamp=true gives them one time",
  },
  {
    fits: (difference) => isTime(difference) && writesFiles(difference),
    hint: "Copied files have the time of the build that wrote them, an earlier build where they came from its cache: --no-cache, or one SOURCE_DATE_EPOCH for all builds, gives them the same",
  },
  { fits: byPath(/\/__pycache__(?:\/|$)|\.pyc$/), hint: "Python's compiled files hold the time of their source: set PYTHONDONTWRITEBYTECODE=1, or remove __pycache__" },
  { fits: byPath(/^\/var\/log\/(?:apt\/|dpkg\.log|alternatives\.log|bootstrap\.log)/), hint: "Package managers log when they ran: remove /var/log/apt/* /var/log/*.log in the same RUN" },
  { fits: byPath(/^\/var\/(?:lib\/apt\/lists|cache\/apt)\//), hint: "Lists of packages change: remove /var/lib/apt/lists/* and /var/cache/apt/* in the same RUN" },
  { fits: byPath(/^\/var\/cache\/ldconfig\/aux-cache$/), hint: "ldconfig's cache holds inode numbers and times: remove /var/cache/ldconfig/aux-cache in the same RUN" },
  { fits: byPath(/^\/(?:etc\/machine-id|var\/lib\/dbus\/machine-id)$/), hint: "A machine-id is made at random: empty /etc/machine-id in the same RUN" },
  { fits: byPath(/\/(?:\.npm\/_logs|_cacache|\.cache)\//), hint: "Caches of tools have times in them: remove them, or keep them in RUN --mount=type=cache" },
  { fits: isGzipTime, hint: "gzip writes the time into its header: use gzip -n" },
  { fits: isZipTime, hint: "Zip and jar files hold times: set SOURCE_DATE_EPOCH for the tool that writes them, or use zip -X on files with one time" },
  { fits: isClock, hint: "The bytes that differ look like a time: let the command use $SOURCE_DATE_EPOCH (declare ARG SOURCE_DATE_EPOCH)" },
];

/** Causes that differences show, each once, in a fixed order. Pure. */
export function hintsOf(differences: readonly Evidence[]): readonly string[] {
  return causes.filter(({ fits }) => differences.some(fits)).map(({ hint }) => hint);
}

function isTime({ kind, fields, content }: Evidence): boolean {
  return kind === "changed" && content === null && fields.length > 0 && fields.every(({ field }) => field === "mtime");
}

/** Of these tbuild itself writes the files. */
function writesFiles({ keyword }: Evidence): boolean {
  return keyword === "COPY" || keyword === "ADD" || keyword === "WORKDIR";
}

/** MTIME of RFC 1952 is in bytes 4 to 7. */
function isGzipTime({ head, content }: Evidence): boolean {
  return head.startsWith("1f8b") && content !== null && content.at >= 4 && content.at < 8;
}

/** Time and date of a local file header are in bytes 10 to 13. */
function isZipTime({ head, content }: Evidence): boolean {
  return head.startsWith("504b0304") && content !== null && content.at >= 10 && content.at < 14;
}

const CLOCK = /\d\d:\d\d:\d\d|\b(?:19|20)\d\d-\d\d-\d\d|\b1[5-9]\d{8}\b/;

/** A time in both pieces, at a place that has the byte which differs. */
function isClock({ content }: Evidence): boolean {
  return content !== null && [content.image, content.rebuilt].every((hex) => hasClock(hex, content));
}

function hasClock(hex: string, { at, start }: ContentDifference): boolean {
  const text = Buffer.from(hex, "hex").toString("latin1");
  return [...text.matchAll(new RegExp(CLOCK, "g"))].some(({ 0: found, index }) => index <= at - start && at - start < index + found.length + 1);
}
