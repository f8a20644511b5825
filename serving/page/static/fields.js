// The form: one field for each input of the model, made from what its contract says.

import { el, number, say } from "./dom.js";
import { imageField, isPicture } from "./image_field.js";

const NUMBER = /^-?(0|[1-9]\d*)(\.\d+)?([eE][-+]?\d+)?$/;
// More of them are found by typing rather than in a list.
const MOST_CHOICES = 200;
const UNKNOWN = "unknown";

export class Form {
  constructor(node, changed) {
    this.node = node;
    this.changed = changed;
    this.fields = new Map();
    node.addEventListener("input", () => changed());
    node.addEventListener("submit", (event) => event.preventDefault());
  }

  // Values that still fit stay: the next version of a model usually asks for the same.
  build(inputs) {
    const kept = new Map([...this.fields].map(([name, field]) => [name, field.read()]));
    this.fields = new Map(inputs.map((input, place) => [input.name, fieldOf(input, `field-${place}`, this.changed)]));
    this.node.replaceChildren(...[...this.fields.values()].map((field) => field.node));
    for (const [name, text] of kept) {
      const field = this.fields.get(name);
      if (field && text !== undefined && field.write) {
        field.write(JSON.parse(text));
      }
    }
  }

  fill(record) {
    for (const [name, field] of this.fields) {
      field.write?.(record?.[name] ?? null);
    }
  }

  // The record as JSON text, in which a number has the digits that were typed; null where a picture is missing.
  record() {
    const parts = [];
    for (const [name, field] of this.fields) {
      const text = field.read();
      if (text === undefined) {
        return null;
      }
      if (text !== "null") {
        parts.push(`${JSON.stringify(name)}: ${text}`);
      }
    }
    return `{${parts.join(", ")}}`;
  }

  show(violations) {
    const said = new Map();
    for (const violation of violations) {
      const got = violation.got === null ? "nothing" : JSON.stringify(violation.got);
      said.set(violation.column, `expected ${violation.expected}, got ${got}`);
    }
    for (const [name, field] of this.fields) {
      field.complain(said.get(name) ?? "");
    }
    return violations.some((violation) => this.fields.has(violation.column));
  }
}

function fieldOf(input, id, changed) {
  const made = controlOf(input, id, changed);
  const hint = el("p", { class: "hint", id: `${id}-hint` }, hintOf(input));
  const violation = el("p", { class: "violation", id: `${id}-violation`, "aria-live": "polite" });
  made.control.setAttribute("aria-describedby", `${hint.id} ${violation.id}`);
  const optional = input.nullable ? el("span", { class: "optional" }, "optional") : null;
  const label = el("label", { for: id }, el("span", { class: "name" }, input.name), optional);
  const node = el("div", { class: `field ${made.kind ?? ""}` }, label, made.control, made.more ?? null, violation, hint);
  const complain = (text) => {
    say(violation, text);
    made.control.setAttribute("aria-invalid", text ? "true" : "false");
  };
  made.control.addEventListener("unreadable", () => complain("not a picture that this browser can read"));
  return { node, read: made.read, write: made.write, complain };
}

function controlOf(input, id, changed) {
  if (isPicture(input)) {
    return imageField(input, id, changed);
  }
  if (input.choices?.length <= MOST_CHOICES) {
    return choice(input, id, input.choices.map((value) => [JSON.stringify(value), String(value)]));
  }
  switch (input.kind) {
    case "boolean":
      return input.nullable ? choice(input, id, [["true", "yes"], ["false", "no"]]) : check(id);
    case "integer":
    case "number":
      return numeric(input, id);
    case "date":
      return moment(id, { type: "date", min: input.minimum, max: input.maximum }, (text) => text.slice(0, 10));
    case "timestamp":
      return moment(id, { type: "datetime-local", step: 1 }, (text) => text.slice(0, 19), "Z");
    default:
      return text(input, id);
  }
}

function choice(input, id, options) {
  const control = el("select", { id });
  if (input.nullable || input.kind === "boolean") {
    control.append(el("option", { value: "null" }, UNKNOWN));
  }
  control.append(...options.map(([value, name]) => el("option", { value }, name)));
  return {
    control,
    read: () => control.value,
    write(value) {
      control.value = JSON.stringify(value);
      if (control.selectedIndex < 0) {
        control.selectedIndex = 0;
      }
    },
  };
}

function check(id) {
  const control = el("input", { id, type: "checkbox" });
  return {
    control,
    kind: "check",
    read: () => String(control.checked),
    write(value) {
      control.checked = value === true;
    },
  };
}

function numeric(input, id) {
  const step = input.multiple_of ?? (input.kind === "integer" ? 1 : "any");
  const control = el("input", {
    id, type: "number", step, min: input.minimum, max: input.maximum, placeholder: input.nullable ? UNKNOWN : null,
    inputmode: input.kind === "integer" && input.minimum >= 0 ? "numeric" : "decimal",
  });
  return {
    control,
    read() {
      if (control.value === "") {
        // What is no number reads as empty here; the endpoint shall say so in its own words.
        return control.validity.badInput ? '"not a number"' : "null";
      }
      return NUMBER.test(control.value) ? control.value : String(Number(control.value));
    },
    write(value) {
      control.value = value === null ? "" : String(value);
    },
  };
}

function moment(id, attributes, shorten, zone = "") {
  const control = el("input", { id, ...attributes });
  return {
    control,
    read: () => (control.value === "" ? "null" : JSON.stringify(control.value + zone)),
    write(value) {
      control.value = value === null ? "" : shorten(String(value));
    },
  };
}

function text(input, id) {
  const known = input.choices?.slice(0, MOST_CHOICES) ?? input.examples ?? [];
  const list = known.length > 1 ? el("datalist", { id: `${id}-known` }, ...known.map((value) => el("option", { value }))) : null;
  const control = el("input", {
    id, type: "text", spellcheck: "false", autocapitalize: "off", list: list?.id,
    placeholder: known.length ? `such as ${known[0]}` : input.nullable ? UNKNOWN : null,
  });
  return {
    control,
    more: list,
    read: () => (control.value === "" ? "null" : JSON.stringify(control.value)),
    write(value) {
      control.value = value === null ? "" : String(value);
    },
  };
}

function hintOf(input) {
  return [input.description, boundsOf(input)].filter(Boolean).join(" ");
}

function boundsOf(input) {
  const shown = (value) => (typeof value === "number" ? number(value, 12).replaceAll(",", "") : String(value));
  const low = input.minimum ?? input.exclusive_minimum;
  const high = input.maximum ?? input.exclusive_maximum;
  const above = input.exclusive_minimum === undefined ? "" : "above ";
  const below = input.exclusive_maximum === undefined ? "" : "below ";
  const zone = input.kind === "timestamp" ? "In UTC." : "";
  if (low !== undefined && high !== undefined) {
    const between = above || below ? `${above || "From "}${shown(low)}, ${below || "to "}${shown(high)}` : `${shown(low)} to ${shown(high)}`;
    return `${capital(between)}. ${zone}`.trim();
  }
  if (low !== undefined) {
    return `${above ? "Above" : "From"} ${shown(low)}. ${zone}`.trim();
  }
  return high === undefined ? zone : `${below ? "Below" : "Up to"} ${shown(high)}. ${zone}`.trim();
}

const capital = (text) => text.charAt(0).toUpperCase() + text.slice(1);
