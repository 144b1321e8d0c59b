// Any arm as the base: intervals of every pair of arms were computed when the page was made.

const data = JSON.parse(document.getElementById("data").textContent);
const TURNED = { FASTER: "SLOWER", SLOWER: "FASTER" };
let base = "";

// Cells stand as rows, to be short: see report/page/data.py.
function cellsOf({ fields, spelled, texts, rows }) {
  const isText = fields.map((name) => spelled.includes(name));
  const value = (one, place) => (isText[place] ? texts[one] : one);
  return rows.map((row) => Object.fromEntries(row.map((one, place) => [fields[place], value(one, place)])));
}

for (const run of data.runs) {
  run.cells = cellsOf(run.cells);
  run.of = new Map(run.cells.map((cell) => [cell.id, cell]));
  run.inRow = new Map(run.cells.map((cell) => [rowOf(run, cell), cell]));
  run.among = new Map(run.cells.map((cell) => [placeOf(cell, cell.arm), cell]));
  run.against = new Map();
  for (const [over, under, ratio, low, high, verdict, reasons] of run.pairs) {
    const [one, other] = [run.cells[over].id, run.cells[under].id];
    run.against.set(`${one} ${other}`, { ratio, low, high, verdict, reason: reasons[0] });
    run.against.set(`${other} ${one}`, {
      ratio: 1 / ratio,
      low: high === null ? null : 1 / high,
      high: low === null ? null : 1 / low,
      verdict: TURNED[verdict] ?? verdict,
      reason: reasons[1],
    });
  }
}

// The name of a cell's row: see report/page/rows.py.
function rowOf(run, cell) {
  return `${run.prefix}row-${cell.id.replace(/[^A-Za-z0-9_-]+/g, "-")}`;
}

// Where an arm's cell of the same case and phase stands.
function placeOf(cell, arm) {
  return JSON.stringify([cell.workload, cell.batch, cell.phase, arm]);
}

const runOf = (part) => data.runs.find((run) => part.closest(`section[id^="${run.prefix}"]`));
const baseOf = (run, cell) => run.among.get(placeOf(cell, base || run.base));
const held = (run, cell) => run.against.get(`${cell.id} ${baseOf(run, cell)?.id}`) ?? asMeasured(cell);

// Against the run's own base, which is all that a page of too many pairs has.
function asMeasured({ against, reason }) {
  if (!against) return undefined;
  const [ratio, low, high, verdict] = against;
  return { ratio, low, high, verdict, reason };
}

// What a place of a table shows of a cell against the chosen base: parts, and what it is sorted by.
const SHOWN = {
  time(run, cell) {
    const pair = held(run, cell);
    const value = pair ? baseOf(run, cell).call_s * pair.ratio : cell.call_s;
    return { parts: [` ${seconds(value)}`], value };
  },
  ratio(run, cell) {
    const pair = held(run, cell);
    if (!pair) return { parts: [said(isBase(run, cell) ? "base" : "–", "quiet")] };
    const range = element("span", { class: "range" }, interval(pair.low, pair.high));
    return { parts: [ratio(pair.ratio), " ", range], value: pair.ratio };
  },
  verdict(run, cell) {
    const { verdict, reason } = held(run, cell) ?? {};
    if (!verdict) return { parts: [] };
    const tone = TONES[verdict] ?? "quiet";
    return { parts: [element("span", { class: `chip ${tone}`, title: reason }, `${CHIPS[verdict]} ${verdict}`)] };
  },
  words(run, cell) {
    const pair = held(run, cell);
    if (!pair) return { parts: [said(isBase(run, cell) ? "base" : "not ranked", "quiet")] };
    return { parts: [said(inWords(pair), TONES[pair.verdict] ?? "quiet")] };
  },
  reason: (run, cell) => ({ parts: [said(held(run, cell)?.reason ?? "", "quiet")] }),
};

const said = (text, tone) => element("span", { class: tone }, text);
const isBase = (run, cell) => baseOf(run, cell) === cell;

const places = all("td[data-shows]").map((td) => {
  const run = runOf(td);
  return { td, run, cell: run.of.get(td.dataset.of), before: [...td.childNodes], value: td.dataset.value };
});

function show({ td, run, cell, before, value }) {
  if (!base) {
    td.replaceChildren(...before);
    if (value) td.dataset.value = value;
    return;
  }
  const shown = SHOWN[td.dataset.shows](run, cell);
  td.replaceChildren(...before.filter((node) => node.className === "track"), ...shown.parts);
  if (shown.value === undefined) delete td.dataset.value;
  else td.dataset.value = shown.value;
}

// Tables whose rows stand by their times keep doing so.
function byTime(table) {
  const time = (row) => Number(row.querySelector("td[data-shows=time]").dataset.value);
  const body = table.tBodies[0];
  body.append(...[...body.rows].sort((one, other) => time(one) - time(other)));
}

function rebase(arm) {
  base = arm;
  places.forEach(show);
  new Set(all("td[data-shows=time]").map((td) => td.closest("table"))).forEach(byTime);
  for (const run of data.runs) {
    const title = document.querySelector(`#${CSS.escape(`${run.prefix}verdicts`)} h2`);
    if (title) title.textContent = `Ratio to ${arm || run.base}`;
  }
  redraw();
  say(arm ? `against ${arm}` : "against the base of the run");
}

const arms = [...new Set(data.runs.flatMap((run) => run.cells.map((cell) => cell.arm)))];
if (arms.length > 1 && places.length && data.runs.some((run) => run.pairs.length)) {
  bar.append(chooser("base", [["", "as the run had it"], ...arms.map((arm) => [arm, arm])], "", rebase));
}
