// A cell opened: how its visits lie, round by round, its first call, memory and facts.

const dialog = element("dialog", { class: "cell", "aria-labelledby": "cell-title" });
document.body.append(dialog);

function facts(cell) {
  const pairs = [
    ["time a call", cell.call_s && `${seconds(cell.call_s)} ${cell.low ? interval(cell.low, cell.high, seconds) : ""}`],
    ["runs as", `${cell.type}, ${cell.device}, ${cell.threads} thread${cell.threads === 1 ? "" : "s"}`],
    ["rests on", cell.visits && `${cell.visits} visits in ${cell.generations} generations; ${cell.dropped} rounds dropped`],
    ["peak memory", cell.peak_rss_bytes && scaled(cell.peak_rss_bytes, "B")],
    ["on the device", cell.peak_device_bytes && scaled(cell.peak_device_bytes, "B")],
    ["operations", cell.flops && `${scaled(cell.flops, "FLOP")} a call`],
    ...(cell.starts ?? []).map(started),
    ["status", cell.status === "ok" ? null : cell.status],
    ["why", cell.reason],
  ];
  return pairs.filter(([, text]) => text).flatMap(([name, text]) => [element("dt", {}, name), element("dd", {}, text)]);
}

function started([caches, imported, built, first]) {
  const parts = `import ${seconds(imported)}, build ${seconds(built)}, first call ${seconds(first)}`;
  return [`first result, caches ${caches}`, parts];
}

const MS = { field: "ms", type: "quantitative", title: "milliseconds a call" };
const INK = "var(--backend-2)";

function spread(cell) {
  const values = cell.quantiles.map((s) => ({ ms: s * 1e3 }));
  return {
    data: { values }, width: 400, height: 130, mark: { type: "bar", color: INK, tooltip: true },
    encoding: {
      x: { ...MS, bin: { maxbins: 24 }, scale: { zero: false } },
      y: { aggregate: "count", type: "quantitative", title: "32nds of the visits" },
    },
  };
}

const CONDITIONS = ["clean", "contended"];

function overTime(cell) {
  const values = cell.rounds.map(([round, generation, call_s, contended], place) => ({
    place, round, generation, ms: call_s * 1e3, condition: CONDITIONS[Number(contended)],
  }));
  const tooltip = ["round", "generation", "ms", "condition"].map((field) => ({ field }));
  return {
    data: { values }, width: 400, height: 150, mark: { type: "point", filled: true, size: 45 },
    encoding: {
      x: { field: "place", type: "quantitative", title: "rounds in their order; of many, neighbours by their median" },
      y: { ...MS, scale: { type: "log", nice: false } },
      color: { field: "condition", type: "nominal", title: null, scale: { domain: CONDITIONS, range: [INK, "var(--bad)"] }, legend: { orient: "top" } },
      shape: { field: "condition", type: "nominal", scale: { domain: CONDITIONS, range: ["circle", "cross"] }, legend: { orient: "top" } },
      tooltip,
    },
  };
}

function pictured(caption, spec) {
  const figure = element("figure", {}, element("figcaption", {}, caption));
  const redrawn = () => draw(figure, figure.dataset.axis === "linear" ? linear(spec) : spec);
  if (logScales(spec).length) figure.querySelector("figcaption").append(" ", axisButton(figure, redrawn));
  redrawn();
  return figure;
}

function openCell(run, cell, address) {
  const title = element("h2", { id: "cell-title" }, `${cell.arm} on ${cell.workload}/${cell.batch}, ${cell.phase}`);
  const pair = held(run, cell);
  const against = pair && `${inWords(pair)}, against ${base || run.base} (time ratio ${ratio(pair.ratio)} ${interval(pair.low, pair.high)})`;
  const figures = cell.quantiles?.length
    ? [pictured("How the visits lie", spread(cell)), pictured("Round by round", overTime(cell))]
    : [element("p", { class: "note" }, "Its visits are not in this page, which has those of the most telling cells.")];
  const isListed = document.getElementById(address.slice(1));
  const row = element("p", {}, element("a", { href: address, onclick: () => dialog.close() }, "its row among all cells"));
  dialog.replaceChildren(
    element("form", { method: "dialog" }, element("button", { autofocus: "" }, "close")),
    title,
    ...(against ? [element("p", {}, against)] : []),
    element("dl", { class: "facts" }, ...facts(cell)),
    element("div", { class: "grid" }, ...figures),
    ...(isListed ? [row] : []),
  );
  dialog.showModal();
}

document.addEventListener("click", (event) => {
  const link = event.target.closest("a[data-cell]");
  const run = link && runOf(link);
  const cell = run?.inRow.get(link.getAttribute("href").slice(1));
  if (!cell) return;
  event.preventDefault();
  openCell(run, cell, link.getAttribute("href"));
});
