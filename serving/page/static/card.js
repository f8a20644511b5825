// What was shown of a version before it was promoted.

import { byId, el, number, whole } from "./dom.js";

const MOST_METRICS = 6;

export function showProofs(card) {
  const proofs = card.proofs;
  const blocks = [metrics(proofs), gates(proofs), facts(card)].filter(Boolean);
  byId("proofs").replaceChildren(...(blocks.length ? blocks : [el("p", { class: "note" }, "Nothing stands in its bundle.")]));
}

export function what(card) {
  switch (card.problem) {
    case "binary":
    case "multiclass":
      return `Chooses one of ${listed(card.classes ?? [])}`;
    case "multilabel":
      return `Chooses any of ${listed(card.labels ?? [])}`;
    case "quantile":
      return `Estimates the quantiles ${listed(card.quantiles ?? [])}`;
    default:
      return "Estimates a number";
  }
}

function metrics(proofs) {
  if (!proofs.metrics) {
    return null;
  }
  const sure = proofs.confidence ? `${number(100 * proofs.confidence)}% interval` : "interval";
  const on = proofs.test_rows ? `On ${whole(proofs.test_rows)} held-out records that it never saw` : "On held-out records";
  const rows = proofs.metrics.map(metricRow);
  const head = ["Metric", "Value", sure].map((title) => el("th", { scope: "col" }, title));
  const table = (caption, body) => el("table", {}, caption, el("thead", {}, el("tr", {}, ...head.map((cell) => cell.cloneNode(true)))), el("tbody", {}, ...body));
  const more = rows.length > MOST_METRICS
    ? el("details", {}, el("summary", {}, `${rows.length - MOST_METRICS} more metrics`), table("", rows.slice(MOST_METRICS)))
    : null;
  return el("section", {}, el("h4", {}, "How good it is"), el("p", { class: "hint" }, `${on}.`), table("", rows.slice(0, MOST_METRICS)), more);
}

function metricRow(metric) {
  const better = metric.better === "lower" ? el("span", { class: "hint" }, "lower is better") : null;
  const [low, high] = metric.interval ?? [null, null];
  return el(
    "tr", {}, el("th", { scope: "row" }, metric.title, better), el("td", {}, number(metric.value)),
    el("td", {}, low === null || high === null ? "" : `${number(low)} to ${number(high)}`),
  );
}

function gates(proofs) {
  if (!proofs.gates) {
    return null;
  }
  const held = proofs.gates.filter((gate) => gate.passed).length;
  const all = proofs.gates.length;
  const when = proofs.judged ? `, ${new Date(proofs.judged).toLocaleString("en", { dateStyle: "medium", timeStyle: "short" })}` : "";
  const items = proofs.gates.map((gate) => {
    const wanted = `${gate.comparison === ">=" ? "at least" : gate.comparison === "<=" ? "at most" : gate.comparison} ${number(gate.wanted)}`;
    const got = gate.got === null ? "nothing to judge by" : number(gate.got);
    return el(
      "li", { class: gate.passed ? "held" : "failed" },
      el("span", { class: "mark" }, gate.passed ? "held" : "failed"), el("span", {}, gate.title),
      el("span", { class: "hint" }, `${got}, wanted ${wanted}`),
    );
  });
  return el("section", {}, el("h4", {}, "What had to hold"), el("p", { class: "hint" }, `${held} of ${all} gates held${when}.`), el("ul", { class: "gates" }, ...items));
}

function facts(card) {
  const { parity, data, contract, latency_ms: latency } = card.proofs;
  const pairs = [];
  for (const found of parity ?? []) {
    pairs.push([
      "Parity", `On ${whole(found.rows)} ${found.records} the training path and the served graph differ by at most ${number(found.max_difference)}; ${labels(found.label_flips)}.`,
    ]);
  }
  if (data) {
    pairs.push(["Data", `${whole(data.rows)} rows came, ${whole(data.kept)} were kept, ${whole(data.quarantined)} quarantined.`]);
  }
  if (contract) {
    pairs.push(["Contract", `${contract.name} ${contract.version}`, contract.digest]);
  }
  for (const [rows, found] of Object.entries(latency ?? {})) {
    pairs.push(["Latency", `A batch of ${rows} took ${number(found.p50, 3)} ms, at the 99th percentile ${number(found.p99, 3)} ms.`]);
  }
  pairs.push(["Bundle", "", card.digest]);
  const rows = pairs.map(([name, said, digest]) => el(
    "div", {}, el("dt", {}, name), el("dd", {}, said, digest ? el("code", { title: digest }, ` ${digest.slice(0, 12)}`) : null),
  ));
  return el("section", {}, el("h4", {}, "Where it comes from"), el("dl", { class: "facts" }, ...rows));
}

const labels = (flips) => (flips === 0 ? "no label differs" : `${whole(flips)} labels differ`);

function listed(names) {
  const shown = names.slice(0, 6).map(String).join(", ");
  return names.length > 6 ? `${shown} and ${names.length - 6} more` : shown;
}
