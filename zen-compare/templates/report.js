// Makes a page that is complete without it richer: values at the pointer and under the keyboard, contenders that can
// be hidden, tables that can be sorted.
(() => {
  "use strict";
  const main = document.getElementById("main");
  const tip = document.getElementById("tip");

  // What a mark tells comes from its title, which would show up a second time if it stayed.
  const told = new WeakMap();
  const show = (mark, x, y) => {
    const text = told.get(mark);
    if (tip.textContent !== text) tip.textContent = text;
    tip.hidden = false;
    const { width, height } = tip.getBoundingClientRect();
    const left = Math.min(Math.max(8, x - width / 2), document.documentElement.clientWidth - width - 8);
    tip.style.left = `${left}px`;
    tip.style.top = `${y - height - 12 < 4 ? y + 18 : y - height - 12}px`;
  };
  const hide = () => { tip.hidden = true; };
  const showAt = mark => {
    const box = (mark.querySelector(".dot") || mark).getBoundingClientRect();
    show(mark, box.left + box.width / 2, box.top);
  };

  for (const chart of document.querySelectorAll("svg.chart")) {
    const marks = [...chart.querySelectorAll(".mark")];
    for (const mark of marks) {
      const title = mark.querySelector("title");
      told.set(mark, title.textContent);
      title.remove();
      mark.setAttribute("role", "img");
      mark.setAttribute("aria-label", told.get(mark));
      mark.addEventListener("pointermove", event => show(mark, event.clientX, event.clientY));
      mark.addEventListener("pointerleave", hide);
    }
    if (marks.length === 0) continue;
    // A chart is one stop of the tab key; arrows go from mark to mark within it.
    chart.setAttribute("role", "group");
    const visible = () => marks.filter(mark => mark.getClientRects().length > 0);
    const stop = at => marks.forEach(mark => mark.setAttribute("tabindex", mark === at ? "0" : "-1"));
    stop(marks[0]);
    chart.addEventListener("focusin", event => {
      const mark = event.target.closest(".mark");
      if (!mark) return;
      stop(mark);
      showAt(mark);
    });
    chart.addEventListener("focusout", hide);
    chart.addEventListener("keydown", event => {
      if (event.key === "Escape") return hide();
      const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
      const all = visible();
      const at = all.indexOf(event.target.closest(".mark"));
      const next = event.key === "Home" ? 0 : event.key === "End" ? all.length - 1 : step ? at + step : -1;
      if (!all[next]) return;
      event.preventDefault();
      all[next].focus();
    });
  }
  // What the keyboard has reached keeps its words when the page scrolls to it.
  window.addEventListener("scroll", () => {
    const mark = document.activeElement;
    if (told.has(mark) && mark.matches(":focus-visible")) showAt(mark); else hide();
  }, { passive: true });

  const hidden = new Set();
  for (const item of document.querySelectorAll(".legend li")) {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...item.childNodes);
    button.setAttribute("aria-pressed", "true");
    button.addEventListener("click", () => {
      const index = item.dataset.index;
      if (!hidden.delete(index)) hidden.add(index);
      main.dataset.hidden = [...hidden].join(" ");
      button.setAttribute("aria-pressed", String(!hidden.has(index)));
    });
    item.append(button);
  }

  for (const table of document.querySelectorAll("table.sortable")) {
    const heads = [...table.tHead.rows[0].cells];
    const key = (row, column) => {
      const cell = row.cells[column];
      return "v" in cell.dataset ? (cell.dataset.v === "" ? -Infinity : Number(cell.dataset.v)) : cell.textContent;
    };
    heads.forEach((head, column) => {
      const button = document.createElement("button");
      button.type = "button";
      button.append(...head.childNodes);
      head.append(button);
      button.addEventListener("click", () => {
        const rising = head.getAttribute("aria-sort") !== "ascending";
        heads.forEach(other => other.removeAttribute("aria-sort"));
        head.setAttribute("aria-sort", rising ? "ascending" : "descending");
        const rows = [...table.tBodies[0].rows];
        rows.sort((left, right) => {
          const [a, b] = [key(left, column), key(right, column)];
          const order = typeof a === "number" && typeof b === "number" ? (a === b ? 0 : a - b) : String(a).localeCompare(String(b));
          return rising ? order : -order;
        });
        table.tBodies[0].append(...rows);
      });
    });
  }
})();
