// A picture of the size that the model takes, as levels of 0 to 255.

import { el } from "./dom.js";

const ALPHA = 4;

export function isPicture(input) {
  return input.kind === "image" && input.shape?.length === 3 && [1, 3].includes(input.shape[2]);
}

export function imageField(input, id, changed) {
  const [height, width, channels] = input.shape;
  const control = el("input", { id, type: "file", accept: "image/*" });
  const canvas = el("canvas", { width, height, class: "picture", "aria-hidden": "true" });
  let levels;
  control.addEventListener("change", async () => {
    const [file] = control.files;
    if (!file) {
      return;
    }
    const context = canvas.getContext("2d", { willReadFrequently: true });
    let picture;
    try {
      picture = await createImageBitmap(file);
    } catch {
      // What was drawn and answered before is not this file's.
      levels = undefined;
      context.clearRect(0, 0, width, height);
      changed();
      control.dispatchEvent(new CustomEvent("unreadable"));
      return;
    }
    context.fillStyle = "#fff";
    context.fillRect(0, 0, width, height);
    context.drawImage(picture, 0, 0, width, height);
    levels = nested(context.getImageData(0, 0, width, height).data, height, width, channels);
    changed();
  });
  return { control, more: canvas, kind: "image", read: () => levels && JSON.stringify(levels) };
}

function nested(pixels, height, width, channels) {
  const at = (row, column) => {
    const start = ALPHA * (row * width + column);
    const [red, green, blue] = pixels.subarray(start, start + 3);
    return channels === 3 ? [red, green, blue] : [Math.round(0.299 * red + 0.587 * green + 0.114 * blue)];
  };
  return Array.from({ length: height }, (_, row) => Array.from({ length: width }, (_, column) => at(row, column)));
}
