// One prediction for people: the label or number first, probabilities as bars.

import { byId, el, number, say } from "./dom.js";

const MOST_BARS = 10;

export function showAnswer(answer, milliseconds) {
  const [prediction] = answer.predictions;
  const blocks = [];
  let headline = "";
  for (const [name, value] of Object.entries(prediction)) {
    if (value === null || typeof value !== "object") {
      headline = name === "label" ? String(value) : `${number(value, 6)}`;
    } else if (name === "labels") {
      headline = Object.keys(value).filter((label) => value[label]).join(", ") || "none of the labels";
    } else if (name === "probabilities") {
      blocks.push(bars(value));
    } else if (!Array.isArray(value)) {
      blocks.push(figures(value));
    } else {
      blocks.push(el("pre", {}, `${name}: ${JSON.stringify(value)}`));
    }
  }
  say(byId("headline"), headline);
  byId("outputs").replaceChildren(...blocks);
  say(byId("refusal"), "");
  byId("answered").textContent = `Version ${answer.version}, ${milliseconds.toFixed(0)} ms there and back`;
  document.querySelector(".answer").classList.remove("stale");
}

export function showRefusal(text) {
  say(byId("refusal"), text);
  document.querySelector(".answer").classList.add("stale");
}

export function clearAnswer(text = "") {
  for (const id of ["headline", "refusal", "answered"]) {
    byId(id).textContent = "";
  }
  byId("outputs").replaceChildren();
  byId("answered").textContent = text;
}

export function curl(path, body, withKey) {
  const url = new URL(path, document.baseURI);
  const quoted = `'${body.replaceAll("'", "'\\''")}'`;
  const key = withKey ? ` -H "X-API-Key: $HEADRACE_KEY"` : "";
  return `curl -s '${url}'${key} \\\n  -H 'Content-Type: application/json' \\\n  -d ${quoted}`;
}

function bars(probabilities) {
  const ranked = Object.entries(probabilities).sort(([, one], [, other]) => other - one);
  const shown = ranked.slice(0, MOST_BARS).map(([label, share], place) => {
    const percent = share === null ? "none" : `${(100 * share).toFixed(1)}%`;
    const fill = el("span", { class: place ? "fill" : "fill first" });
    fill.style.inlineSize = `${100 * (share ?? 0)}%`;
    return el(
      "li", {}, el("span", { class: "label" }, label), el("span", { class: "share" }, percent),
      el("span", { class: "track", "aria-hidden": "true" }, fill),
    );
  });
  const left = ranked.length - shown.length;
  return el("div", {}, el("ol", { class: "bars" }, ...shown), left > 0 ? el("p", { class: "hint" }, `and ${left} less likely`) : null);
}

function figures(values) {
  const rows = Object.entries(values).map(([name, value]) => el("div", {}, el("dt", {}, name), el("dd", {}, number(value, 6))));
  return el("dl", { class: "pairs" }, ...rows);
}
