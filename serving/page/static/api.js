// Asks the endpoint that this page came from, and nobody else.

export class Refusal extends Error {
  constructor(status, document) {
    super(document.error ?? `the endpoint answered ${status}`);
    this.status = status;
    this.violations = document.violations ?? [];
  }
}

// Held here alone: no storage, no cookie, no address ever has it.
let key = "";
// Where a canary answers a part of the requests, one tab stays on one side while its reader types.
const TAB = [...crypto.getRandomValues(new Uint8Array(8))].map((byte) => byte.toString(16).padStart(2, "0")).join("");

export const hasKey = () => key !== "";

export function setKey(text) {
  key = text.trim();
}

export async function ask(path, { body, signal } = {}) {
  const headers = key ? { "X-API-Key": key } : {};
  if (body !== undefined) {
    headers["Content-Type"] = "application/json";
    headers["X-Request-ID"] = `page-${TAB}`;
  }
  const answer = await fetch(path, {
    method: body === undefined ? "GET" : "POST", body, signal, headers, cache: "no-store", credentials: "omit",
  });
  const text = await answer.text();
  let document = {};
  try {
    document = JSON.parse(text);
  } catch {
    document = { error: `the endpoint answered ${answer.status}, and not in JSON` };
  }
  if (!answer.ok) {
    throw new Refusal(answer.status, document);
  }
  return document;
}

export function pathOf(model, version) {
  const at = version === null ? "" : `/versions/${encodeURIComponent(version)}`;
  return `v1/models/${encodeURIComponent(model)}${at}`;
}
