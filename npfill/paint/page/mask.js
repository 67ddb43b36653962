// The painted hole of one picture: a byte for each pixel, and the shapes that change it.

const INK = [255, 0, 60];

export class Mask {
  constructor(width, height, canvas) {
    Object.assign(this, { width, height, canvas, cells: new Uint8Array(width * height) });
    this.changed = null; // the box [left, top, right, bottom] of the change under way, and
    this.before = null; // what was there: a copy is kept of the box alone once it ends
    Object.assign(canvas, { width, height });
  }

  // A change begins, which `end` turns into a record that `swap` undoes and does again.
  begin() {
    this.before = this.cells.slice();
    this.changed = null;
  }

  end() {
    const { before, changed: box } = this;
    this.before = this.changed = null;
    const cells = box && cut(before, this.width, box);
    return !box || cut(this.cells, this.width, box).every((cell, at) => cell === cells[at]) ? null : { box, cells };
  }

  // Drop the change under way, so that a shape can be drawn anew.
  reset() {
    if (this.changed) this.put(this.changed, cut(this.before, this.width, this.changed));
    this.changed = null;
  }

  swap({ box, cells }) {
    const now = cut(this.cells, this.width, box);
    this.put(box, cells);
    return { box, cells: now };
  }

  put([left, top, right, bottom], cells) {
    const wide = right - left;
    for (let y = top; y < bottom; y++) this.cells.set(cells.subarray((y - top) * wide, (y - top + 1) * wide), y * this.width + left);
    this.draw([left, top, right, bottom]);
  }

  draw([left, top, right, bottom]) {
    const image = new ImageData(right - left, bottom - top), words = new Uint32Array(image.data.buffer);
    const ink = new Uint32Array(new Uint8Array([...INK, 255]).buffer)[0];
    for (let y = top, at = 0; y < bottom; y++)
      for (let x = left, from = y * this.width + left; x < right; x++) words[at++] = this.cells[from++] ? ink : 0;
    this.canvas.getContext("2d").putImageData(image, left, top);
  }

  // Note that a box changes; the part of it in the picture, null without any.
  touch(left, top, right, bottom) {
    const box = [Math.max(0, left), Math.max(0, top), Math.min(this.width, right), Math.min(this.height, bottom)].map(Math.round);
    if (box[2] <= box[0] || box[3] <= box[1]) return null;
    this.changed = (this.changed ?? box).map((edge, at) => (at < 2 ? Math.min : Math.max)(edge, box[at]));
    return box;
  }

  // A round stroke of a width between two points, in pixels; their centres lie at halves.
  stroke(x0, y0, x1, y1, width, value) {
    if (width <= 1) [x0, y0, x1, y1] = [x0, y0, x1, y1].map((place) => Math.floor(place) + 0.5); // the pixel under the point
    const reach = Math.max(width, 1) / 2, dx = x1 - x0, dy = y1 - y0, length = dx * dx + dy * dy;
    const box = this.touch(Math.min(x0, x1) - reach - 1, Math.min(y0, y1) - reach - 1, Math.max(x0, x1) + reach + 1, Math.max(y0, y1) + reach + 1);
    if (!box) return;
    for (let y = box[1]; y < box[3]; y++)
      for (let x = box[0]; x < box[2]; x++) {
        const px = x + 0.5 - x0, py = y + 0.5 - y0;
        const along = length ? Math.min(1, Math.max(0, (px * dx + py * dy) / length)) : 0;
        if ((px - along * dx) ** 2 + (py - along * dy) ** 2 <= reach * reach) this.cells[y * this.width + x] = value;
      }
    this.draw(box);
  }

  // What lies within a polygon of [x, y], by even and odd crossings; a box is one of four corners.
  polygon(points, value) {
    const ends = (way, axis) => points.reduce((end, point) => way(end, point[axis]), points[0][axis]);
    const box = this.touch(ends(Math.min, 0) - 1, ends(Math.min, 1) - 1, ends(Math.max, 0) + 1, ends(Math.max, 1) + 1);
    if (!box) return;
    for (let y = box[1]; y < box[3]; y++) {
      const crossings = [];
      points.forEach(([ax, ay], at) => {
        const [bx, by] = points[(at + 1) % points.length], middle = y + 0.5;
        if (ay <= middle !== by <= middle) crossings.push(ax + ((middle - ay) / (by - ay)) * (bx - ax));
      });
      crossings.sort((one, other) => one - other);
      for (let k = 0; k + 1 < crossings.length; k += 2) {
        const first = Math.max(box[0], Math.round(crossings[k])), last = Math.min(box[2], Math.round(crossings[k + 1]));
        if (last > first) this.cells.fill(value, y * this.width + first, y * this.width + last);
      }
    }
    this.draw(box);
  }

  // What hangs together with a pixel and is alike in colour: no channel further off than `off`.
  wand(x, y, pixels, off, value) {
    const { width, height, cells } = this, start = y * width + x, box = [x, y, x + 1, y + 1];
    const seen = new Uint8Array(width * height), waiting = new Int32Array(width * height);
    const wanted = pixels.slice(4 * start, 4 * start + 3);
    let count = 0;
    const visit = (at) => {
      if (seen[at] || wanted.some((level, channel) => Math.abs(pixels[4 * at + channel] - level) > off)) return;
      seen[at] = 1;
      waiting[count++] = at;
    };
    for (visit(start); count; ) {
      const at = waiting[--count], column = at % width, row = (at - column) / width;
      cells[at] = value;
      [column, row].forEach((place, axis) => {
        if (place < box[axis]) box[axis] = place;
        if (place >= box[axis + 2]) box[axis + 2] = place + 1;
      });
      if (column) visit(at - 1);
      if (column < width - 1) visit(at + 1);
      if (row) visit(at - width);
      if (row < height - 1) visit(at + width);
    }
    this.draw(this.touch(...box));
  }

  // The box around what is painted; null without any.
  box() {
    const { width, height, cells } = this, first = cells.indexOf(1), box = [width, Math.floor(first / width), 0, 0];
    if (first < 0) return null;
    box[3] = Math.floor(cells.lastIndexOf(1) / width) + 1;
    for (let y = box[1]; y < box[3]; y++) {
      const row = cells.subarray(y * width, (y + 1) * width), at = row.indexOf(1);
      if (at >= 0) [box[0], box[2]] = [Math.min(box[0], at), Math.max(box[2], row.lastIndexOf(1) + 1)];
    }
    return box;
  }

  // As the server takes it: left, top, width and height, and a bit for each pixel in that box.
  packed() {
    const [left, top, right, bottom] = this.box() ?? [0, 0, 0, 0];
    const wide = right - left, high = bottom - top, bytes = new Uint8Array(16 + Math.ceil((wide * high) / 8));
    new Uint32Array(bytes.buffer, 0, 4).set([left, top, wide, high]);
    for (let y = top, bit = 0; y < bottom; y++)
      for (let x = left, from = y * this.width + left; x < right; x++, bit++) if (this.cells[from++]) bytes[16 + (bit >> 3)] |= 128 >> (bit & 7);
    return bytes;
  }

  unpack(buffer) {
    const [left, top, wide, high] = new Uint32Array(buffer, 0, 4), bits = new Uint8Array(buffer, 16);
    const cells = new Uint8Array(wide * high).map((_, bit) => (bits[bit >> 3] >> (7 - (bit & 7))) & 1);
    if (cells.length) this.put([left, top, left + wide, top + high], cells);
  }
}

function cut(cells, width, [left, top, right, bottom]) {
  const wide = right - left, part = new Uint8Array(wide * (bottom - top));
  for (let y = top; y < bottom; y++) part.set(cells.subarray(y * width + left, y * width + right), (y - top) * wide);
  return part;
}
