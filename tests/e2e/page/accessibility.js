// Evaluated in the page: what a screen reader would stumble over, as a list of words.
() => {
  const references = ["aria-controls", "aria-labelledby", "aria-describedby"];
  const textOf = (id) => document.getElementById(id)?.textContent ?? "";
  const name = (node) =>
    [
      node.getAttribute("aria-label"),
      ...(node.getAttribute("aria-labelledby") ?? "").split(" ").map(textOf),
      ...[...(node.labels ?? [])].map((label) => label.textContent),
      node.textContent,
      node.getAttribute("alt"),
    ].join("").trim();
  const controls = "button, a, input, select, textarea, [role=button], img:not([alt=''])";
  const nameless = [...document.querySelectorAll(controls)].filter((node) => !name(node));
  const ids = [...document.querySelectorAll("[id]")].map((node) => node.id);
  const wanted = references.flatMap((attribute) =>
    [...document.querySelectorAll(`[${attribute}]`)].flatMap((node) => node.getAttribute(attribute).split(" ")),
  );
  return [
    ...nameless.map((node) => `no name: ${node.outerHTML}`),
    ...wanted.filter((id) => !ids.includes(id)).map((id) => `leads nowhere: ${id}`),
    ...ids.filter((id, index) => ids.indexOf(id) !== index).map((id) => `twice: ${id}`),
  ];
}
