// The first rows of a file as the server would read them: whose column is whose, what is refused and why.
import { thousands } from "./figures.js";
import { ask, insist } from "./requests.js";

const HEAD = 256 << 10;

// What the API says of the file's beginning, and an estimate of its rows.
export async function previewOf(file, { address, fields, signal, lost }) {
  const head = file.slice(0, HEAD);
  const bytes = new Uint8Array(await head.arrayBuffer());
  const form = new FormData();
  for (const [name, value] of Object.entries({ file_name: file.name, complete: String(file.size <= HEAD), ...fields })) form.append(name, value);
  form.append("head", head, "head");
  const told = await insist(() => ask("POST", address, { form, signal }), { signal, lost });
  return { ...told, rowsAbout: rowsIn(bytes, file.size, told.header_line) };
}

function rowsIn(bytes, size, headerLine) {
  let breaks = 0;
  for (const byte of bytes) breaks += byte === 10;
  if (bytes.length < size) return { count: Math.round((breaks * size) / bytes.length), exact: false };
  return { count: Math.max(0, breaks + (bytes.at(-1) === 10 ? 0 : 1) - headerLine), exact: true };
}

export function rowsSaid({ count, exact }) {
  if (exact) return `${thousands(count)} row${count === 1 ? "" : "s"}`;
  const round = 10 ** Math.max(0, Math.floor(Math.log10(count)) - 1);
  return `about ${thousands(Math.round(count / round) * round)} rows`;
}

function element(name, text = "", className = "") {
  const made = document.createElement(name);
  made.textContent = text;
  if (className) made.className = className;
  return made;
}

function copy(id, text) {
  const made = document.getElementById(id).content.cloneNode(true).firstElementChild;
  if (text) made.append(text);
  return made;
}

export function showRows(table, preview) {
  const head = table.querySelector("thead tr");
  head.replaceChildren(heading("Row", "", "number slim"));
  if (preview.loadable) head.append(heading("Check", ""));
  head.append(...preview.missing_columns.map((name) => heading(name, "missing", "missing")), ...preview.columns.map(understood));
  table.querySelector("tbody").replaceChildren(...preview.rows.map((row) => line(row, preview)));
}

function heading(name, below, className = "") {
  const cell = element("th", name, className);
  cell.scope = "col";
  if (below) cell.append(element("small", below));
  return cell;
}

function understood({ name, channel, label, unit, type }) {
  if (channel === null) return heading(name || "(no name)", "ignored", "ignored");
  const numeric = type === "float" || type === "integer";
  return heading(name, [label, unit].filter(Boolean).join(", "), numeric ? "number" : "");
}

function line(row, preview) {
  const made = document.createElement("tr");
  if (row.refused) made.className = "refused";
  const number = element("th", thousands(row.row), "number");
  number.scope = "row";
  made.append(number);
  if (preview.loadable) made.append(check(row));
  made.append(...preview.missing_columns.map(() => element("td", "–", "none")));
  preview.columns.forEach((column, place) => made.append(cell(row, column, place)));
  return made;
}

function check({ refused, flags }) {
  const made = element("td");
  if (refused) made.append(copy("row-refused", refused.column ? `${refused.column}: ${refused.reason}` : refused.reason));
  else if (flags.length) made.append(...flags.map((flag) => copy("row-flagged", flag.replaceAll("_", " "))));
  else made.append(copy("row-fine"));
  return made;
}

function cell(row, { channel, type }, place) {
  const text = row.cells[place];
  const made = element("td", text || "–", channel === null ? "ignored" : type === "float" || type === "integer" ? "number" : "");
  if (!text) made.classList.add("none");
  if (row.refused && row.refused.column === channel) made.classList.add("wrong");
  return made;
}
