// The stage: zoom and pan; mouse, pen, fingers and keys become strokes in pixels of the picture.

const $ = (id) => document.getElementById(id);

export class View {
  // `act` is told of strokes: begin(x, y, erase), move(x, y), end(), cancel(); and at(x, y) of the pen.
  constructor(act) {
    Object.assign(this, { act, stage: $("stage"), paper: $("paper"), pen: $("pen"), scale: 1, size: 24, tool: "brush" });
    this.fingers = new Map(); // where they are on the stage
    this.down = this.held = false; // a stroke is under way; Space is held
    this.cursor = null; // of the keyboard, in pixels
    this.seen = [null]; // where the pen is on the stage
    this.hasPen = false; // a pen is down: a hand that rests beside it does nothing
    this.contextmenu = (event) => event.preventDefault();
    this.pointercancel = (event) => this.pointerup(event, "cancel");
    this.pointerleave = () => this.showPen(null);
    for (const kind of ["pointerdown", "pointermove", "pointerup", "pointercancel", "pointerleave", "contextmenu", "wheel"])
      this.stage.addEventListener(kind, (event) => this[kind](event), { passive: false });
    new ResizeObserver(() => this.fitted && this.fit()).observe(this.stage);
  }

  open(width, height) {
    Object.assign(this, { width, height, cursor: null, down: false });
    Object.assign(this.paper.style, { width: `${width}px`, height: `${height}px` });
    this.fit();
  }

  fit() {
    const { clientWidth: wide, clientHeight: high } = this.stage;
    this.scale = Math.min(Math.max(8, wide - 32) / this.width, Math.max(8, high - 32) / this.height, 16);
    [this.left, this.top] = [(wide - this.width * this.scale) / 2, (high - this.height * this.scale) / 2];
    this.place();
    this.showPen();
    this.fitted = true;
  }

  place() {
    this.paper.style.transform = `translate(${this.left}px, ${this.top}px) scale(${this.scale})`;
    this.paper.classList.toggle("near", this.scale >= 2);
    this.fitted = false;
  }

  // About a point of the stage: by default, the keyboard's pen or the middle.
  zoom(by, ...point) {
    const [x, y] = point.length ? point : this.cursor ? this.onStageAt(this.cursor) : [this.stage.clientWidth / 2, this.stage.clientHeight / 2];
    const scale = Math.min(40, Math.max(0.02, this.scale * by)), grown = scale / this.scale;
    Object.assign(this, { scale, left: x - (x - this.left) * grown, top: y - (y - this.top) * grown });
    this.place();
    this.showPen(...point);
  }

  onStage(event) {
    const { left, top } = this.stage.getBoundingClientRect();
    return [event.clientX - left, event.clientY - top];
  }

  onPaper(x, y) {
    return [(x - this.left) / this.scale, (y - this.top) / this.scale];
  }

  onStageAt([x, y]) {
    return [this.left + x * this.scale, this.top + y * this.scale];
  }

  // The outline of the pen at a point of the stage; by default, where it is.
  showPen(...point) {
    const [x, y] = (this.seen = point.length ? point : this.cursor ? this.onStageAt(this.cursor) : this.seen);
    const pans = this.tool === "hand" || this.held, shown = x !== null && !pans;
    const round = ["brush", "eraser"].includes(this.tool), side = round ? Math.max(4, this.size * this.scale) : 9;
    this.pen.classList.toggle("square", !round);
    Object.assign(this.pen.style, { display: shown ? "block" : "none", width: `${side}px`, height: `${side}px` });
    if (shown) this.pen.style.transform = `translate(${x - side / 2}px, ${y - side / 2}px)`;
    this.stage.style.cursor = pans ? "grab" : round ? "none" : "crosshair";
    if (x !== null) this.act.at(...this.onPaper(x, y));
  }

  wheel(event) {
    event.preventDefault();
    this.zoom(Math.exp(-event.deltaY * (event.deltaMode ? 0.05 : 0.0015)), ...this.onStage(event));
  }

  pointerdown(event) {
    const isPen = event.pointerType === "pen", { size } = this.fingers;
    if (this.hasPen && event.pointerType === "touch") return;
    if (isPen || !size) this.finish(size ? "cancel" : "end"); // a stroke of keys ends; what a hand does, as a pen comes down, is none
    if (isPen) {
      this.fingers.clear();
      this.hasPen = true;
    }
    this.stage.setPointerCapture(event.pointerId);
    this.fingers.set(event.pointerId, this.onStage(event));
    this.cursor = null;
    if (this.fingers.size === 2) this.finish("cancel"); // two fingers pinch, and do not paint
    if (this.fingers.size > 1 || this.tool === "hand" || this.held || event.button === 1) return;
    this.start(...this.onPaper(...this.onStage(event)), event.altKey || event.button === 2 || event.button === 5);
  }

  pointermove(event) {
    const now = this.onStage(event), before = this.fingers.get(event.pointerId);
    if (before || event.pointerType !== "touch") this.showPen(...now);
    if (!before) return;
    if (this.down) for (const each of event.getCoalescedEvents?.() ?? [event]) this.act.move(...this.onPaper(...this.onStage(each)));
    else this.drag(event.pointerId, before, now);
    this.fingers.set(event.pointerId, now);
  }

  // One finger pans, two also zoom about the middle of them.
  drag(finger, before, now) {
    const other = [...this.fingers].find(([each]) => each !== finger)?.[1], share = other ? 2 : 1;
    this.left += (now[0] - before[0]) / share;
    this.top += (now[1] - before[1]) / share;
    this.place();
    if (!other) return;
    const apart = ([x, y]) => Math.hypot(x - other[0], y - other[1]);
    this.zoom(apart(now) / Math.max(1, apart(before)), (now[0] + other[0]) / 2, (now[1] + other[1]) / 2);
  }

  pointerup(event, how = "end") {
    if (event.pointerType === "pen") this.hasPen = false;
    if (this.fingers.delete(event.pointerId)) this.finish(how);
  }

  start(x, y, erase) {
    this.down = true;
    this.act.begin(x, y, erase);
  }

  finish(how) {
    const { down } = this;
    this.down = false;
    if (down && how === "end") this.fingers.clear(); // who still presses the mouse moves nothing
    if (down) this.act[how]();
  }

  // Move the picture so far that the keyboard's pen is on the stage.
  bringInSight() {
    const { clientWidth, clientHeight } = this.stage, [x, y] = this.onStageAt(this.cursor);
    const away = (at, side) => Math.max(0, 8 - at) - Math.max(0, at + 8 - side);
    const [right, down] = [away(x, clientWidth), away(y, clientHeight)];
    if (!right && !down) return;
    Object.assign(this, { left: this.left + right, top: this.top + down });
    this.place();
  }

  // Arrows move the keyboard's pen, X puts it down and lifts it; true if the key was one of these.
  key(event) {
    const step = Math.max(1, 4 / this.scale) * (event.shiftKey ? 5 : 1);
    const way = event.altKey ? undefined : { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
    if (!way && event.key.toLowerCase() !== "x") return false;
    const [x, y] = this.cursor ?? [this.width / 2, this.height / 2], [right, down] = way ?? [0, 0];
    this.cursor = [Math.min(this.width, Math.max(0, x + right * step)), Math.min(this.height, Math.max(0, y + down * step))];
    this.bringInSight();
    this.showPen();
    if (way) {
      if (this.down) this.act.move(...this.cursor);
    } else if (this.down) this.finish("end");
    else this.start(...this.cursor, event.altKey);
    return true;
  }
}
