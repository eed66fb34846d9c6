// Moves a time line as a reader would, and puts what follows into the title. Runs in the page, in a test.
addEventListener("load", async () => {
  const lanes = document.querySelector(".lanes");
  const svg = lanes.querySelector(".lane svg");
  const box = svg.getBoundingClientRect();
  const said = [];
  const note = async what => {
    await new Promise(resolve => setTimeout(resolve, 30));
    const length = Number(lanes.dataset.length);
    const percent = end => Number((lanes.dataset[end] / length * 100).toFixed(1));
    said.push(`${what} ${percent("from")}-${percent("to")}`);
  };
  const wheel = delta => svg.dispatchEvent(new WheelEvent("wheel",
    { bubbles: true, cancelable: true, clientX: box.left + box.width / 2, clientY: box.top, ...delta }));
  const key = name => lanes.dispatchEvent(new KeyboardEvent("keydown", { key: name, bubbles: true, cancelable: true }));
  const pointer = (type, pointerId, share, pointerType) => svg.dispatchEvent(new PointerEvent(type,
    { pointerId, pointerType, bubbles: true, clientX: box.left + box.width * share, clientY: box.top }));
  await note("whole");
  said.push(wheel({ deltaY: 100 }) ? "the page scrolls" : "the page is stuck");
  wheel({ deltaY: -400 * Math.log(2) });
  await note("wheel");
  wheel({ deltaX: 200 });
  await note("sideways");
  key("+");
  await note("plus");
  key("ArrowLeft");
  await note("left");
  pointer("pointerdown", 1, 0.2, "touch");
  pointer("pointerdown", 2, 0.4, "touch");
  pointer("pointermove", 2, 0.6, "touch");
  await note("pinch");
  pointer("pointerup", 2, 0.6, "touch");
  pointer("pointermove", 1, 0.4, "touch");
  await note("drag");
  pointer("pointerup", 1, 0.4, "touch");
  lanes.parentElement.querySelector("[data-do=all]").click();
  await note("all");
  pointer("pointermove", 9, 0.2, "mouse");
  said.push(document.getElementById("tip").textContent);
  document.title = said.join("; ");
});
