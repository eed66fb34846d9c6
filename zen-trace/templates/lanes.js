// Makes time lines that are complete without it richer: zoom, pan, and what was done at a moment.
(() => {
  "use strict";
  const tip = document.getElementById("tip");
  const say = (text, x, y) => {
    if (tip.textContent !== text) tip.textContent = text;
    tip.hidden = false;
    const { width, height } = tip.getBoundingClientRect();
    tip.style.left = `${Math.min(Math.max(8, x - width / 2), document.documentElement.clientWidth - width - 8)}px`;
    tip.style.top = `${y - height - 14 < 4 ? y + 20 : y - height - 14}px`;
  };
  const digits = value => value >= 99.95 ? value.toFixed(0) : value >= 9.995 ? value.toFixed(1) : value.toFixed(2);
  const time = ns => {
    for (const [unit, name] of [[1e9, "s"], [1e6, "ms"], [1e3, "µs"]]) {
      if (ns >= unit * 0.9995) return `${digits(ns / unit)} ${name}`;
    }
    return `${Math.round(ns)} ns`;
  };

  // While the page scrolls, the wheel belongs to it.
  let scrolled = -1e9;
  addEventListener("scroll", () => { scrolled = performance.now(); }, { passive: true });

  for (const lanes of document.querySelectorAll(".lanes")) {
    const figure = lanes.parentElement;
    const data = JSON.parse(figure.querySelector(".lanes-data").textContent);
    const length = Number(lanes.dataset.length);
    const { looks, words } = data;
    const rows = [...lanes.querySelectorAll(".lane")];
    const width = 10000;
    const least = Math.min(length, Math.max(1000, length / 1e6));
    let [from, to] = [0, length];

    // Where each phase of a lane starts, and what it is; from a list of lengths.
    const lists = data.lanes.map(([start, ...pairs]) => {
      const starts = [start], kinds = [];
      for (let index = 0; index < pairs.length; index += 2) {
        starts.push(starts[starts.length - 1] + pairs[index]);
        kinds.push(pairs[index + 1]);
      }
      return { starts, kinds };
    });
    const find = (starts, moment) => {
      let [low, high] = [0, starts.length];
      while (low < high) {
        const middle = (low + high) >> 1;
        if (starts[middle] <= moment) low = middle + 1; else high = middle;
      }
      return low - 1;
    };

    const outline = ({ starts, kinds }) => {
      const scale = width / (to - from);
      const parts = looks.map(() => []);
      const last = looks.map(() => null);
      for (let index = Math.max(0, find(starts, from)); index < kinds.length && starts[index] < to; index++) {
        const look = words[kinds[index]][0];
        const left = (Math.max(starts[index], from) - from) * scale;
        const right = (Math.min(starts[index + 1], to) - from) * scale;
        if (right < left || starts[index + 1] < from) continue;
        const before = last[look];
        // What is closer than a fifth of a pixel is drawn as one.
        if (before && left - before[1] < 2) before[1] = Math.max(right, before[1]);
        else parts[look].push(last[look] = [left, right]);
      }
      return parts.map((list, look) => list.map(([left, right]) =>
        `M${left.toFixed(1)} ${looks[look].top}H${right.toFixed(1)}V${looks[look].bottom}H${left.toFixed(1)}Z`).join(""));
    };

    const axis = lanes.querySelector(".axis"), rules = lanes.querySelector(".rules");
    const ticks = () => {
      const most = Math.max(2, Math.floor(axis.clientWidth / 64));
      const span = to - from;
      let step = 10 ** Math.floor(Math.log10(span / most));
      for (const factor of [1, 2, 5, 10]) {
        if (span / (step * factor) <= most) { step *= factor; break; }
      }
      const [unit, name] = step >= 1e9 ? [1e9, "s"] : step >= 1e5 ? [1e6, "ms"] : step >= 100 ? [1e3, "µs"] : [1, "ns"];
      const decimals = Math.max(0, Math.ceil(Math.log10(unit / step) - 1e-9));
      const marks = [];
      for (let moment = Math.ceil(from / step) * step; moment <= to; moment += step) {
        marks.push([(moment - from) / span * 100, `${(moment / unit).toFixed(decimals)} ${name}`]);
      }
      axis.replaceChildren(...marks.filter(([percent]) => percent < 100 - 4500 / axis.clientWidth).map(([percent, label]) => {
        const mark = document.createElement("span");
        mark.style.left = `${percent}%`;
        mark.textContent = label;
        return mark;
      }));
      rules.replaceChildren(...marks.map(([percent]) => {
        const rule = document.createElement("i");
        rule.style.left = `${percent}%`;
        return rule;
      }));
    };

    const bar = figure.querySelector(".zoom");
    const buttons = Object.fromEntries([...bar.querySelectorAll("button")].map(button => [button.dataset.do, button]));
    let due = false;
    const draw = () => {
      due = false;
      rows.forEach((row, index) => {
        const svg = row.querySelector("svg");
        const paths = outline(lists[index]);
        paths.forEach((path, look) => {
          let element = svg.querySelector(`.${looks[look].class}`);
          if (!element && path) {
            element = document.createElementNS(svg.namespaceURI, "path");
            element.setAttribute("class", looks[look].class);
            // Computing lies above everything else.
            if (look === 0) svg.append(element); else svg.prepend(element);
          }
          if (element) element.setAttribute("d", path);
        });
      });
      ticks();
      const whole = from === 0 && to === length;
      lanes.classList.toggle("zoomed", !whole);
      lanes.dataset.from = from;
      lanes.dataset.to = to;
      buttons.out.disabled = buttons.all.disabled = whole;
      buttons.in.disabled = to - from <= least;
    };
    const show = (start, end) => {
      const span = Math.min(length, Math.max(least, end - start));
      from = Math.min(Math.max(0, start), length - span);
      to = from + span;
      if (!due) { due = true; requestAnimationFrame(draw); }
    };
    const zoom = (factor, about = (from + to) / 2) => {
      const span = Math.min(length, Math.max(least, (to - from) * factor));
      const share = (about - from) / (to - from);
      show(about - share * span, about - share * span + span);
    };
    const pan = share => show(from + share * (to - from), to + share * (to - from));

    const moment = x => {
      const box = axis.getBoundingClientRect();
      return from + Math.min(1, Math.max(0, (x - box.left) / box.width)) * (to - from);
    };
    const tell = (row, x, y) => {
      const index = rows.indexOf(row);
      const { starts, kinds } = lists[index];
      const at = moment(x);
      let phase = find(starts, at);
      // Computing is short: what is drawn within three pixels of the pointer is meant.
      const near = (to - from) / axis.clientWidth * 3;
      for (const other of [phase - 1, phase + 1]) {
        const [start, end] = [starts[other], starts[other + 1]];
        if (kinds[other] !== undefined && words[kinds[other]][0] === 0 && Math.min(Math.abs(at - start), Math.abs(at - end)) < near
          && (kinds[phase] === undefined || words[kinds[phase]][0] !== 0)) phase = other;
      }
      if (kinds[phase] === undefined) return say(`${row.dataset.name}: not there at ${time(at)}`, x, y);
      say(`${row.dataset.name}: ${words[kinds[phase]][1]}, ${time(starts[phase + 1] - starts[phase])}, from ${time(Math.max(0, starts[phase]))}`, x, y);
    };
    const laneAt = target => target instanceof Element ? target.closest(".lane") : null;
    rows.forEach(row => { row.dataset.name = row.querySelector(".name").textContent; });

    lanes.addEventListener("wheel", event => {
      if (!(event.target instanceof Element) || !event.target.closest("svg, .axis")) return;
      const sideways = event.shiftKey || Math.abs(event.deltaX) > Math.abs(event.deltaY);
      const whole = from === 0 && to === length;
      if (!sideways && !event.ctrlKey && whole && (event.deltaY > 0 || performance.now() - scrolled < 400)) return;
      event.preventDefault();
      if (sideways) pan((event.deltaX || event.deltaY) / 800);
      else zoom(Math.exp(event.deltaY / 400), moment(event.clientX));
      tip.hidden = true;
    }, { passive: false });

    const pointers = new Map();
    lanes.addEventListener("pointerdown", event => {
      if (!(event.target instanceof Element) || !event.target.closest("svg, .axis") || event.button > 0) return;
      pointers.set(event.pointerId, event.clientX);
      if (event.pointerType === "mouse") lanes.setPointerCapture(event.pointerId);
      const row = laneAt(event.target);
      if (row && event.pointerType !== "mouse") tell(row, event.clientX, event.clientY);
    });
    lanes.addEventListener("pointermove", event => {
      const before = pointers.get(event.pointerId);
      if (before === undefined) {
        const row = event.target instanceof Element && event.target.closest("svg") ? laneAt(event.target) : null;
        if (row) tell(row, event.clientX, event.clientY); else tip.hidden = true;
        return;
      }
      const size = axis.getBoundingClientRect().width;
      if (pointers.size === 2) {
        const other = [...pointers].find(([id]) => id !== event.pointerId)[1];
        const [was, is] = [Math.abs(before - other), Math.abs(event.clientX - other)];
        if (was > 8 && is > 8) zoom(was / is, moment((event.clientX + other) / 2));
        tip.hidden = true;
      } else if (Math.abs(event.clientX - before) > 0) {
        lanes.classList.add("dragging");
        pan((before - event.clientX) / size);
        tip.hidden = true;
      }
      pointers.set(event.pointerId, event.clientX);
    });
    for (const name of ["pointerup", "pointercancel", "lostpointercapture"]) {
      lanes.addEventListener(name, event => {
        pointers.delete(event.pointerId);
        if (pointers.size === 0) lanes.classList.remove("dragging");
      });
    }
    lanes.addEventListener("pointerleave", event => { if (event.pointerType === "mouse") tip.hidden = true; });
    lanes.addEventListener("dblclick", event => zoom(0.25, moment(event.clientX)));

    const keys = {
      "+": () => zoom(0.5), "=": () => zoom(0.5), "-": () => zoom(2), "_": () => zoom(2),
      ArrowLeft: () => pan(-0.2), ArrowRight: () => pan(0.2), PageUp: () => pan(-0.9), PageDown: () => pan(0.9),
      Home: () => show(0, to - from), End: () => show(length - (to - from), length),
      0: () => show(0, length), Escape: () => { tip.hidden = true; },
    };
    lanes.addEventListener("keydown", event => {
      if (event.ctrlKey || event.metaKey || event.altKey || !keys[event.key]) return;
      event.preventDefault();
      keys[event.key]();
    });
    buttons.in.addEventListener("click", () => zoom(0.5));
    buttons.out.addEventListener("click", () => zoom(2));
    buttons.all.addEventListener("click", () => show(0, length));

    lanes.tabIndex = 0;
    lanes.classList.add("live");
    bar.hidden = false;
    const hint = figure.querySelector(".hint");
    if (hint) hint.hidden = false;
    addEventListener("resize", () => show(from, to));
    // Paper shows everything.
    addEventListener("beforeprint", () => { [from, to] = [0, length]; draw(); });
    draw();
  }
  addEventListener("scroll", () => { tip.hidden = true; }, { passive: true });
})();
