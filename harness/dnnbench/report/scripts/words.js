// Figures as the rest of the page writes them: see report/quantity.py and report/answer_words.py.

function digits(value, count = 3) {
  if (value === 0) return "0";
  const rounded = Number(value.toPrecision(count));
  const size = Math.abs(rounded);
  if (size < 1e-5 || size >= 1e7) {
    return value.toExponential(1).replace(/e([+-])(\d)$/, "e$10$2");
  }
  const places = Math.max(count - 1 - Math.floor(Math.log10(size)), 0);
  return rounded.toLocaleString("en-US", { minimumFractionDigits: places, maximumFractionDigits: places });
}

const UNITS = [[1, "s"], [1e-3, "ms"], [1e-6, "µs"], [1e-9, "ns"]];

function seconds(value) {
  const [size, unit] = UNITS.find(([size]) => Math.abs(value) >= 0.9995 * size) ?? UNITS[3];
  return `${digits(value / size)} ${unit}`;
}

const PREFIXES = ["", "k", "M", "G", "T", "P", "E"];

function scaled(value, unit) {
  let step = 0;
  for (; Math.abs(value) >= 999.5 && step < PREFIXES.length - 1; step += 1) value /= 1000;
  return `${digits(value)} ${PREFIXES[step]}${unit}`;
}

const factor = (value) => (value >= 0.9 && value < 1.095 ? value.toFixed(2) : digits(value, 2));
const ratio = (value) => (value >= 0.1 && value < 1.1 ? value.toFixed(3) : digits(value));
const interval = (low, high, show = ratio) => (low === null ? "" : `[${show(low)}, ${show(high)}]`);

const TONES = { FASTER: "good", SLOWER: "bad", SAME: "strong" };
const CHIPS = { FASTER: "▼", SLOWER: "▲", SAME: "=", UNDECIDED: "?", "not judged": "–" };

// A ratio to the base in words, as far as it is certain.
function inWords({ ratio, low, high, verdict }) {
  if (verdict === "SAME") return "same";
  if (verdict === "FASTER") return `${factor(1 / ratio)}x faster`;
  if (verdict === "SLOWER") return `${factor(ratio)}x slower`;
  if (low === null) return `not judged: ${factor(1 / ratio)}x`;
  const ends = [1 / low, 1 / high];
  const [most, least] = ends.map(factor);
  const [longer, shorter] = most === least ? ends.map((end) => digits(end)) : [most, least];
  return `undecided: ${longer}x to ${shorter}x`;
}
