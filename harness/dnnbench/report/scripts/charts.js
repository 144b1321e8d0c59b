// Charts: drawn by Vega when they come into sight, with tooltips, on a log or a linear axis.

const specs = data.charts ?? [];
const views = new Map();
const EMBEDDED = {
  mode: "vega-lite", renderer: "svg", actions: false, ast: true, defaultStyle: false,
  tooltip: { disableDefaultStyle: true }, config: data.looks,
};

// Every scale of a specification that is a log scale as it was made.
function logScales(part, found = []) {
  if (Array.isArray(part)) part.forEach((one) => logScales(one, found));
  else if (part && typeof part === "object") {
    if (part.scale?.type === "log") found.push(part);
    Object.entries(part).forEach(([key, one]) => key !== "values" && logScales(one, found));
  }
  return found;
}

function linear(spec) {
  const made = structuredClone(spec);
  for (const channel of logScales(made)) {
    channel.scale = { type: "linear", zero: false, nice: true };
    if (channel.title) channel.title = channel.title.replace("log axis", "linear axis");
    if (channel.axis) delete channel.axis.values;
  }
  return made;
}

async function draw(figure, spec) {
  const place = element("div", { class: "chart" });
  const view = await vegaEmbed(place, spec, EMBEDDED);
  views.get(figure)?.finalize();
  views.set(figure, view);
  figure.querySelector(":scope > svg, :scope > .chart, :scope > .undrawn")?.remove();
  figure.append(place);
  const drawing = place.querySelector("svg");
  asOneImage(drawing);
  drawing.setAttribute("role", "img");
  drawing.setAttribute("aria-label", figure.querySelector("figcaption").firstChild.textContent);
  drawing.setAttribute("viewBox", `0 0 ${drawing.getAttribute("width")} ${drawing.getAttribute("height")}`);
  figure.dataset.drawn = "yes";
}

// One image with one name, not a tree of nameless marks.
function asOneImage(drawing) {
  for (const mark of all("[role], [aria-label], [aria-roledescription]", drawing)) {
    for (const name of ["role", "aria-label", "aria-roledescription"]) mark.removeAttribute(name);
  }
}

// Ratios to the chosen base, in place of those to the run's.
function rebased(figure, spec) {
  if (!base || !spec.usermeta?.ratios) return spec;
  const run = runOf(figure);
  const { workload, batch } = figure.dataset;
  const cells = run.cells.filter((cell) => cell.workload === workload && String(cell.batch) === batch);
  const rows = cells.filter((cell) => held(run, cell)).map((cell) => ratioRow(cell, held(run, cell)));
  if (!rows.length) return spec;
  const made = structuredClone(spec);
  made.data = { values: rows };
  const ends = [...rows.flatMap((row) => [row.ratio, row.low ?? row.ratio, row.high ?? row.ratio]), 1];
  const room = Math.max(Math.log(Math.max(...ends) / Math.min(...ends)), 0.1);
  const domain = [Math.min(...ends) * Math.exp(-0.05 * room), Math.max(...ends) * Math.exp(0.22 * room)];
  for (const channel of logScales(made)) {
    channel.scale.domain = domain;
    if (channel.axis) delete channel.axis.values;
  }
  return made;
}

function ratioRow({ phase, arm, backend }, { ratio: value, low, high, verdict }) {
  const decided = verdict in TONES;
  const end = Math.max(value, high ?? value);
  return { phase, arm, backend, ratio: value, low, high, decided, end, label: `${ratio(value)}×` };
}

function shownSpec(figure) {
  const spec = rebased(figure, specs[figure.dataset.chart]);
  return figure.dataset.axis === "linear" ? linear(spec) : spec;
}

const redraw = () => all("figure[data-drawn]").filter((figure) => figure.dataset.chart).forEach((figure) => draw(figure, shownSpec(figure)));

function axisButton(figure, redrawn) {
  const button = element("button", { type: "button", class: "axis", onclick: () => {
    figure.dataset.axis = figure.dataset.axis === "linear" ? "log" : "linear";
    button.textContent = figure.dataset.axis === "linear" ? "log axis" : "linear axis";
    redrawn();
  } }, "linear axis");
  return button;
}

const inSight = new IntersectionObserver((entries) => {
  for (const { target } of entries.filter((entry) => entry.isIntersecting)) {
    inSight.unobserve(target);
    draw(target, shownSpec(target));
  }
}, { rootMargin: "300px" });

for (const figure of all("figure[data-chart]")) {
  if (logScales(specs[figure.dataset.chart]).length) {
    const button = axisButton(figure, () => draw(figure, shownSpec(figure)));
    figure.querySelector("figcaption").append(" ", button);
  }
  inSight.observe(figure);
}
