// What every part needs: elements, the data of the page, and the theme.

const all = (selector, within = document) => [...within.querySelectorAll(selector)];

// An element with its attributes and children; texts stay texts.
function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key.startsWith("on")) made.addEventListener(key.slice(2), value);
    else made.setAttribute(key, value);
  }
  made.append(...children);
  return made;
}

const status = element("p", { role: "status", class: "status" });

function say(text) {
  status.textContent = text;
}

function chooser(name, values, chosen, changed) {
  const options = values.map(([value, text]) => element("option", { value }, text));
  const select = element("select", { "data-chooses": name }, ...options);
  select.value = chosen;
  select.addEventListener("change", () => changed(select.value));
  return element("label", {}, name, " ", select);
}

function theme() {
  const root = document.documentElement;
  const values = [["auto", "as the system"], ["light", "light"], ["dark", "dark"]];
  return chooser("theme", values, "auto", (value) => {
    if (value === "auto") delete root.dataset.theme;
    else root.dataset.theme = value;
  });
}

const bar = element("form", { class: "tools", "aria-label": "what is shown" });
bar.addEventListener("submit", (event) => event.preventDefault());
document.querySelector("header.top").after(element("div", { class: "bar" }, bar), status);
bar.append(theme());
