// Everything that comes from the endpoint enters the document as text, never as markup.

const RAISED = Object.fromEntries([...'-0123456789'].map((sign, place) => [sign, [..."⁻⁰¹²³⁴⁵⁶⁷⁸⁹"][place]]));
const SVG = "http://www.w3.org/2000/svg";

export const byId = (id) => document.getElementById(id);

export function el(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  set(made, attributes);
  made.append(...children.filter((child) => child !== null && child !== undefined));
  return made;
}

export function svg(tag, attributes = {}, ...children) {
  const made = document.createElementNS(SVG, tag);
  set(made, attributes);
  made.append(...children);
  return made;
}

export function say(node, text) {
  // A live region speaks whenever it is written to.
  if (node.textContent !== text) {
    node.textContent = text;
  }
}

export function number(value, digits = 4) {
  if (value === null || value === undefined) {
    return "none";
  }
  if (typeof value !== "number") {
    return String(value);
  }
  if (value !== 0 && (Math.abs(value) < 1e-3 || Math.abs(value) >= 1e9)) {
    const [digits, power] = value.toExponential(1).split("e");
    return `${Number(digits)} × 10${[...power.replace("+", "")].map((sign) => RAISED[sign]).join("")}`;
  }
  return new Intl.NumberFormat("en", { maximumSignificantDigits: digits }).format(value);
}

export const whole = (value) => new Intl.NumberFormat("en", { maximumFractionDigits: 0 }).format(value);

function set(node, attributes) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== null && value !== undefined && value !== false) {
      node.setAttribute(name, value === true ? "" : value);
    }
  }
}
