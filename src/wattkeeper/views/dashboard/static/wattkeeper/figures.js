// Numbers as people read them. `size` and `value` say the same as the filters of these names.
const plain = new Intl.NumberFormat("en", { maximumFractionDigits: 3, roundingMode: "halfEven" });
const short = new Intl.NumberFormat("en", { minimumFractionDigits: 1, maximumFractionDigits: 1 });

export const thousands = (number) => plain.format(number);

export function value(known) {
  if (known == null) return "–";
  return typeof known === "number" ? plain.format(known) : String(known);
}

export function size(bytes) {
  if (bytes < 1e3) return `${bytes} byte${bytes === 1 ? "" : "s"}`;
  const [number, unit] = bytes < 1e6 ? [bytes / 1e3, "kB"] : [bytes / 1e6, "MB"];
  return `${number < 10 ? short.format(number) : plain.format(Math.round(number))} ${unit}`;
}

export function duration(seconds) {
  if (seconds < 60) return `${Math.max(1, Math.round(seconds))} s`;
  if (seconds < 3600) return `${Math.round(seconds / 60)} min`;
  return `${Math.floor(seconds / 3600)} h ${Math.round((seconds % 3600) / 60)} min`;
}
