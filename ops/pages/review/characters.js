/** Characters that would be invisible, or change how others are shown, are shown as marks. */

/**
 * Controls, direction marks and overrides, invisible fillers, tags and halves of pairs; a line end of two characters.
 * The first group is what only looks like one: an emoji flag of tags. Joiners stay: emoji and scripts need them.
 */
const UNSEEN = new RegExp(
  "(\\u{1f3f4}[\\u{e0020}-\\u{e007e}]+\\u{e007f})|\\r\\n|" +
    "([\\u0000-\\u0008\\u000b-\\u001f\\u007f-\\u009f\\u00ad\\u061c\\u115f\\u1160\\u180e\\u200b\\u200e\\u200f" +
    "\\u2028-\\u202e\\u2060-\\u206f\\u3164\\ufeff\\uffa0\\ufff9-\\ufffb\\u{e0000}-\\u{e007f}\\p{Cs}])\\2*",
  "gu",
);
const C0 = (
  "NUL SOH STX ETX EOT ENQ ACK BEL BS TAB LF VT FF CR SO SI DLE DC1 DC2 DC3 DC4 NAK SYN ETB CAN EM SUB ESC FS GS RS US"
).split(" ");
const NAMES = {
  0x7f: "DEL",
  0x85: "NEL", 0xad: "SHY", 0x61c: "ALM", 0x200b: "ZWSP", 0x200e: "LRM", 0x200f: "RLM", 0x2028: "LS", 0x2029: "PS",
  0x202a: "LRE", 0x202b: "RLE", 0x202c: "PDF", 0x202d: "LRO", 0x202e: "RLO", 0x2060: "WJ", 0x2066: "LRI",
  0x2067: "RLI", 0x2068: "FSI", 0x2069: "PDI", 0xfeff: "BOM",
};
/** So many marks a part: hostile text must not make the page slow. Those after it are shown as one sign each. */
const MOST_MARKS = 500;

function nameOf(point) {
  return C0[point] ?? NAMES[point] ?? `U+${point.toString(16).toUpperCase().padStart(4, "0")}`;
}

/**
 * What to show of text[begin:end]: pieces {begin, end, shown, mark}. A piece that is no mark is as long as its text;
 * offsets are UTF-16 units.
 */
export function pieces(text, begin, end) {
  const part = text.slice(begin, end);
  const found = [];
  let marks = 0;
  let from = 0;
  const plain = (to) => {
    if (to > from) found.push({ begin: begin + from, end: begin + to, shown: part.slice(from, to), mark: false });
  };
  for (const match of part.matchAll(UNSEEN)) {
    if (match[1]) continue;
    if (++marks > MOST_MARKS) break;
    plain(match.index);
    from = match.index + match[0].length;
    const point = match[0].codePointAt(0);
    const count = match[2] ? match[0].length / match[2].length : 1;
    const shown = match[2] ? `${nameOf(point)}${count > 1 ? `\u00d7${count}` : ""}` : "\n";
    found.push({ begin: begin + match.index, end: begin + from, shown, mark: shown === "\n" ? "line" : "control" });
  }
  if (marks > MOST_MARKS) {
    const rest = part.slice(from).replace(UNSEEN, (sign, flag) => flag ?? "\ufffd".repeat(sign.length));
    found.push({ begin: begin + from, end, shown: rest, mark: false });
  } else {
    plain(part.length);
  }
  return found;
}

/** The beginning of a text in one line, for sentences and announcements. */
export function excerpt(text, length = 60) {
  const start = text.slice(0, 4 * length + 400).trimStart();
  const shown = pieces(start, 0, start.length).map((piece) => piece.shown).join("").replace(/\s+/g, " ");
  return shown.length > length ? `${[...shown].slice(0, length).join("")}\u2026` : shown;
}
