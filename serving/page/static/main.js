// The page: follows the endpoint, shows the chosen model, predicts as one types.

import { clearAnswer, curl, showAnswer, showRefusal } from "./answer.js";
import { Refusal, ask, hasKey, pathOf, setKey } from "./api.js";
import { showProofs, what } from "./card.js";
import { byId, say } from "./dom.js";
import { Form } from "./fields.js";
import { isPicture } from "./image_field.js";
import { draw, showStats } from "./live.js";
import { health, showModels, showVersions } from "./models.js";

const POLL_MS = 2000;
const DEBOUNCE_MS = 150;
const UNAUTHORIZED = 401;

const state = { models: [], chosen: null, pinned: null, card: null, served: "", fits: true, asked: 0, timer: 0, polling: 0, typing: null };
const form = new Form(byId("fields"), typed);

function typed() {
  clearTimeout(state.timer);
  state.timer = setTimeout(predict, DEBOUNCE_MS);
}

async function predict() {
  const record = state.card === null || !state.fits ? null : form.record();
  byId("curl").parentElement.hidden = record === null;
  if (record === null) {
    state.typing?.abort();
    state.asked += 1;
    if (state.fits && state.card !== null) {
      clearAnswer("Choose a picture.");
    }
    return;
  }
  const path = `${pathOf(state.chosen, state.pinned)}:predict`;
  const body = `{"records": [${record}]}`;
  byId("curl").textContent = curl(path, body, hasKey());
  state.typing?.abort();
  state.typing = new AbortController();
  const turn = ++state.asked;
  const began = performance.now();
  try {
    const answer = await ask(path, { body, signal: state.typing.signal });
    if (turn === state.asked) {
      form.show([]);
      showAnswer(answer, performance.now() - began);
    }
  } catch (error) {
    if (turn === state.asked && error.name !== "AbortError") {
      const placed = form.show(error.violations ?? []);
      showRefusal(placed ? fieldsSaid(error.violations.length) : error.message);
      closed(error);
    }
  }
}

const fieldsSaid = (count) => (count === 1 ? "One field breaks the contract." : "Some fields break the contract.");

// Which model and version the address asks for; the first model where it asks for none that there is.
function read(models) {
  const [name, version] = location.hash.slice(1).split("/").map((part) => safely(part));
  const found = models.find((model) => model.model === name) ?? models.find((model) => model.champion !== null) ?? models[0];
  state.chosen = found?.model ?? null;
  const loaded = found?.versions.some((each) => each.version === version);
  state.pinned = found && found.model === name && version && loaded ? version : null;
  return found;
}

function safely(part) {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

async function follow() {
  const { models } = await ask("v1/models");
  state.models = models;
  byId("door").hidden = true;
  offer(!hasKey());
  const [kind, text] = health(models);
  byId("health").className = `health ${kind}`;
  say(byId("health"), text);
  await choose();
  showStats(await ask("v1/stats"), state.chosen);
}

async function choose() {
  const found = read(state.models);
  showModels(state.models, state.chosen);
  byId("model").hidden = !found;
  if (!found) {
    return;
  }
  byId("model-name").textContent = found.model;
  document.title = `${found.model} – Headrace`;
  showVersions(found, state.pinned);
  const served = JSON.stringify([found.model, found.versions, found.canary_percent, state.pinned]);
  if (served !== state.served) {
    await load(found, served);
  }
}

async function load(found, served) {
  const before = state.card;
  const same = before?.model === found.model;
  if (!found.versions.length) {
    state.card = null;
    state.served = served;
    byId("model-what").textContent = "It is not served.";
    show(false);
    return;
  }
  const card = await ask(pathOf(found.model, state.pinned));
  if (state.chosen !== found.model) {
    return;
  }
  state.card = card;
  state.served = served;
  byId("target").textContent = (card.targets ?? []).join(", ");
  byId("model-what").textContent = `${what(card)}. Version ${card.version}, ${card.role}.`;
  if (same && before.version !== card.version) {
    say(byId("news"), `Version ${card.version} is shown now: ${card.role}.`);
  }
  show(true);
  showProofs(card);
  draw(found.model);
  rebuild(card, same ? before : null);
}

function rebuild(card, before) {
  if (before === null) {
    clearAnswer(card.inputs.some(isPicture) ? "Choose a picture." : "");
  }
  if (before === null || JSON.stringify(before.inputs) !== JSON.stringify(card.inputs)) {
    state.fits = card.inputs.every((input) => !input.shape || isPicture(input));
    say(byId("ask-note"), state.fits ? "" : "This form is for tables and pictures; this model takes tensors. It can be asked through the API.");
    byId("ask-note").hidden = state.fits;
    byId("fill").hidden = !card.example || card.inputs.some(isPicture);
    form.build(state.fits ? card.inputs : []);
    if (before === null) {
      form.fill(card.example);
    }
  }
  predict();
}

function show(whole) {
  for (const part of document.querySelectorAll(".live, .work, .command, .proofs")) {
    part.hidden = !whole;
  }
}

// Asks for a key where one is needed; tells whether that was it.
function closed(error) {
  if (!(error instanceof Refusal) || error.status !== UNAUTHORIZED) {
    return false;
  }
  const asked = byId("door").hidden;
  byId("door").hidden = false;
  byId("model").hidden = true;
  byId("models").hidden = true;
  offer(false);
  byId("forget").hidden = true;
  state.card = null;
  state.served = "";
  byId("health").className = "health idle";
  say(byId("health"), "Locked");
  say(byId("key-error"), hasKey() ? error.message : "");
  setKey("");
  if (asked) {
    byId("key").focus();
  }
  return true;
}

// A link carries no key, so where one is needed there are none.
function offer(links) {
  for (const link of document.querySelectorAll(".document")) {
    link.hidden = !links;
  }
  byId("forget").hidden = links;
}

async function poll() {
  clearTimeout(state.polling);
  if (document.hidden || (!byId("door").hidden && !hasKey())) {
    return;
  }
  try {
    await follow();
  } catch (error) {
    if (closed(error)) {
      return;
    }
    byId("health").className = "health bad";
    say(byId("health"), error instanceof Refusal ? error.message : "No connection to the endpoint");
  }
  state.polling = setTimeout(poll, POLL_MS);
}

byId("key-form").addEventListener("submit", (event) => {
  event.preventDefault();
  setKey(byId("key").value);
  byId("key").value = "";
  poll();
});
byId("forget").addEventListener("click", () => {
  setKey("");
  poll();
});
byId("fill").addEventListener("click", () => {
  form.fill(state.card?.example ?? null);
  predict();
});
byId("clear").addEventListener("click", () => {
  form.fill(null);
  predict();
});
byId("copy").addEventListener("click", async () => {
  const text = byId("curl");
  try {
    await navigator.clipboard.writeText(text.textContent);
    say(byId("copied"), "Copied");
  } catch {
    getSelection().selectAllChildren(text);
    say(byId("copied"), "Selected; copy it with the keyboard");
  }
  setTimeout(() => say(byId("copied"), ""), 3000);
});
addEventListener("hashchange", () => choose().catch(() => poll()));
document.addEventListener("visibilitychange", poll);
poll();
