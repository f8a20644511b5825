// Which models there are, and which of their versions answer.

import { byId, el } from "./dom.js";

const ROLES = {
  champion: () => "champion",
  canary: (model) => `canary, ${model.canary_percent}%`,
  shadow: (model) => `shadow, ${model.shadow_percent}%`,
  also: () => "by number",
  kept: () => "kept for a rollback",
};

export function showModels(models, chosen) {
  const nav = byId("models");
  const again = nav.contains(document.activeElement) ? document.activeElement.dataset.model : null;
  const links = models.map((model) => el(
    "a", { href: `#${encodeURIComponent(model.model)}`, "aria-current": model.model === chosen ? "true" : null, "data-model": model.model },
    el("span", { class: "name" }, model.model), el("span", { class: `state ${stateOf(model)[0]}` }, stateOf(model)[1]),
  ));
  nav.replaceChildren(...links);
  nav.hidden = models.length < 2;
  byId("empty").hidden = models.length > 0;
  links.find((link) => link.dataset.model === again)?.focus();
}

export function health(models) {
  const refused = models.filter((model) => Object.keys(model.refused).length);
  if (!models.length) {
    return ["idle", "No model yet"];
  }
  if (refused.length) {
    return ["warn", refused.length === 1 ? `${refused[0].model} has a refused version` : `${refused.length} models have a refused version`];
  }
  return ["good", models.length === 1 ? "One model, all versions served" : `${models.length} models, all versions served`];
}

export function showVersions(model, pinned) {
  const items = [choice(model.model, null, "as served", "", pinned === null)];
  for (const version of model.versions) {
    items.push(choice(model.model, version.version, `version ${version.version}`, ROLES[version.role](model), pinned === version.version));
  }
  if (model.versions.length === 1) {
    items.shift();
  }
  for (const [version, reason] of Object.entries(model.refused)) {
    const name = version === "champion" ? "new champion" : `version ${version}`;
    items.push(el("li", { class: "refused" }, el("strong", {}, `${name} refused`), el("span", {}, reason)));
  }
  if (model.retired) {
    items.push(el("li", { class: "refused" }, el("strong", {}, "retired")));
  }
  const list = byId("versions");
  const again = list.contains(document.activeElement) ? document.activeElement.getAttribute("href") : null;
  list.replaceChildren(...items);
  [...list.querySelectorAll("a")].find((link) => link.getAttribute("href") === again)?.focus();
}

function choice(model, version, name, role, current) {
  const href = `#${encodeURIComponent(model)}${version === null ? "" : `/${encodeURIComponent(version)}`}`;
  const link = el("a", { href, "aria-current": current ? "true" : null }, name, role ? el("span", { class: "role" }, role) : null);
  return el("li", {}, link);
}

function stateOf(model) {
  if (model.retired) {
    return ["idle", "retired"];
  }
  if (Object.keys(model.refused).length) {
    return ["warn", model.champion === null ? "refused" : `version ${model.champion}, one refused`];
  }
  return ["good", `version ${model.champion}`];
}
