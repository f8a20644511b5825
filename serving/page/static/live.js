// The last minute in figures, each with a line of how it went since the page was opened.

import { byId, el, number, svg } from "./dom.js";

const KEPT = 60;
const WIDTH = 120;
const HEIGHT = 28;
const FIGURES = [
  ["requests", "Requests per second", (stats) => stats.requests_per_second, ""],
  ["errors", "Errors per second", (stats) => stats.errors_per_second, ""],
  ["p50", "Median latency", (stats) => stats.latency_ms.p50, " ms"],
  ["p95", "95% within", (stats) => stats.latency_ms.p95, " ms"],
  ["p99", "99% within", (stats) => stats.latency_ms.p99, " ms"],
];
const QUIET = { requests_per_second: 0, errors_per_second: 0, latency_ms: { p50: null, p95: null, p99: null } };

const histories = new Map();

export function showStats(stats, model) {
  for (const [name, found] of Object.entries(stats.models)) {
    remember(name, found);
  }
  if (!stats.models[model]) {
    remember(model, QUIET);
  }
  draw(model);
}

export function draw(model) {
  const history = histories.get(model) ?? [];
  const latest = history.at(-1) ?? QUIET;
  const blocks = FIGURES.map(([id, title, read, unit]) => {
    const value = read(latest);
    const shown = value === null ? "–" : `${number(value, 3)}${unit}`;
    const failing = id === "errors" && value > 0 ? "figure failing" : "figure";
    return el("div", { class: failing }, el("dt", {}, title), el("dd", { "data-figure": id }, shown), line(history.map(read)));
  });
  byId("figures").replaceChildren(...blocks);
}

function remember(name, found) {
  const history = histories.get(name) ?? [];
  history.push(found);
  histories.set(name, history.slice(-KEPT));
}

function line(values) {
  const step = WIDTH / (KEPT - 1);
  const start = WIDTH - step * (values.length - 1);
  const known = values.map((value, place) => [start + step * place, value]).filter(([, value]) => value !== null);
  const top = Math.max(...known.map(([, value]) => value), 1e-9);
  const points = known.map(([at, value]) => `${at.toFixed(1)},${(HEIGHT - 2 - (HEIGHT - 4) * (value / top)).toFixed(1)}`);
  const drawn = svg("polyline", { points: points.join(" "), class: "spark" });
  const ground = svg("line", { x1: 0, x2: WIDTH, y1: HEIGHT - 2, y2: HEIGHT - 2, class: "ground" });
  return svg("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: "none", "aria-hidden": "true" }, ground, drawn);
}
