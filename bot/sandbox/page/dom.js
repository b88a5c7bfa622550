// Builds DOM nodes from values. Nothing here, or anywhere on the page, parses markup.

const SVG = "http://www.w3.org/2000/svg";

/** `h("button", {class: "x", onclick: f, testid: "send"}, "Send")`; null and false children vanish. */
export function h(tag, props = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (name === "testid") node.dataset.testid = value;
    else node.setAttribute(name, value === true ? "" : value);
  }
  return fill(node, ...children);
}

export function fill(node, ...children) {
  node.replaceChildren(
    ...children.flat(Infinity).filter((child) => child !== undefined && child !== null && child !== false),
  );
  return node;
}

/** One of the symbols in index.html; decoration only, so it always stands beside words or a label. */
export function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  const use = document.createElementNS(SVG, "use");
  use.setAttribute("href", `#i-${name}`);
  svg.append(use);
  return svg;
}

export const byId = (id) => document.getElementById(id);

/** Makes `items` ({key, version, build}) the children of `parent`, touching only what changed. */
export function reconcile(parent, items) {
  const old = new Map([...parent.children].map((node) => [node.reconcileKey, node]));
  let place = parent.firstElementChild;
  for (const item of items) {
    let node = old.get(item.key);
    old.delete(item.key);
    if (node?.reconcileVersion !== item.version) {
      const fresh = item.build();
      fresh.reconcileKey = item.key;
      fresh.reconcileVersion = item.version;
      if (node) {
        const focus = carryOver(node, fresh);
        if (node === place) place = fresh;
        node.replaceWith(fresh);
        focus?.focus({ preventScroll: true });
      }
      node = fresh;
    }
    if (node === place) place = place.nextElementSibling;
    else parent.insertBefore(node, place);
  }
  for (const node of old.values()) node.remove();
}

/** Open <details> stay open; answers the element that should get the focus back, if the old one had it. */
function carryOver(before, after) {
  for (const open of before.querySelectorAll("details[open][data-key]")) {
    const twin = [...after.querySelectorAll("details[data-key]")].find(
      (node) => node.dataset.key === open.dataset.key,
    );
    if (twin) twin.open = true;
  }
  const focused = document.activeElement;
  if (!before.contains(focused)) return null;
  const hook = focused.dataset.testid;
  const twin = hook && after.querySelector(`[data-testid="${CSS.escape(hook)}"]`);
  if (twin) return twin;
  after.tabIndex = -1;
  return after;
}
