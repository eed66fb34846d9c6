// Measures what is drawn. The value of this expression is a list of everything that is wrong, and counts of what is there.
(() => {
  const wrong = [];
  const width = document.documentElement.clientWidth;
  const shown = element => element.checkVisibility({ checkVisibilityCSS: true }) && element.getClientRects().length > 0;
  const name = element => `<${element.tagName} class="${element.getAttribute("class") ?? ""}"> ${element.textContent.trim().slice(0, 40)}`;
  const where = element => element.closest("figure, section")?.id ?? "";
  const numbers = color => color.match(/[\d.]+/g).map(Number);
  const light = ([r, g, b]) => {
    const [x, y, z] = [r, g, b].map(v => v / 255).map(v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
    return 0.2126 * x + 0.7152 * y + 0.0722 * z;
  };
  const ratio = (a, b) => { const [l, d] = [light(a), light(b)].sort((x, y) => y - x); return (l + 0.05) / (d + 0.05); };
  const ground = element => {
    for (let at = element; at; at = at.parentElement) {
      const [r, g, b, alpha = 1] = numbers(getComputedStyle(at).backgroundColor);
      if (alpha === 1) return [r, g, b];
      if (alpha > 0) wrong.push(`half transparent ground: ${name(at)}`);
    }
    return [255, 255, 255];
  };

  if (document.documentElement.scrollWidth > width) {
    wrong.push(`the page is ${document.documentElement.scrollWidth} wide, the window ${width}`);
    for (const element of document.body.querySelectorAll("*")) {
      if (shown(element) && !element.closest(".scroll") && element.getBoundingClientRect().right > width + 1) {
        wrong.push(`beyond the right edge: ${where(element)} ${name(element)}`);
        break;
      }
    }
  }

  let texts = 0, least = 99;
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    const element = node.parentElement;
    if (!node.data.trim() || ["TITLE", "title", "SCRIPT", "STYLE"].includes(element.tagName) || !shown(element)) continue;
    if (element.closest(".skip, .hidden, #tip")) continue;
    const style = getComputedStyle(element);
    const svg = element instanceof SVGElement;
    const contrast = ratio(numbers(svg ? style.fill : style.color), ground(element));
    texts += 1;
    least = Math.min(least, contrast);
    if (contrast < 4.5) wrong.push(`contrast ${contrast.toFixed(2)}: ${where(element)} ${name(element)}`);
    const box = element.getBoundingClientRect();
    const size = parseFloat(style.fontSize) * (svg ? box.height / element.getBBox().height : 1);
    if (size < 9.2 && !matchMedia("print").matches) wrong.push(`letters of ${size.toFixed(1)} px: ${where(element)} ${name(element)}`);
  }

  const meet = (a, b, by = 1) => Math.min(a.right, b.right) - Math.max(a.left, b.left) > by
    && Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) > by;
  let charts = 0, marks = 0;
  for (const chart of document.querySelectorAll("svg.chart")) {
    if (!shown(chart)) continue;
    charts += 1;
    const frame = chart.getBoundingClientRect();
    const id = `${where(chart)}, ${chart.getAttribute("aria-label").slice(0, 40)}`;
    if (frame.width < 200 || frame.height < 40) wrong.push(`a chart of ${frame.width} × ${frame.height}: ${id}`);
    const boxes = [...chart.querySelectorAll("text")].filter(shown).map(text => [text, text.getBoundingClientRect()]);
    boxes.forEach(([text, box], index) => {
      if (box.left < frame.left - 2 || box.right > frame.right + 2) wrong.push(`a label leaves its chart: ${id}: ${text.textContent}`);
      for (const [other, its] of boxes.slice(index + 1)) {
        // The boxes of text have air above and below the letters.
        if (meet(box, its, 2.5)) wrong.push(`labels meet: ${id}: “${text.textContent}” and “${other.textContent}”`);
      }
    });
    for (const part of chart.querySelectorAll(".dot, rect.part")) {
      const box = part.getBoundingClientRect();
      marks += 1;
      if (box.left < frame.left - 3 || box.right > frame.right + 3 || box.top < frame.top - 3 || box.bottom > frame.bottom + 3) {
        wrong.push(`a mark leaves its chart: ${id}: ${name(part.parentElement)}`);
      }
      if (part.matches(".dot") && !(box.width > 1.5 && box.height > 1.5)) wrong.push(`a mark of no size: ${id}`);
      if (part.matches(".part:not(.idle)") && !(box.width > 0.2)) wrong.push(`a part of no size: ${id}`);
      for (const [text, its] of boxes) {
        if (!chart.matches(".lines") && meet(box, its, 1.5)) wrong.push(`a mark over a label: ${id}: ${text.textContent}`);
      }
    }
    for (const shape of chart.querySelectorAll(".shape")) {
      const style = getComputedStyle(shape);
      const colors = [style.fill, style.stroke].filter(color => color !== "none").map(numbers);
      const best = Math.max(...colors.map(color => ratio(color, ground(chart))));
      if (best < 3) { wrong.push(`a mark of contrast ${best.toFixed(2)}: ${id}`); break; }
    }
  }
  for (const lane of document.querySelectorAll(".lane")) {
    const [title, drawn, value] = [...lane.children].map(part => part.getBoundingClientRect());
    if (drawn.width < 100 || drawn.height < 8) wrong.push(`a lane of ${drawn.width} × ${drawn.height}`);
    if (title.right > drawn.left + 1 || drawn.right > value.left + 1) wrong.push(`a lane meets its words: ${name(lane)}`);
  }
  for (const figure of document.querySelectorAll("figure")) {
    if (![...figure.querySelectorAll("svg.chart, .lane svg")].some(shown)) wrong.push(`a figure without a drawing: ${figure.id}`);
  }
  return { wrong: [...new Set(wrong)], texts, least, charts, marks, paper: getComputedStyle(document.body).backgroundColor };
})()
