/** JavaScript counts UTF-16 units, the contract and Comprehend code points. */

/** For each of `units` (UTF-16, any order) how many code points of `text` are before it. */
export function codePoints(text, units) {
  const counted = new Map();
  let unit = 0;
  let points = 0;
  for (const wanted of [...units].sort((a, b) => a - b)) {
    for (; unit < wanted; points++) unit += text.codePointAt(unit) > 0xffff ? 2 : 1;
    counted.set(wanted, points);
  }
  return units.map((wanted) => counted.get(wanted));
}

/** For each of `points` (code points, any order) how many UTF-16 units of `text` are before it. */
export function utf16(text, points) {
  const counted = new Map();
  let unit = 0;
  let point = 0;
  for (const wanted of [...points].sort((a, b) => a - b)) {
    for (; point < wanted && unit < text.length; point++) unit += text.codePointAt(unit) > 0xffff ? 2 : 1;
    counted.set(wanted, unit);
  }
  return points.map((wanted) => counted.get(wanted));
}

/** Entities as the contract has them to such with offsets in UTF-16 units, in the order of the text. */
export function fromContract(text, entities) {
  const units = utf16(text, entities.flatMap(({ begin, end }) => [begin, end]));
  return entities
    .map((entity, index) => ({ ...entity, begin: units[2 * index], end: units[2 * index + 1] }))
    .sort((one, other) => one.begin - other.begin);
}

/** The other way round; only what an answer has. */
export function toContract(text, entities) {
  const points = codePoints(text, entities.flatMap(({ begin, end }) => [begin, end]));
  return entities.map(({ type }, index) => ({ type, begin: points[2 * index], end: points[2 * index + 1] }));
}
