/** Numbers, times and names as people read them. Times are UTC, as in the reports and on the command line. */

const NUMBER = new Intl.NumberFormat("en");

export const count = (number) => (number === null || number === undefined ? "\u2013" : NUMBER.format(number));

export const plural = (number, one, many = `${one}s`) => `${count(number)} ${number === 1 ? one : many}`;

export const score = (value) => (value === null || value === undefined ? "\u2013" : value.toFixed(4));

export const percent = (share) => (share === null || share === undefined ? "\u2013" : `${(100 * share).toFixed(1)} %`);

export const dollars = (amount) =>
  amount === null || amount === undefined
    ? "\u2013"
    : new Intl.NumberFormat("en", { style: "currency", currency: "USD" }).format(Number(amount));

export function size(bytes) {
  const units = ["B", "KB", "MB", "GB", "TB"];
  let place = 0;
  while (bytes >= 1000 && place < units.length - 1) {
    bytes /= 1000;
    place += 1;
  }
  return `${place && bytes < 100 ? bytes.toFixed(1) : Math.round(bytes)} ${units[place]}`;
}

/** 2026-11-29 07:38 */
export const moment = (iso) => (iso ? new Date(iso).toISOString().slice(0, 16).replace("T", " ") : "\u2013");

const UNITS = [
  [86400, "d"],
  [3600, "h"],
  [60, "min"],
  [1, "s"],
];

/** In the two largest units: 12 s, 3 min 5 s, 2 h 7 min. */
export function duration(milliseconds) {
  let seconds = Math.max(0, Math.round(milliseconds / 1000));
  const parts = UNITS.map(([unit, name]) => {
    const amount = Math.floor(seconds / unit);
    seconds -= amount * unit;
    return [amount, name];
  });
  const first = Math.max(0, parts.findIndex(([amount]) => amount > 0));
  const from = parts.some(([amount]) => amount > 0) ? first : parts.length - 1;
  return parts
    .slice(from, from + 2)
    .filter(([amount], place) => amount > 0 || place === 0)
    .map(([amount, name]) => `${amount} ${name}`)
    .join(" ");
}

export const between = (from, to) => duration(new Date(to ?? Date.now()) - new Date(from));

/** The last part of an ARN: a model's version, a person's name. */
export const last = (arn) => (arn ? arn.split("/").at(-1) : "\u2013");

/** A version's name without what all of them begin with. */
export const shortVersion = (arn) => last(arn).replace(/^Comprehend-Generated-/, "");

export const sentence = (words) => (words ? words[0].toUpperCase() + words.slice(1) : words);

/** Commands in a sentence of the command line's, such as `flywheel status`, for code elements: [text, code, text...] */
export const withCommands = (words) => (words ?? "").split("`");
