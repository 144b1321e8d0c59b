// Filters: rows of one workload, batch size, arm, phase or type alone.

const FACETS = { workload: "workload", batch: "batch size", arm: "arm", phase: "phase", type: "type" };
const chosen = {};
const subjects = all("main tbody tr, main figure").filter((one) => Object.keys(FACETS).some((facet) => facet in one.dataset));

const fits = (one) => Object.entries(chosen).every(([facet, value]) => !(facet in one.dataset) || one.dataset[facet] === value);

function filter() {
  for (const one of subjects) one.hidden = !fits(one);
  for (const table of all("main table")) {
    const empty = rowsOf(table).every((row) => row.hidden);
    for (const part of partsOf(table)) part.hidden = empty;
  }
  const rows = subjects.filter((one) => one.tagName === "TR");
  say(`${rows.filter((row) => !row.hidden).length} of ${rows.length} rows shown`);
}

// All that stands on the page for a table's sake.
const partsOf = (table) => [table.closest(".table")];

function choose(facet, value) {
  if (value) chosen[facet] = value;
  else delete chosen[facet];
  filter();
}

for (const [facet, name] of Object.entries(FACETS)) {
  const values = [...new Set(subjects.map((one) => one.dataset[facet]).filter(Boolean))];
  if (values.length > 1) {
    const options = [["", "all"], ...values.map((value) => [value, value])];
    bar.append(chooser(name, options, "", (value) => choose(facet, value)));
  }
}

// A link leads to its row, hidden or not.
function uncover() {
  const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (!target?.closest("[hidden]")) return;
  for (const select of all("select", bar)) {
    if (Object.values(FACETS).includes(select.dataset.chooses)) select.value = "";
  }
  Object.keys(chosen).forEach((facet) => delete chosen[facet]);
  filter();
  target.scrollIntoView();
}

addEventListener("hashchange", uncover);
