// Tables: sorted by any column, copied as Markdown or CSV.

const rowsOf = (table) => [...table.tBodies].flatMap((body) => [...body.rows]);

// What a cell says, without the link to its row.
function textOf(cell) {
  const parts = [...cell.childNodes].filter((node) => !node.classList?.contains("here"));
  return parts.map((node) => node.textContent).join("").replace(/\s+/g, " ").trim();
}

// Numbers before texts, nothing last, whichever way they are sorted.
function compared(one, other, place, sign) {
  const [a, b] = [one.cells[place], other.cells[place]];
  const [x, y] = [a, b].map((cell) => (cell.dataset.value ? Number(cell.dataset.value) : NaN));
  const missing = Number.isNaN(x) - Number.isNaN(y);
  if (missing || !Number.isNaN(x)) return missing || sign * (x - y);
  const [s, t] = [textOf(a), textOf(b)];
  return !s - !t || sign * s.localeCompare(t, undefined, { numeric: true });
}

const NEXT = { none: "ascending", ascending: "descending", descending: "none" };

function sortable(table) {
  const original = [...table.tBodies].map((body) => [body, [...body.rows]]);
  const heads = [...table.tHead.rows[0].cells];
  heads.forEach((head, place) => {
    const title = head.textContent;
    if (!title.trim()) return;
    const sort = () => {
      const order = NEXT[head.getAttribute("aria-sort") ?? "none"];
      heads.forEach((other) => other.removeAttribute("aria-sort"));
      if (order !== "none") head.setAttribute("aria-sort", order);
      reorder(table, original, place, order);
      say(order === "none" ? "in the order of the run" : `sorted by ${title}, ${order}`);
    };
    head.replaceChildren(element("button", { type: "button", class: "sort", onclick: sort }, title));
  });
}

function reorder(table, original, place, order) {
  original.forEach(([body, rows]) => body.append(...rows));
  if (order === "none") return;
  const sign = order === "ascending" ? 1 : -1;
  const rows = rowsOf(table).sort((one, other) => compared(one, other, place, sign));
  table.tBodies[0].append(...rows);
}

function grid(table) {
  const heads = [...table.tHead.rows[0].cells].map(textOf);
  const rows = rowsOf(table).filter((row) => !row.hidden);
  return [heads, ...rows.map((row) => [...row.cells].map(textOf))];
}

// Mentions nobody; written in two, so that it begins no comment of the page.
const MENTION = "@<!" + "-- -->";
const MARKUP = /[\\`*_{}[\]<>#|~$]/g;

function markdown(table) {
  const lines = grid(table).map((row) => {
    const cells = row.map((text) => text.replace(/&/g, "&amp;").replace(MARKUP, "\\$&"));
    return `| ${cells.join(" | ").replace(/@/g, MENTION)} |`;
  });
  const rules = [...table.tHead.rows[0].cells].map((head) =>
    head.classList.contains("number") ? "---:" : "---");
  lines.splice(1, 0, `| ${rules.join(" | ")} |`);
  return `${lines.join("\n")}\n`;
}

// A spreadsheet takes what begins so for a formula, and runs it.
const FORMULA = /^([=+@]|-(?![\d.]))/;

function csv(table) {
  const quoted = (text) => `"${text.replace(FORMULA, "'$&").replace(/"/g, '""')}"`;
  return `${grid(table).map((row) => row.map(quoted).join(",")).join("\r\n")}\r\n`;
}

async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    const field = element("textarea", { class: "apart" });
    field.value = text;
    document.body.append(field);
    field.select();
    document.execCommand("copy");
    field.remove();
  }
}

function copyable(table) {
  const button = (name, written) =>
    element("button", { type: "button", onclick: async () => {
      await copy(written(table));
      say(`${grid(table).length - 1} rows copied as ${name}`);
    } }, `copy as ${name}`);
  const buttons = [button("Markdown", markdown), button("CSV", csv)];
  table.closest(".scroll").after(element("div", { class: "copy" }, ...buttons));
}

for (const table of all("main table")) {
  sortable(table);
  copyable(table);
}
